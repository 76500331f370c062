#!/usr/bin/env python3
# p2phlssrc: peers die, trackers die, origins err, strangers lie; the viewer
# goes on exactly as far as HTTP alone would have.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""robust.py NAME [ARGUMENT]; the functions at the bottom are the names."""

import os
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
sys.path.insert(0, HERE)

import bytes as exact  # noqa: E402
import corpus  # noqa: E402
import origin as origins  # noqa: E402
import procs  # noqa: E402
from check import check  # noqa: E402

SECONDS = 20
SHARED = exact.SHARED


class Stage:
    """An origin with a VOD, a tracker, and a viewer that is looked at."""

    def __init__(self, cast, folder, kind="ts", tracker=None):
        self.cast, self.folder = cast, folder
        self.origin = cast.add(origins.Origin(corpus.folder(kind, SECONDS)))
        self.wanted = exact.reference(self.origin, folder)
        self.tracker = tracker or cast.add(procs.tracker())

    def seeder(self, **settings):
        seeder = self.cast.add(procs.Viewer(
            self.origin.url("master.m3u8"), "--flat-out", "--linger",
            name="seeder", trackers=self.tracker.url, **SHARED, **settings))
        procs.wait_for("the seeder to have everything", exact.ended(seeder))
        return seeder

    def viewer(self, **settings):
        self.prefix = os.path.join(self.folder, "p2phls")
        return self.cast.add(procs.Viewer(
            self.origin.url("master.m3u8"), "--dump", self.prefix,
            "--linger", trackers=self.tracker.url, **SHARED, **settings))

    def to_the_end(self, viewer):
        procs.wait_for("the viewer to end", exact.ended(viewer),
                       SECONDS + procs.PATIENCE)
        final = viewer.stop()
        exact.compare(self.wanted, self.prefix, final)
        check(final["stalls"] == 0, "no stall", final)
        return final


def peer_killed():
    """SIGKILL in the middle of a segment."""
    with procs.Cast() as cast, tempfile.TemporaryDirectory() as folder:
        stage = Stage(cast, folder)
        # Slower than the stream: whenever it dies, it is in a segment.
        seeder = stage.seeder(max_upload_bitrate=400000)
        viewer = stage.viewer()
        procs.wait_for("bytes from the peer",
                       lambda: viewer.stat("p2p-bytes") > 0)
        seeder.kill()
        stage.to_the_end(viewer)


def tracker_killed():
    with procs.Cast() as cast, tempfile.TemporaryDirectory() as folder:
        stage = Stage(cast, folder)
        stage.seeder()
        viewer = stage.viewer()
        procs.wait_for("bytes from the peer",
                       lambda: viewer.stat("p2p-bytes") > 0)
        stage.tracker.kill()
        final = stage.to_the_end(viewer)
        check(final["stats"]["peers"] > 0, "the peer stays", final)


def tracker_absent():
    """Nobody listens there; not a moment is lost to it."""
    class Nobody:
        url = "ws://127.0.0.1:9"
    with procs.Cast() as cast, tempfile.TemporaryDirectory() as folder:
        stage = Stage(cast, folder, tracker=Nobody)
        stage.to_the_end(stage.viewer())


FAULTS = {
    "404": dict(pattern=r"media-004\.ts", status=404),
    "404-first": dict(pattern=r"media-000\.ts", status=404),
    "403": dict(pattern=r"media-00[3-9]\.ts", status=403),
    "500-once": dict(pattern=r"media-004\.ts", status=500, times=1),
    "500": dict(pattern=r"media-00[4-9]\.ts", status=500),
    "short-once": dict(pattern=r"media-004\.ts", short=30000, times=1),
    # The rest of a body that broke off cannot be had.
    "longer": dict(pattern=r"media-004\.m4s", longer=10000),
    "longer-ignored": dict(
        pattern=r"media-004\.m4s", longer=10000, ranges="ignored"),
    "cut": dict(pattern=r"media-004\.m4s", cut=50000),
    "cut-ignored": dict(
        pattern=r"media-004\.m4s", cut=50000, ranges="ignored"),
    "cut-refused": dict(
        pattern=r"media-004\.m4s", cut=50000, ranges="refused"),
    "slow": dict(pattern=r"media-00[45]\.ts", bytes_per_second=150000),
    "playlist-404": dict(pattern=r"media\.m3u8", status=404),
    "playlist-500": dict(pattern=r"master\.m3u8", status=500),
}


# What hlsdemux holds back of MPEG-TS, and drops with an error, depends on where
# its buffers end: over souphttpsrc too it puts out more or less of a segment
# that fails in its middle.
def kind_of(name):
    return "fmp4" if FAULTS[name]["pattern"].endswith("m4s") else "ts"


def outcome(origin, scheme, prefix, **settings):
    final = procs.Viewer(
        origin.url("master.m3u8", scheme), "--flat-out", "--dump", prefix,
        **settings).finish(2 * procs.PATIENCE)
    return {
        "state": final.get("state"),
        "error": (final.get("error") or "").split(":")[0],
        "http-status": final.get("http-status"),
        "bytes": [len(s) for s in exact.dumps(prefix)],
        "digest": exact.digest(exact.dumps(prefix)),
    }


def origin_fault(name):
    """The same as souphttpsrc: as far, the same bytes, the same error."""
    seen = {}
    for scheme, settings in (("http", {}), ("p2phls+http", dict(
            trackers="none", **SHARED))):
        with procs.Cast() as cast, tempfile.TemporaryDirectory() as folder:
            origin = cast.add(
                origins.Origin(corpus.folder(kind_of(name), SECONDS)))
            origin.fault(**FAULTS[name])
            seen[scheme] = outcome(
                origin, scheme, os.path.join(folder, "dump"), **settings)
    print("souphttpsrc: %s %s" % (seen["http"]["state"],
                                  seen["http"]["error"]))
    for field in ("state", "error", "http-status", "bytes", "digest"):
        check(seen["p2phls+http"][field] == seen["http"][field],
              "the same %s as souphttpsrc" % field,
              "%s, wanted %s" % (seen["p2phls+http"], seen["http"]))


def origin_mends(ranges):
    """A body breaks off once, and the rest cannot be had, but the whole can.
    souphttpsrc fails there, so that hlsdemux puts out the beginning twice;
    here no byte comes twice."""
    with procs.Cast() as cast, tempfile.TemporaryDirectory() as folder:
        stage = Stage(cast, folder, kind="fmp4")
        stage.origin.fault(r"media-004\.m4s", cut=50000, times=1)
        stage.origin.fault(r"media-004\.m4s", ranges=ranges)
        stage.to_the_end(stage.viewer())


def origin_dies_shared():
    """The origin refuses what a peer has: the viewer gets it all the same,
    once a peer is connected."""
    with procs.Cast() as cast, tempfile.TemporaryDirectory() as folder:
        stage = Stage(cast, folder)
        stage.seeder()
        viewer = stage.viewer()
        procs.wait_for("bytes from the peer",
                       lambda: viewer.stat("p2p-bytes") > 0)
        stage.origin.fault(r"\.ts$", status=503)
        stage.to_the_end(viewer)


SLOWNESS = {"trickle": dict(bytes_per_second=20000), "hang": dict(hang=True)}


def origin_slow_shared(how):
    """The origin gives a quarter of what plays, or headers and then nothing, and a
    peer has it all: playback begins nevertheless, and goes on."""
    with procs.Cast() as cast, tempfile.TemporaryDirectory() as folder:
        stage = Stage(cast, folder)
        stage.seeder()
        stage.origin.fault(r"\.ts$", **SLOWNESS[how])
        final = stage.to_the_end(stage.viewer())
        check(final["stats"]["p2p-bytes"] > 5 * final["stats"]["http-bytes"],
              "nearly all of it came from the peer", final)


def udp_blocked():
    """A firewall swallows UDP: peers learn of each other and never meet."""
    os.environ["LD_PRELOAD"] = os.path.join(
        procs.BUILD, "tests", "support", "libnoudp.so")
    with procs.Cast() as cast, tempfile.TemporaryDirectory() as folder:
        stage = Stage(cast, folder)
        stage.seeder()
        final = stage.to_the_end(stage.viewer())
        check(final["stats"]["swarms"], "it knows its swarm", final)
        check(final["stats"]["p2p-bytes"] == 0, "nothing came from peers",
              final)


HABITS = ("noise", "broken-commands", "endless-command", "claims-more",
          "claims-less", "stops-half-way", "wrong-id", "empty", "absent", "silent", "announcements",
          "requests", "text")


def hostile(habit):
    """A stranger in the swarm beside an honest peer."""
    with procs.Cast() as cast, tempfile.TemporaryDirectory() as folder:
        stage = Stage(cast, folder, tracker=cast.add(procs.NpmTracker()))
        seeder = stage.seeder(protocols="v2")
        swarms = seeder.last["stats"]["swarms"]
        stranger = cast.add(procs.Hostile(
            stage.tracker.url, swarms[0]["info-hash"],
            stage.origin.url("master.m3u8", "http"), habit))
        procs.wait_for("the stranger to be connected",
                       lambda: stranger.last.get("connected", 0) > 0)
        # Fetching ahead over HTTP might have it all before anybody is met.
        viewer = stage.viewer(protocols="v2", http_window=0)
        final = stage.to_the_end(viewer)
        check(final["stats"]["p2p-bytes"] > 0,
              "the honest peer was of use all the same", final)
        check(stranger.last.get("sent", 0) > 0, "the stranger did its worst",
              stranger.last)
        check(seeder.running(), "the seeder is alive", seeder.noise[-5:])
        for who in (seeder, viewer):
            check(not any("ERROR" in line or "CRITICAL" in line
                          for line in who.noise), "no alarm",
                  who.noise[-5:])
        print("stranger: %s" % stranger.last)


TESTS = {f.__name__: f for f in (
    peer_killed, tracker_killed, tracker_absent, origin_fault,
    origin_mends, origin_dies_shared, origin_slow_shared, udp_blocked, hostile)}

if __name__ == "__main__":
    TESTS[sys.argv[1]](*sys.argv[2:])
