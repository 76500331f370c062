#!/usr/bin/env python3
# p2phlssrc: clang-format decides layout; this only asks whether it agrees.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""format.py [--fix]   with --fix, the sources are rewritten in place."""

import os
import shutil
import subprocess
import sys

import tidy

VERSION = "14"  # Debian 12's; others lay out some lines differently


def main(arguments):
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    program = shutil.which("clang-format-" + VERSION)
    if program is None:
        print("clang-format-%s is missing: `./dev deps quick` installs it on "
              "Debian 12; elsewhere leave out the suite layout" % VERSION)
        return 1
    sources = list(tidy.sources(root))
    options = ["-i"] if "--fix" in arguments else ["--dry-run", "--Werror"]
    return subprocess.run(
        [program, "--style=file", *options, *sources], cwd=root).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv))
