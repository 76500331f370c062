#!/usr/bin/env python3
# p2phlssrc: p2phls-play says how it wants to be called.
# SPDX-License-Identifier: LGPL-2.1-or-later

import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))

import procs  # noqa: E402
from check import check  # noqa: E402

TOP = os.path.join(HERE, "..", "..")


def run(command, status):
    done = subprocess.run(
        command, env=procs.element_environment(), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        timeout=procs.PATIENCE)
    check(done.returncode == status, "status %d of %s" % (status, command[1:]),
          "%s %s" % (done.returncode, done.stderr))
    return done


PLAY = os.path.join(procs.BUILD, "tools", "p2phls-play")

check("URI" in run([PLAY, "--help"], 0).stdout, "help names what to give")
for arguments, status in (([], 2), (["a:b", "c:d"], 2), (["notauri"], 1),
                          (["--nonsense"], 1)):
    done = run([PLAY, *arguments], status)
    check("--help" in done.stderr and not done.stdout,
          "says where to read more", done)
check('"notauri" is no URI' in run([PLAY, "notauri"], 1).stderr,
      "says what is wrong")
for option in ("-h", "--help"):
    check("./dev play [URI]" in run(
        [os.path.join(TOP, "dev"), "play", option], 0).stdout,
        "the script explains it, too")
