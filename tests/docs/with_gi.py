#!/usr/bin/env python3
# p2phlssrc: runs a program with a Python that knows GStreamer.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""with_gi.py PROGRAM ARGUMENT…

Users have Debian's python3 with python3-gi; the first python3 on a
developer's path may be another."""

import os
import subprocess
import sys

PROBE = "import gi; gi.require_version('Gst', '1.0'); " \
        "from gi.repository import Gst"


def find():
    for python in (sys.executable, "/usr/bin/python3"):
        found = subprocess.run([python, "-c", PROBE],
                               stderr=subprocess.DEVNULL)
        if found.returncode == 0:
            return python
    sys.exit("no Python here knows GStreamer: ./dev deps test")


if __name__ == "__main__":
    python = find()
    os.execv(python, [python, *sys.argv[1:]])
