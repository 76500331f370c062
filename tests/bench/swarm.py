#!/usr/bin/env python3
# p2phlssrc: real swarms on this machine, measured.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Viewers are processes, the tracker is npm's, the browser is Chromium; they
meet over this machine's own addresses. Each figure is printed beside what is
wanted of it; a miss makes the exit status 1.

    swarm.py [--build DIR] [--json FILE] [NAME…]     all, or those named
    swarm.py list
"""

import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))

import corpus  # noqa: E402
import figures  # noqa: E402
import origin as origins  # noqa: E402
import procs  # noqa: E402
from figures import Figure, progress, watch  # noqa: E402

PLAY_SECONDS = 60  # every viewer, after the last has joined
SCHEME = "p2phls+http"


def settings(tracker, **more):
    return {"trackers": tracker.url, "ice_servers": "none", **more}


def join(cast, label, count, gap, url, **options):
    viewers = []
    for number in range(count):
        if number:
            watch("%s, %d of %d have joined" % (label, number, count), gap,
                  viewers)
        viewers.append(cast.add(procs.Viewer(
            url, name="viewer %d" % (number + 1), **options)))
    return viewers


def leave(viewers):
    return [viewer.stop() for viewer in viewers]


def sharing(finals):
    """How many per cent of the viewers' media came from peers."""
    p2p = sum(f.get("stats", {}).get("p2p-bytes", 0) for f in finals)
    http = sum(f.get("stats", {}).get("http-bytes", 0) for f in finals)
    return 100.0 * p2p / max(1, p2p + http)


def stalls(finals):
    return sum(f.get("stalls", 0) for f in finals)


def live_copies(origin, since):
    """(whole run, segments published after `since`) of the media playlist.

    A segment counts when somebody had reason to ask for it and everybody had
    time to: not those published in the last two segment durations."""
    times = origin.segment_times("media.m3u8")
    now = time.monotonic()
    asked = [uri for uri in times if uri in origin.counts]
    old = [uri for uri in asked
           if times[uri] < now - 2 * corpus.SEGMENT_SECONDS]
    return origin.copies(asked), origin.copies(
        [uri for uri in old if times[uri] >= since])


def live(label, count, window, most, most_joined, gap=2):
    seconds = PLAY_SECONDS + (count - 1) * gap
    media = corpus.folder("ts", 2 * window + seconds + 30)
    with procs.Cast() as cast:
        origin = cast.add(origins.Origin(media, window=window))
        tracker = cast.add(procs.NpmTracker())
        origin.start()
        viewers = join(cast, label, count, gap,
                       origin.url("master.m3u8", SCHEME), **settings(tracker))
        joined = time.monotonic() + corpus.SEGMENT_SECONDS
        watch(label, PLAY_SECONDS, viewers)
        whole, after = live_copies(origin, joined)
        finals = leave(viewers)
    return [
        Figure("%s: copies, whole run" % label, whole, most),
        Figure("%s: copies once all have joined" % label, after, most_joined),
        Figure("%s: stalls" % label, stalls(finals), 0),
        Figure("%s: from peers" % label, sharing(finals), unit="%"),
        Figure("%s: registry misses" % label, sum(
            f.get("stats", {}).get("registry-misses", 0) for f in finals), 0),
    ]


def live5():
    return live("5 live, window 6", 5, 6, 1.8, 1.25)


def live10():
    return live("10 live, window 6", 10, 6, 2.3, 1.3)


def window4():
    return live("5 live, window 4", 5, 4, None, None)


def vod5():
    label, count, gap, length = "5 VOD, 60 s", 5, 5, 60
    media = corpus.folder("ts", length)
    with procs.Cast() as cast:
        origin = cast.add(origins.Origin(media))
        tracker = cast.add(procs.NpmTracker())
        # Whoever is through stays a little, as a viewer of the credits does.
        viewers = join(cast, label, count, gap,
                       origin.url("master.m3u8", SCHEME),
                       options=("--linger",), **settings(tracker))
        procs.wait_for("all to see the end", lambda: all(
            v.last.get("state") == "ended" for v in viewers),
            length + procs.PATIENCE)
        whole = origin.copies([p for p in origin.counts if p.endswith(".ts")])
        finals = leave(viewers)
    return [
        Figure("%s: copies" % label, whole, 1.35),
        Figure("%s: stalls" % label, stalls(finals), 0),
        Figure("%s: from peers" % label, sharing(finals), unit="%"),
    ]


# --- with browsers ----------------------------------------------------------

def kinds_meet(natives, pages, browser_ids):
    """How many of the native viewers and pages have both received from and
    served the other kind."""
    met = 0
    for final in natives:
        other = [p for p in final.get("stats", {}).get("peer-list", [])
                 if p["id"] in browser_ids]
        met += any(p["down-bytes"] > 0 for p in other) and any(
            p["up-bytes"] > 0 for p in other)
    for page in pages:
        met += any(peer not in browser_ids and count > 0
                   for peer, count in page.get("from", {}).items()) and any(
            peer not in browser_ids and count > 0
            for peer, count in page.get("to", {}).items())
    return met


def with_pages(label, least_met, options=()):
    window, gap = 30, 3
    media = corpus.folder("ts", 2 * window + PLAY_SECONDS + 60)
    with procs.Cast() as cast:
        origin = cast.add(origins.Origin(media, window=window))
        tracker = cast.add(procs.NpmTracker())
        origin.start()
        stream = origin.url("master.m3u8", "http")
        pages = cast.add(procs.Pages(stream, tracker.url, 2, gap,
                                     live_sync=window - 1))
        procs.wait_for("both pages to play", lambda: all(
            pages.page(n).get("state") == "playing" for n in (0, 1)))
        viewers = join(cast, label, 2, gap, origin.url("master.m3u8", SCHEME),
                       options=options,
                       **settings(tracker, protocols="v2"))
        joined = time.monotonic() + corpus.SEGMENT_SECONDS
        watch(label, PLAY_SECONDS, viewers)
        whole, after = live_copies(origin, joined)
        finals = leave(viewers)
        pages.stop()
        shown = [pages.page(number) for number in (0, 1)]
    ids = {page.get("id") for page in shown}
    return [
        Figure("%s: copies, whole run" % label, whole),
        Figure("%s: copies once all have joined" % label, after, 1.15),
        Figure("%s: viewers that took from and gave to the other kind"
               % label, kinds_meet(finals, shown, ids), least=least_met),
        Figure("%s: stalls, natives" % label, stalls(finals), 0),
        Figure("%s: stalls, pages" % label, stalls(shown), 0),
        Figure("%s: natives from peers" % label, sharing(finals), unit="%"),
        Figure("%s: pages from peers" % label,
               sharing([{"stats": page} for page in shown]), unit="%"),
    ]


def browsers():
    """P2P Media Loader starts a page at the beginning of the window, and
    fetches what is ahead of it at leisure; native viewers go there too."""
    return with_pages("2 native + 2 Chromium, window 30", 4,
                      ("--behind", str(2 * 30)))


def browsers_edge():
    """The natives stay at the edge, where they are nearly always the first to
    see a segment: what pages can give them there is chance."""
    return with_pages("2 native at the edge + 2 Chromium", None)


# --- what it costs -----------------------------------------------------------

def resident(viewer):
    """Private bytes: what this process costs beyond what it shares."""
    total = 0
    with open("/proc/%d/smaps_rollup" % viewer.process.pid) as rollup:
        for line in rollup:
            if line.startswith(("Private_Clean", "Private_Dirty")):
                total += int(line.split()[1]) * 1024
    return total


def memory():
    """Ten peers that hold all there is: connected, and with nothing to do."""
    label, count = "10 idle peers", 11
    media = corpus.folder("ts", 20)
    with procs.Cast() as cast:
        origin = cast.add(origins.Origin(media))
        tracker = cast.add(procs.NpmTracker())
        plain = cast.add(procs.Viewer(
            origin.url("master.m3u8", "http"), "--linger", name="souphttpsrc"))
        viewers = join(cast, label, count, 0,
                       origin.url("master.m3u8", SCHEME),
                       options=("--linger",), **settings(tracker))
        everybody = [plain, *viewers]
        procs.wait_for("all to see the end", lambda: all(
            v.last.get("state") == "ended" for v in everybody), 180)
        meter = procs.wait_for("one with ten peers", lambda: next(
            (v for v in viewers if v.stat("peers") >= 10), None), 180)
        watch(label, 5, viewers)
        cache = meter.stat("stored-bytes")
        beyond = resident(meter) - cache - resident(plain)
        leave(everybody)
    return [Figure("%s: memory beyond souphttpsrc, cache aside" % label,
                   beyond / 2**20, 16, unit="MiB")]


SCENARIOS = {f.__name__: f for f in (
    live5, live10, window4, vod5, browsers, browsers_edge, memory)}


def main():
    global SCHEME, PLAY_SECONDS
    parser = figures.parser(__doc__)
    parser.add_argument("--seconds", type=int, default=PLAY_SECONDS)
    parser.add_argument("--without", action="store_true",
                        help="souphttpsrc instead, for comparison")
    arguments = parser.parse_args()
    SCHEME = "http" if arguments.without else SCHEME
    PLAY_SECONDS = arguments.seconds
    return figures.main(arguments, SCENARIOS)


if __name__ == "__main__":
    sys.exit(main())
