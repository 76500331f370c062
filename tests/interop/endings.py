#!/usr/bin/env python3
# p2phlssrc: how connections to other makers' ends end, and that they do not.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A channel that its other end closes, or whose other end is killed, is
closed here; one that only has nothing to say stays.
"""

import os
import subprocess
import sys
import time

sys.path.insert(
    0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..",
                    "support"))

import channels  # noqa: E402
import procs  # noqa: E402

KINDS = ["native", "node", "chromium"]
IDLE = 45  # seconds; longer than any silence that is taken for an end
GONE = 35  # seconds until a killed end has to be noticed


def kill_with_children(end):
    subprocess.run(["pkill", "-KILL", "-P", str(end.process.pid)],
                   check=False)
    end.kill()


def report(good, text):
    print("%s %s" % ("ok" if good else "FAIL", text), flush=True)
    return 0 if good else 1


def closes(pair, kind, what, patience):
    began = time.monotonic()
    try:
        reason = procs.wait_for(what, pair.ends[0].closed, patience)
    except TimeoutError:
        return report(False, "%s %s: not noticed" % (kind, what))
    return report(True, "%s %s: closed after %.1f s, %s" % (
        kind, what, time.monotonic() - began, reason))


def main():
    bad = 0
    for kind in KINDS:
        with channels.Pair("native", kind) as pair:
            pair.ends[1].tell(close=True)
            bad += closes(pair, kind, "closes the channel", 10)

    # Waiting is done for all at once.
    killed = [channels.Pair("native", kind) for kind in KINDS]
    busy = [channels.Pair("native", kind, there=10 ** 10) for kind in KINDS]
    idle = [channels.Pair("native", kind) for kind in KINDS]
    pairs = killed + busy + idle
    try:
        for pair in pairs:
            pair.__enter__()
        for pair in killed:
            kill_with_children(pair.ends[1])
        for pair in busy:
            pair.ends[0].tell(go=True)
            time.sleep(0.2)
            kill_with_children(pair.ends[1])
        since = time.monotonic()
        for kind, pair in zip(KINDS, killed):
            bad += closes(pair, kind, "is killed", GONE)
        for kind, pair in zip(KINDS, busy):
            bad += closes(pair, kind, "is killed while it receives", GONE)
        time.sleep(max(0, since + IDLE - time.monotonic()))
        for kind, pair in zip(KINDS, idle):
            reason = pair.ends[0].closed() or pair.ends[1].closed()
            bad += report(
                not reason, "%s is silent for %d s: %s" % (
                    kind, IDLE, reason or "open"))
    finally:
        for pair in pairs:
            pair.__exit__()
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
