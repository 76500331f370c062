#!/usr/bin/env python3
# p2phlssrc: a browser plays a shared stream through p2phls-gateway.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Chromium with hls.js alone plays the gateway's address while a viewer
shares the same stream: its bytes come from the peer, and the status page
shows it, in the light at a desk and in the dark on a phone.

    gatewaypage.py [--orders | --screenshot NAME [--seconds N]]

With --orders the page seeks, switches and pauses instead. With a name it takes the README's pictures instead, NAME.png and NAME-dark.png,
and NAME-phone.png: of a live stream, after some minutes.
"""

import argparse
import os
import re
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))

import corpus  # noqa: E402
import origin as origins  # noqa: E402
import procs  # noqa: E402
from check import check  # noqa: E402

# In the style sheet, --page.
LIGHT, DARK = "rgb(244, 246, 248)", "rgb(18, 22, 27)"


class Browser(procs.Process):
    """See gateway.mjs."""

    def __init__(self, gateway, *options):
        super().__init__(
            ["node", os.path.join(procs.INTEROP, "gateway.mjs"),
             "--stream", gateway.url, "--status", gateway.status, *options],
            name="browser", stdin=True)

    def seen(self, page, name):
        return self.last.get(page, {}).get(name)


def shown(browser):
    return (browser.seen("player", "played-ms") or 0) > 8000 \
        and browser.seen("desk", "peers") and browser.seen("desk", "p2p-bars") \
        and browser.seen("desk", "share") not in (None, "–", "0 %") \
        and browser.seen("phone", "p2p-bars")


def check_page(page, background):
    """What a status page shows."""
    check(page["link"] == "live" and not page["notices"], "it is live", page)
    check(re.fullmatch(r"\d+ %", page["share"]), "the share is told", page)
    check(re.fullmatch(r"[\d.]+ [kM]B", page["saved"]),
          "the saving is told", page)
    check(re.search(r": [1-9]\d* segments? from other viewers, \d+ from the CDN",
                    page["timeline"]), "the timeline is told in words", page)
    check(len(page["minutes"]) == 5 and re.match(
        r"this minute \| [1-9]\d* \| \d+$", page["minutes"][0]),
          "and as a table", page)
    check(len(page["peers"]) >= 1 and "-GS" in page["peers"][0]
          and " ms" in page["peers"][0], "the peer has its row", page)
    check("connected" in page["trackers"][0], "so has the tracker", page)
    check(len(page["swarms"]) == 2, "so have the swarms", page)
    check(page["title"] == page["share"] + " saved · p2phls gateway",
          "so has its tab", page)
    check(not page["too-wide"], "nothing sticks out", page)
    check(page["background"] == background, "it has its colours", page)


def share():
    """Returns what stalled."""
    with procs.Cast() as cast:
        origin = cast.add(origins.Origin(corpus.folder("ts", 240)))
        tracker = cast.add(procs.NpmTracker())
        viewer = cast.add(procs.Viewer(
            origin.url("master.m3u8"), trackers=tracker.url,
            ice_servers="none"))
        procs.wait_for("the viewer to have something",
                       lambda: viewer.stat("segments-stored") > 4)
        gateway = cast.add(procs.Gateway(
            origin.url("master.m3u8", "http"), trackers=tracker.url,
            ice_servers="none"))
        browser = cast.add(Browser(gateway))
        try:
            procs.wait_for("the peer's bytes to be played and shown",
                           lambda: shown(browser), 2 * procs.PATIENCE)
        except TimeoutError as late:
            check(False, str(late), "%s\n%s" % (browser.last, browser.noise))
        last = browser.last
        check_page(last["desk"], LIGHT)
        check_page(last["phone"], DARK)
        check(last["desk"]["copied"] == "Copied",
              "the address can be copied", last["desk"])
        check(not last["complaints"], "no page complains",
              last["complaints"])
        check(not last["player"]["errors"], "hls.js neither", last["player"])
        # Nobody comes back to an address that is gone; the page says so.
        gateway.stop()
        procs.wait_for("the page to miss it",
                       lambda: browser.seen("desk", "link") == "lost"
                       and "does not answer" in str(
                           browser.seen("desk", "notices")))
        print(last)
        return [last["player"]] if last["player"]["stalls"] else []


# A stream, its window if it is live, and what the page does with it.
ORDERS = (
    ("variants", None, "for=2,level=0,for=4,level=2,for=4,seek=41,for=3"),
    ("audio", None, "for=2,audio=1,for=4,audio=0,for=4,seek=41,for=3"),
    ("ts", 10, "for=3,pause=4,for=6"))


def follow(kind, window, orders):
    with procs.Cast() as cast:
        origin = cast.add(origins.Origin(corpus.folder(kind, 60), window))
        origin.start()
        gateway = cast.add(procs.Gateway(
            origin.url("master.m3u8", "http"), trackers="none",
            ice_servers="none"))
        browser = cast.add(Browser(gateway, "--orders", orders))
        try:
            procs.wait_for("%s: %s" % (kind, orders), lambda:
                           browser.seen("player", "undone") == [])
        except TimeoutError as late:
            check(False, str(late), "%s\n%s" % (browser.last, browser.noise))
        player = browser.last["player"]
        check(not any("fatal" in error for error in player["errors"]),
              "%s: %s" % (kind, orders), player)


def named(url, name):
    """The same place under a name: GLib and browsers know .localhost."""
    return url.replace("127.0.0.1", name + ".localhost")


def shrink(path):
    """To a palette: a page has few colours."""
    small = path + ".small.png"
    subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", path, "-vf",
         "split[a][b];[a]palettegen=reserve_transparent=0[p];"
         "[b][p]paletteuse=dither=none", "-compression_level", "9", small],
        check=True)
    os.replace(small, path)


def picture(name, seconds):
    """A live stream for the README's picture, and one tracker too many."""
    with procs.Cast() as cast:
        origin = cast.add(origins.Origin(corpus.folder("ts", 600), window=12))
        tracker = cast.add(procs.OwnTracker())
        trackers = named(tracker.url, "tracker")
        origin.start()
        stream = named(origin.url("master.m3u8", "http"), "cdn")

        def viewer(*options):
            cast.add(procs.Viewer("p2phls+" + stream, *options,
                                  trackers=trackers, ice_servers="none"))
        gateway = cast.add(procs.Gateway(
            stream, trackers=trackers + ",ws://other-tracker.localhost:1",
            ice_servers="none"))
        # Alone at first; then come some who are ahead, and some who are
        # behind.
        browser = cast.add(Browser(
            gateway, "--live-sync", "5", "--screenshot", name))
        time.sleep(seconds / 4)
        viewer()
        time.sleep(seconds / 8)
        viewer()
        cast.add(procs.Pages(stream, trackers, 1))
        time.sleep(seconds / 8)
        viewer("--behind", "20")
        time.sleep(seconds / 2)
        print(browser.stop())
    for suffix in (".png", "-dark.png", "-phone.png"):
        shrink(name + suffix)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--orders", action="store_true")
    parser.add_argument("--screenshot")
    parser.add_argument("--seconds", type=int, default=290)
    arguments = parser.parse_args()
    if arguments.screenshot:
        picture(arguments.screenshot, arguments.seconds)
        return
    if arguments.orders:
        for story in ORDERS:
            follow(*story)
        return
    # A browser's start can take both cores of a small machine; a stall of
    # ours would come again.
    stalled = share() and share()
    check(not stalled, "no stall", stalled)


if __name__ == "__main__":
    main()
