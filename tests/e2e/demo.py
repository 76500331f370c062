#!/usr/bin/env python3
# p2phlssrc: the demonstration, as a newcomer without a terminal sees it.
# SPDX-License-Identifier: LGPL-2.1-or-later

import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))

import procs  # noqa: E402
from check import check  # noqa: E402


def run(*options):
    environment = procs.element_environment()
    environment["XDG_CACHE_HOME"] = os.path.join(procs.BUILD, "corpus")
    done = subprocess.run(
        [os.path.join(procs.BUILD, "tools", "p2phls-demo"), *options],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, timeout=3 * procs.PATIENCE)
    check(done.returncode == 0, "it ends well", done.stdout)
    return done.stdout


def from_each_other(text):
    match = re.search(r"([\d.]+) MB \(\d+ %\) from each other", text)
    check(match, "it ends with a summary", text)
    return float(match.group(1))


OPTIONS = ("--duration", "15", "--viewers", "3", "--gap", "2")

text = run(*OPTIONS)
check("\033" not in text, "no control characters without a terminal", text)
check(from_each_other(text) > 0, "the viewers share", text)
check("Stalls: 0." in text, "no stall", text)
text = run("--no-p2p", *OPTIONS)
check(from_each_other(text) == 0, "or not, as asked", text)
