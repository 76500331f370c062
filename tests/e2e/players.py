#!/usr/bin/env python3
# p2phlssrc: whatever plays with souphttpsrc plays with p2phlssrc, and shares.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""players.py hls WAY      a stream on two origins, to its end, with a peer
                        that holds it
   players.py look WAY     gst-discoverer-1.0 at such a stream
   players.py plain WAY    films, one of them DASH, radios, images
   players.py STORY        orders: seek, audio, variants, pause, long_pause;
                        secure: over TLS

WAY: how p2phlssrc comes in, see WAYS; stories are told both ways. All players
play at once, each a second time over souphttpsrc, and what is wanted is what
comes of that."""

import contextlib
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
sys.path.insert(0, HERE)

import bytes as exact  # noqa: E402
import corpus  # noqa: E402
import origin as origins  # noqa: E402
import procs  # noqa: E402
import radio  # noqa: E402
import trust  # noqa: E402
import typist  # noqa: E402
from check import check  # noqa: E402

SECONDS = 20
PLAIN_SECONDS = 8
SETTINGS = dict(exact.SHARED, stats_interval=100)
DRIVE = os.path.join(procs.BUILD, "tests", "e2e", "drive", "drive")
SINK = "fakesink sync=true"
RANK = {"GST_PLUGIN_FEATURE_RANK": "p2phlssrc:MAX"}

# name: (scheme, environment, the source in a launch line)
WAYS = {"soup": ("http", {}, "souphttpsrc"),
        "scheme": ("p2phls+http", {}, "p2phlssrc"),
        "rank": ("http", RANK, "p2phlssrc")}


class Player:
    """command (uri, source element); ending: what it says at the end."""

    def __init__(self, command, ending):
        self.command, self.ending = command, re.compile(ending, re.M)


class Driven(Player):
    """A program under orders, see drive/main.c."""

    def __init__(self, engine):
        super().__init__(
            lambda uri, source: self.ordered(uri, ["play", "end"]), "")
        self.engine = engine

    def ordered(self, uri, orders):
        return [DRIVE, self.engine, uri, *orders]


class Typed(Player):
    """Under orders by its keys, see typist.py."""


LAUNCH = ("{source} location={uri} ! hlsdemux ! tsdemux name=d "
          "d. ! queue ! h264parse ! " + SINK + " "
          "d. ! queue ! aacparse ! " + SINK)
PLAYERS = {
    "gst-launch": Player(
        lambda uri, source: ["gst-launch-1.0", *LAUNCH.format(
            uri=uri, source=source).split()], r"^Got EOS from element"),
    "gst-play": Typed(
        lambda uri, source: [
            "gst-play-1.0", "--videosink=" + SINK, "--audiosink=" + SINK, uri],
        r"Reached end of play list"),
    "gst-discoverer": Player(
        lambda uri, source: ["gst-discoverer-1.0", "-t", "60", uri],
        r"^Done discovering"),
}
PLAYERS.update({engine: Driven(engine) for engine in (
    "playbin", "playbin3", "uridecodebin", "gstplay")})
ORDERED = [name for name, player in PLAYERS.items()
           if isinstance(player, (Driven, Typed))]


class Run(procs.Process):
    """A player at work, and what its elements post."""

    def __init__(self, name, way, url, orders=None, **settings):
        scheme, variables, source = WAYS[way]
        self.player, self.url = PLAYERS[name], url(scheme)
        self.posts = tempfile.NamedTemporaryFile()
        environment = procs.element_environment(**SETTINGS, **settings)
        environment.update(
            variables, LC_ALL="C", GST_DEBUG="GST_BUS:5,p2phlssrc:4",
            GST_DEBUG_NO_COLOR="1", GST_DEBUG_FILE=self.posts.name)
        keyboard, end = typist.terminal()
        super().__init__(
            self.player.ordered(self.url, orders)
            if orders and self.is_driven
            else self.player.command(self.url, source), environment,
            "%s by %s" % (name, way), end)
        os.close(end)
        self.typist = None
        if isinstance(self.player, Typed):
            self.typist = typist.Typist(self, keyboard, orders or ["end"])
        else:
            os.close(keyboard)

    @property
    def is_driven(self):
        return isinstance(self.player, Driven)

    def end(self, seconds):
        try:
            self.finish(seconds + procs.PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            check(False, "%s ends" % self.name, self.evidence())
        if self.typist:
            self.typist.join()
        with self.posts:
            self.posted = self.posts.read().decode(errors="replace")

    def said(self):
        """What differs neither from run to run nor from way to way."""
        return [line for line in self.words
                if "Stream ID" not in line and "://" not in line]

    def outcome(self):
        if self.is_driven:
            return [self.process.returncode] + [
                self.last.get(field) for field in ("ended", "error", "undone")]
        return [self.process.returncode,
                bool(self.player.ending.search("\n".join(self.words))),
                self.typist and self.typist.undone]

    def buffered(self):
        return "GstMessageBuffering" in self.posted

    def stats(self):
        """The last ones that were posted."""
        lines = [line for line in self.posted.split("\n")
                 if " p2phls-stats, " in line]
        return {name: int(value) for name, value in re.findall(
            r"([\w-]+)=\(g?uint\d*\)(\d+)", lines[-1] if lines else "")}

    def bitrates(self):
        """Of the segments, as the demuxer tells them."""
        return {int(bitrate) for bitrate in re.findall(
            r"adaptive-streaming-statistics, .*bitrate=\(\w+\)(\d+)",
            self.posted)}

    def tracks(self):
        """kind: what was seen of it; nothing where nobody looked."""
        return {track["kind"]: track for track in self.last.get("tracks", [])}

    def evidence(self):
        return self.outcome(), self.last, self.words[-5:], self.noise[-5:]


def play(cast, names, ways, urls, seconds, orders=None, **settings):
    """Pairs of a player over souphttpsrc and the same player as asked, which
    began together and have ended. urls: those of each way."""
    runs = {(name, way): cast.add(Run(name, way, urls[way], orders, **settings))
            for name in names for way in ("soup", *ways)}
    for run in runs.values():
        run.end(seconds)
    for name in names:
        for way in ways:
            plain, ours = runs[name, "soup"], runs[name, way]
            print("--- %s" % ours.name)
            check(plain.outcome()[0] == 0, "souphttpsrc plays it",
                  plain.evidence())
            check(ours.outcome() == plain.outcome(),
                  "it ends as with souphttpsrc",
                  (plain.evidence(), ours.evidence()))
            yield plain, ours


def same_media(plain, ours, sought=False):
    """All that came to the sinks since the last flush. After a seek FFmpeg's
    AAC decoder goes on with random numbers where it was: no digest of it."""
    for kind, track in plain.tracks().items():
        got = ours.tracks().get(kind, {})
        fields = ["frames", "first-ms", "last-ms"]
        if not (sought and kind == "audio"):
            fields.append("digest")
        for field in fields:
            check(got.get(field) == track[field], "the same %s %s" % (
                kind, field), (track, got))


def went_on(plain, ours):
    """Nothing is missing in between, and nothing comes twice."""
    check(sorted(ours.tracks()) == sorted(plain.tracks()), "the same tracks",
          (plain.last, ours.last))
    for kind, track in plain.tracks().items():
        for field in ("gaps", "overlaps"):
            check(ours.tracks()[kind][field] <= track[field],
                  "%s: no more %s" % (kind, field), (plain.last, ours.last))


def shared(ours):
    stats = ours.stats()
    check(stats.get("p2p-bytes", 0) > 0, "bytes came from peers", stats)
    check(stats["registry-misses"] == 0, "no registry miss", stats)


# --- streams -----------------------------------------------------------------

class Stage:
    """Two origins, a tracker, and a peer that holds all of the stream. The
    first origin has the master playlist, which names everything else by its
    URI on the second. The plain players have a pair of their own."""

    def __init__(self, cast, kind="ts", certificate=None):
        self.folder = corpus.folder(kind, SECONDS)
        self.certificate = certificate
        self.first, self.second = self.pair(cast)
        self.plain = self.pair(cast)
        self.tracker = cast.add(procs.tracker())
        self.seeder = cast.add(procs.Viewer(
            self.first.url("master.m3u8"), "--flat-out", "--linger",
            name="seeder", trackers=self.tracker.url, **exact.SHARED))
        procs.wait_for("the seeder to have everything",
                       exact.ended(self.seeder))
        self.first.reset()
        self.second.reset()

    def pair(self, cast):
        first, second = (
            cast.add(origins.Origin(
                self.folder, host=host, certificate=self.certificate))
            for host in ("127.0.0.1", "localhost"))
        first.elsewhere = second.elsewhere = second
        return first, second

    def play(self, cast, names, ways, orders=None):
        def url(origin):
            return lambda scheme: origin.url("master.m3u8", scheme)

        urls = {way: url(self.first) for way in ways}
        urls["soup"] = url(self.plain[0])
        return play(cast, names, ways, urls, SECONDS, orders,
                    trackers=self.tracker.url)

    def size(self):
        """Of the segments."""
        return sum(os.path.getsize(os.path.join(self.folder, name))
                   for name in os.listdir(self.folder)
                   if name.endswith((".ts", ".m4s")))


def hls(way):
    names = [name for name in PLAYERS if name != "gst-discoverer"]
    with procs.Cast() as cast:
        stage = Stage(cast)
        for plain, ours in stage.play(cast, names, [way]):
            if ours.is_driven:
                same_media(plain, ours)
            shared(ours)
            got = ours.stats()
            check(got["http-bytes"] + got["p2p-bytes"] >= stage.size(),
                  "no other element has read segments", (stage.size(), got))
        left_by_peers(stage, len(names))


def left_by_peers(stage, players):
    left = sum(count.bytes for path, count in stage.second.counts.items()
               if path.endswith((".ts", ".m4s")))
    print("--- %d bytes for each of %d players, %d left the origin" % (
        stage.size(), players, left))
    check(set(stage.first.counts) == {"master.m3u8"},
          "the first origin has given the master alone", stage.first.counts)
    check(left < players * stage.size(), "the origin has given less than all")
    stage.seeder.stop()
    check(stage.seeder.stat("upload-bytes") > 0, "the peer knows it gave them",
          stage.seeder.last)


def look(way, certificate=None):
    with procs.Cast() as cast:
        stage = Stage(cast, "fmp4", certificate)
        # It is soon done: the slow header leaves time to meet the peer.
        stage.second.fault(r"init", bytes_per_second=300)
        for plain, ours in stage.play(cast, ["gst-discoverer"], [way]):
            check(ours.said() == plain.said(), "it says the same",
                  (ours.said(), plain.said()))
            # It may leave before it posts what it got.
            check(ours.stats()["registry-misses"] == 0, "no registry miss")
        left_by_peers(stage, 1)


# --- other content -----------------------------------------------------------

TITLES = ["First tone", "Second tone", "Last tone"]


@contextlib.contextmanager
def contents():
    """name: its URL with a scheme"""
    folder = corpus.plain(PLAIN_SECONDS)
    with procs.Cast() as cast:
        files = cast.add(origins.Origin(folder))
        mp3 = cast.add(radio.Radio(
            os.path.join(folder, "radio.mp3"), 48000, TITLES))
        ogg = cast.add(radio.Radio(os.path.join(folder, "radio.ogg"), 16000))
        found = {name: lambda scheme, name=name: files.url(name, scheme)
                 for name in ("film.mp4", "film.mpd",
                              "still.jpg", "still.png")}
        found.update({"radio.mp3": mp3.url, "radio.ogg": ogg.url})
        yield found


def plain(way):
    with procs.Cast() as cast, contents() as found:
        for content, url in found.items():
            orders = ["play", "end"]
            if content.startswith("film"):
                orders[1:1] = ["for=2", "seek=5", "for=1"]
            print("====== %s" % content)
            for soup, ours in play(
                    cast, ORDERED, [way], {"soup": url, way: url},
                    PLAIN_SECONDS, orders, trackers="none"):
                alike(content, soup, ours)


def alike(content, soup, ours):
    check(re.search(r"p2phlssrc .* new session", ours.posted),
          "p2phlssrc has read it", ours.posted[-1000:])
    if not content.startswith("still"):
        check(soup.buffered() and ours.buffered(), "it buffers")
    if not ours.is_driven:
        return
    same_media(soup, ours, sought=content.startswith("film"))
    check(ours.last["titles"] == soup.last["titles"], "the same titles",
          (soup.last, ours.last))
    if content == "radio.mp3":
        check(ours.last["titles"] == TITLES, "all of them", ours.last)


# --- orders ------------------------------------------------------------------

BOTH = ["scheme", "rank"]


def on_demand(names, kind, orders, *wanted, certificate=None):
    with procs.Cast() as cast:
        stage = Stage(cast, kind, certificate)
        for plain_, ours in stage.play(cast, names, BOTH, orders):
            for compare in wanted:
                compare(plain_, ours)
            shared(ours)


def seek():
    """Forward past what is there, and back."""
    on_demand(ORDERED, "ts", ["play", "for=2", "seek=17", "for=1",
                              "seek=9.5", "end"], found, went_on)


def found(plain_, ours):
    same_media(plain_, ours, sought=True)


def secure():
    """https:, with an authority that the system trusts."""
    certificate = trust.enter()
    on_demand([name for name in PLAYERS if name != "gst-discoverer"], "ts",
              ["play", "for=2", "seek=12", "end"], found, went_on,
              certificate=certificate)
    look("scheme", certificate)


def audio():
    """uridecodebin leaves that to its user."""
    on_demand([name for name in ORDERED if name != "uridecodebin"], "audio",
              ["play", "for=3", "audio=1", "for=4", "audio=0", "for=3"],
              heard_both)


def heard_both(*runs):
    """hlsdemux has both tracks come, and playbin goes on with what has come
    of the other: a gap or an overlap, as chance will have it."""
    for run in runs:
        if not run.is_driven:
            check(any(line.startswith("Switching to audio track 2")
                      for line in run.words), "it says so", run.words)
            continue
        sound, picture = run.tracks()["audio"], run.tracks()["video"]
        check(sound["switches"] == 2, "there and back", run.last)
        check(max(sound["gaps"], sound["overlaps"]) <= 2,
              "one seam for each", run.last)
        check(picture["gaps"] + picture["overlaps"] == 0,
              "the picture goes on", run.last)


def variants():
    """gst-play-1.0 leaves that to the demuxer."""
    on_demand([name for name in ORDERED if name != "gst-play"], "variants",
              ["play", "for=2", "speed=300", "for=6", "speed=2000", "end"],
              switched, went_on)


def switched(*runs):
    for run in runs:
        check(len(run.bitrates()) > 1, "the variant did change",
              run.bitrates())


def live(window, orders, seconds, compare):
    with procs.Cast() as cast:
        origin = cast.add(origins.Origin(corpus.folder("ts", 60), window))
        tracker = cast.add(procs.tracker())
        origin.start()
        cast.add(procs.Viewer(origin.url("master.m3u8"), name="another",
                              trackers=tracker.url, **exact.SHARED))

        def url(scheme):
            return origin.url("master.m3u8", scheme)

        for plain_, ours in play(
                cast, ORDERED, BOTH, dict.fromkeys(["soup", *BOTH], url),
                seconds, orders, trackers=tracker.url):
            compare(plain_, ours)
            shared(ours)


def pause():
    """The playlist still has what comes next."""
    live(10, ["play", "for=3", "pause", "wait=5", "play", "for=8"], 16,
         went_on)


def long_pause():
    """What comes next has left the playlist: one jump."""
    live(5, ["play", "for=3", "pause", "wait=22", "play", "for=8"], 33,
         jumped)


def jumped(plain_, ours):
    for kind, track in plain_.tracks().items():
        gaps = ours.tracks()[kind]["gaps"]
        check(gaps <= max(1, track["gaps"]), "%s: one jump" % kind,
              (plain_.last, ours.last))


TESTS = {f.__name__: f for f in (hls, look, plain, seek, secure, audio,
                                 variants, pause, long_pause)}

if __name__ == "__main__":
    TESTS[sys.argv[1]](*sys.argv[2:])
