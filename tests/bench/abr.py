#!/usr/bin/env python3
# p2phlssrc: which variant a player chooses on a thin line, measured.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Viewers in namespaces of their own, on lines with a rate, play a ladder of
1, 2.5, 5 and 8 Mbit/s for two and a half minutes, one of them with souphttpsrc
on a line like the viewer's: a busy machine stalls both. Switches and bitrates
are those from the first half minute on; "over time" shows all of it.

    abr.py [--build DIR] [--json FILE] [NAME…]     all, or those named
    abr.py list
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))

import corpus  # noqa: E402
import figures  # noqa: E402
import netns  # noqa: E402
import origin as origins  # noqa: E402
import procs  # noqa: E402
from figures import Figure  # noqa: E402

THIN, FAST, LAN = 3, 50, 100  # Mbit/s
SETTLE_SECONDS, PLAY_SECONDS = 30, 150
WINDOW = 6
AHEAD_SECONDS = 15  # that the neighbour has begun earlier


class Choice:
    """What a viewer's demuxer chose, fragment by fragment."""

    def __init__(self, viewer):
        said = [fragment for line in list(viewer.lines)
                for fragment in line["fragments"]]
        self.all = [(f["wall-ms"] / 1000, int(f["uri"].split("/")[-2]),
                     f["download-ms"] / 1000) for f in said]
        # One fragment from before tells of a switch at the border.
        first = sum(at < SETTLE_SECONDS for at, *rest in self.all)
        self.settled = self.all[max(0, first - 1):]

    def switches(self):
        rates = [rate for at, rate, *rest in self.settled]
        return sum(a != b for a, b in zip(rates, rates[1:]))

    def mean(self):
        return sum(rate for at, rate, *rest in self.settled) / 1000 / max(
            1, len(self.settled))

    def slow(self):
        """Fragments that took longer to come than they play."""
        return sum(took > corpus.SEGMENT_SECONDS
                   for at, rate, took in self.settled[1:])

    def over_time(self):
        words, last = [], None
        for at, rate, *rest in self.all:
            if rate != last:
                words.append("%ds: %g" % (at, rate / 1000))
            last = rate
        return ", ".join(words) + " Mbit/s"


def media():
    return corpus.folder("ladder", PLAY_SECONDS + 40)


def received(viewer, origin):
    """Mbit/s, by source. souphttpsrc tells nothing; it has its own origin."""
    seconds = viewer.last["wall-ms"] / 1000
    http = viewer.stat("http-bytes") or sum(
        count.bytes for count in origin.counts.values())
    return [count * 8e-6 / seconds
            for count in (http, viewer.stat("p2p-bytes"))]


def report(label, viewer, origin, reference, close=False):
    """reference: souphttpsrc on the same line; close: the choice is its."""
    label = "%s, %s" % (label, viewer.name)
    choice, wanted = Choice(viewer), Choice(reference).mean()
    http, p2p = received(viewer, origin)
    print("%s, over time: %s" % (label, choice.over_time()))
    bounds = {"least": 0.9 * wanted, "most": 1.1 * wanted} if close else {}
    return [
        Figure("%s: switches" % label, choice.switches(), 3),
        # A machine that stalls one of them is too busy to count closely.
        Figure("%s: stalls" % label, viewer.last["stalls"],
               2 * reference.last["stalls"]),
        Figure("%s: slow fragments" % label, choice.slow(), 3),
        Figure("%s: chosen, mean" % label, choice.mean(), unit="Mbit/s",
               **bounds),
        Figure("%s: chosen to received" % label,
               choice.mean() / (http + p2p), 1.05),
        Figure("%s: from the origin" % label, http, unit="Mbit/s"),
        Figure("%s: from peers" % label, p2p, unit="Mbit/s"),
    ]


def watch(cast, lines, url, name, options=(), tracker=None, **settings):
    """A viewer in a home of its own."""
    if tracker:
        settings.update(trackers=tracker.url, ice_servers="none")
    home = cast.add(netns.Home(*lines))
    return cast.add(procs.Viewer(url, name=name, options=options,
                                 prefix=home.prefix, **settings))


def serve(cast, window=None):
    origin = cast.add(origins.Origin(
        media(), window=window, address=netns.INTERNET))
    origin.start()
    return origin


def alone():
    """Each on a thin line with an origin of its own, so none with a peer."""
    with procs.Cast() as cast:
        served = [serve(cast) for number in range(3)]
        tracker = cast.add(procs.OwnTracker(address=netns.INTERNET))
        viewers = [
            watch(cast, [THIN], served[0].url("master.m3u8", "http"),
                  "souphttpsrc"),
            watch(cast, [THIN], served[1].url("master.m3u8"), "P2P off",
                  p2p="false"),
            watch(cast, [THIN], served[2].url("master.m3u8"), "no peers",
                  tracker=tracker)]
        figures.watch("alone", PLAY_SECONDS, viewers)
        for viewer in viewers:
            viewer.stop()
    return [figure for viewer, origin in zip(viewers, served)
            for figure in report("alone", viewer, origin, viewers[0], True)]


def beside(label, kbps=None, window=None, master="master.m3u8", line=THIN,
           leave=False, close=False):
    """A viewer on a thin line, with a neighbour on a fast one that stays below
    so many kbit/s, or does not."""
    with procs.Cast() as cast:
        origin, its_own = serve(cast, window), serve(cast, window)
        tracker = cast.add(procs.OwnTracker(address=netns.INTERNET))
        neighbour = watch(cast, [FAST, LAN], origin.url(master), "neighbour",
                          ("-c", str(kbps)) if kbps else (), tracker)
        figures.watch("%s, neighbour" % label, AHEAD_SECONDS, [neighbour])
        viewer = watch(cast, [line, LAN], origin.url(master), "viewer", (),
                       tracker)
        reference = watch(cast, [line], its_own.url(master, "http"),
                          "souphttpsrc")
        viewers = [reference, viewer, neighbour]
        figures.watch(label, PLAY_SECONDS / 2, viewers)
        if leave:
            viewers.pop().stop()
        figures.watch(label, PLAY_SECONDS / 2, viewers)
        for one in viewers:
            one.stop()
    print("%s, neighbour, over time: %s" % (
        label, Choice(neighbour).over_time()))
    return [*report(label, reference, its_own, reference),
            *report(label, viewer, origin, reference, close)]


def vod():
    return beside("VOD")


def live():
    return beside("live", window=WINDOW)


def low():
    return beside("VOD, neighbour at 1 Mbit/s", 1000, close=True)


def low_live():
    return beside("live, neighbour at 1 Mbit/s", 1000, WINDOW, close=True)


def middle():
    return beside("VOD on 5 Mbit/s, neighbour at 2.5", 2500, line=5,
                  close=True)


def high():
    return beside("VOD, both begin at 5 Mbit/s", 5000, master="from-5000.m3u8")


def leaves():
    return beside("VOD, the neighbour leaves", 1000, leave=True)


SCENARIOS = {f.__name__.replace("_", "-"): f for f in (
    alone, vod, live, low, low_live, middle, high, leaves)}


def main():
    global PLAY_SECONDS
    parser = figures.parser(__doc__)
    parser.add_argument("--seconds", type=int, default=PLAY_SECONDS)
    arguments = parser.parse_args()
    if arguments.names != ["list"]:
        netns.enter()
    PLAY_SECONDS = arguments.seconds
    return figures.main(arguments, SCENARIOS)


if __name__ == "__main__":
    sys.exit(main())
