#!/usr/bin/env python3
# p2phlssrc: commit subjects read "area: what it does now".
# SPDX-License-Identifier: LGPL-2.1-or-later
"""subjects.py [FILE]   the message in FILE (a commit-msg hook), or without
it every commit reachable from HEAD."""

import os
import re
import subprocess
import sys

LONGEST = 80  # characters; git log --oneline in a terminal
SUBJECT = re.compile(r"^[a-z0-9A-Z/_.,+ -]+: \S")


def complaint(subject):
    """What is wrong with a subject, or None."""
    if subject.startswith(("fixup!", "squash!", "amend!")):
        return "still to be squashed"
    if not SUBJECT.match(subject):
        return "does not read \"area: what it does now\""
    if len(subject) > LONGEST:
        return "longer than %d characters" % LONGEST
    if subject.endswith("."):
        return "ends in a full stop"
    return None


def main(arguments):
    if len(arguments) > 1:
        with open(arguments[1], encoding="utf-8") as message:
            subjects = [message.readline().rstrip("\n")]
    else:
        here = os.path.dirname(os.path.abspath(__file__))
        log = subprocess.run(
            ["git", "-C", here, "-c", "safe.directory=*", "log",
             "--no-merges", "--format=%s"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        subjects = log.stdout.splitlines()
        if log.returncode:
            print("no git history here (a tarball): nothing to read")
    bad = 0
    for subject in subjects:
        what = complaint(subject)
        if what:
            print("%s\n    %s" % (subject, what))
            bad += 1
    print("%d subjects read, %d complaints" % (len(subjects), bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
