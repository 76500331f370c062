#!/usr/bin/env python3
# p2phlssrc: what hlsdemux does when a playlist is late, measured.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Viewers side by side, each with an origin of its own, whose media playlist is
late once, and then each time: by another delay for each viewer. What is wanted
is what docs/design/playlists.md tells of hlsdemux 1.22.

    playlists.py [--build DIR] [--json FILE] [NAME…]     all, or those named
    playlists.py list
"""

import os
import statistics
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))

import corpus  # noqa: E402
import figures  # noqa: E402
import origin as origins  # noqa: E402
import procs  # noqa: E402
from figures import Figure  # noqa: E402

DELAYS = (0, 0.5, 1, 1.5)  # seconds
WINDOW = 6
KBPS = 600
PLAYLIST = "media.m3u8"
NEAR = 0.1  # seconds
USUAL_SECONDS, ONCE_SECONDS, ALWAYS_SECONDS = 12, 12, 24
# A segment takes this much of its duration where segments are slow.
SHARE = 0.6


class Late:
    """A viewer, and the origin that is late by so many seconds."""

    def __init__(self, cast, delay, scheme, slow, settings):
        self.delay = delay
        self.origin = cast.add(origins.Origin(
            corpus.folder("constant", 2 * WINDOW + 80, KBPS), window=WINDOW))
        if slow:
            self.origin.fault(r"\.ts$", bytes_per_second=KBPS * 125 / SHARE)
        self.origin.start()
        self.viewer = cast.add(procs.Viewer(
            self.origin.url("master.m3u8", scheme),
            name="late by %g s" % delay, **settings))

    def be_late(self, times=None):
        if self.delay:
            self.origin.fault(PLAYLIST, delay=self.delay, times=times)

    def intervals(self, since, until):
        """Between refreshes, the earlier of them asked for in that time."""
        asked = self.origin.counts[PLAYLIST].asked
        return [then - now for now, then in zip(asked, asked[1:])
                if since <= now < until]

    def download_ms(self):
        return [fragment["download-ms"] for line in list(self.viewer.lines)
                for fragment in line["fragments"]]


def report(label, one, moments, undelayed):
    """undelayed: the viewer whose playlists are never late."""
    usual, once, always = (one.intervals(*span)
                           for span in zip(moments, moments[1:]))
    period, label = corpus.SEGMENT_SECONDS, "%s, late by %g s" % (
        label, one.delay)

    def near(what, value, wanted):
        return Figure("%s: %s" % (label, what), value, unit="s",
                      least=wanted - NEAR, most=wanted + NEAR)
    found = [
        near("between refreshes", statistics.median(usual), period),
        near("when all are late", statistics.median(always),
             period + one.delay),
        Figure("%s: stalls" % label, one.viewer.last["stalls"], 0),
    ]
    if one is undelayed:
        return found
    longest = once.index(max(once))
    return found + [
        near("when one is late", once[longest], period + one.delay),
        near("the next", once[longest + 1], period),
        Figure("%s: slowest download" % label, max(one.download_ms()) / 1000,
               max(undelayed.download_ms()) / 1000 + NEAR, unit="s"),
    ]


def run(label, scheme, slow=False, **settings):
    with procs.Cast() as cast:
        lot = [Late(cast, delay, scheme, slow, settings) for delay in DELAYS]
        viewers = [one.viewer for one in lot]
        moments = [time.monotonic()]
        for seconds, times in ((USUAL_SECONDS, 1), (ONCE_SECONDS, None),
                               (ALWAYS_SECONDS, 0)):
            figures.watch(label, seconds, viewers)
            moments.append(time.monotonic())
            for one in lot:
                one.be_late(times)
        for viewer in viewers:
            viewer.stop()
    return [figure for one in lot
            for figure in report(label, one, moments, lot[0])]


def quick():
    return run("souphttpsrc", "http")


def slow():
    """Segments are on their way while a playlist is late."""
    return run("souphttpsrc, slow segments", "http", slow=True)


def ours():
    return run("p2phlssrc", "p2phls+http", p2p="false")


SCENARIOS = {f.__name__: f for f in (quick, slow, ours)}


if __name__ == "__main__":
    sys.exit(figures.main(figures.parser(__doc__).parse_args(), SCENARIOS))
