#!/usr/bin/env python3
# p2phlssrc: every link of the documentation leads somewhere.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""links.py [root]     all Markdown that git knows below root

Relative links must name a file, and after # one of its headings. Others are
left alone: tests use no network."""

import os
import re
import subprocess
import sys

LINK = re.compile(r"\[(?:[^\]\[]|\[[^\]]*\])*\]\(\s*<?([^)\s>]+)>?[^)]*\)")
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
OUTSIDE = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def prose(text):
    return CODE.sub("``", FENCE.sub("", text))


def anchor(heading):
    """As GitHub and GitLab make them."""
    heading = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    kept = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return kept.replace(" ", "-")


def anchors(path):
    with open(path, encoding="utf-8") as file:
        text = FENCE.sub("", file.read())
    return {anchor(heading) for heading in
            re.findall(r"^#+ +(.*?)#*$", text, re.MULTILINE)}


def complaint(path, link):
    """What is wrong with a link in the file at path, or None."""
    name, _, part = link.partition("#")
    target = os.path.normpath(
        os.path.join(os.path.dirname(path), name)) if name else path
    if not os.path.exists(target):
        return "there is no %s" % name
    if part and target.endswith(".md") and part not in anchors(target):
        return "%s has no heading %s" % (name or "it", part)
    return None


def complaints(path):
    with open(path, encoding="utf-8") as file:
        links = LINK.findall(prose(file.read()))
    return [text for text in (complaint(path, link) for link in links
                              if not OUTSIDE.match(link)) if text]


def pages(root):
    listed = subprocess.run(
        ["git", "-C", root, "ls-files", "--cached", "--others",
         "--exclude-standard", "*.md"],
        check=True, capture_output=True, text=True).stdout.split("\n")
    return [os.path.join(root, name) for name in listed
            if name and os.path.exists(os.path.join(root, name))]


def main(arguments):
    root = arguments[1] if len(arguments) > 1 else os.path.join(
        os.path.dirname(os.path.abspath(__file__)), "..", "..")
    found = pages(root)
    bad = 0
    for path in found:
        for text in complaints(path):
            print("%s: %s" % (os.path.relpath(path, root), text))
            bad += 1
    print("%d pages read, %d complaints" % (len(found), bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
