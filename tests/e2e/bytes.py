#!/usr/bin/env python3
# p2phlssrc: what the demuxer puts out equals what it puts out over
# souphttpsrc, byte for byte.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""bytes.py http KIND      from HTTP alone, flat out, against souphttpsrc
   bytes.py peer KIND [PROTOCOLS]
                           with a peer that holds everything
   bytes.py mixed KIND     with a peer so slow that HTTP takes over within
                           a segment
   bytes.py live KIND      live, two viewers
   bytes.py switch         the variant changes on the way
   bytes.py network_path   URIs that name a host, but no scheme

With --demuxer NAME before the rest: another demuxer than hlsdemux, both over
our element and over souphttpsrc."""

import glob
import hashlib
import os
import re
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))

import corpus  # noqa: E402
import origin as origins  # noqa: E402
import procs  # noqa: E402
from check import check  # noqa: E402

SECONDS = 20
SHARED = {"ice_servers": "none"}
DEMUXER = "hlsdemux"
PARAMETERS = 200  # bytes of parameter sets: more than there are
REST = 12  # seconds: longer than a stall for one of the stream's segments


def watch(url, *options, **more):
    return procs.Viewer(url, "--demuxer", DEMUXER, *options, **more)


def dumps(prefix):
    """The bytes of each of the demuxer's pads, in order of appearance.

    Alternate streams have threads of their own, so their pads may appear in
    either order; sorting by content makes runs comparable."""
    paths = glob.glob(glob.escape(prefix) + "-*")
    return [open(path, "rb").read() for path in sorted(
        paths, key=lambda path: int(path.rsplit("-", 1)[1]))]


def digest(streams):
    return sorted((len(s), hashlib.sha256(s).hexdigest()) for s in streams)


def reference(origin, folder):
    prefix = os.path.join(folder, "soup")
    final = watch(origin.url("master.m3u8", "http"), "--flat-out",
                         "--dump", prefix, name="souphttpsrc").finish()
    check(final.get("state") == "ended", "souphttpsrc plays it", final)
    return digest(dumps(prefix))


def ended(viewer):
    def look():
        if not viewer.running() and viewer.last.get("state") != "ended":
            raise RuntimeError("%s has left: %s %s" % (
                viewer.name, viewer.last, viewer.noise[-5:]))
        return viewer.last.get("state") == "ended"
    return look


def at_rest(viewer):
    """hlsdemux2 of GStreamer 1.26 does not end with a live stream, over
    souphttpsrc neither: it waits for more, and nothing comes."""
    has_ended, seen = ended(viewer), [0, 0.0]

    def look():
        if viewer.played_ms() != seen[0]:
            seen[:] = viewer.played_ms(), time.monotonic()
        return has_ended() or seen[0] and time.monotonic() - seen[1] > REST
    return look


def end_of(part, whole):
    """Where the part ends in the whole, -1: it is no part of it. A parser in
    the demuxer repeats what the whole begins with, parameter sets, before a
    part from its middle."""
    at = whole.find(part)
    if at < 0:
        repeated = os.path.commonprefix([part[:PARAMETERS], whole])
        part = part[len(repeated):]
        at = whole.find(part) if part else -1
    return at + len(part) if at >= 0 else -1


def compare(wanted, prefix, final):
    check(final.get("state") == "ended", "it plays to the end", final)
    got = digest(dumps(prefix))
    check(got == wanted, "the demuxer's output is souphttpsrc's",
          "wanted %s, got %s" % (wanted, got))
    check(final["stats"]["registry-misses"] == 0, "no registry miss", final)


def http(kind):
    with procs.Cast() as cast, tempfile.TemporaryDirectory() as folder:
        origin = cast.add(origins.Origin(corpus.folder(kind, SECONDS)))
        wanted = reference(origin, folder)
        prefix = os.path.join(folder, "p2phls")
        viewer = cast.add(watch(
            origin.url("master.m3u8"), "--flat-out", "--dump", prefix,
            trackers="none", **SHARED))
        compare(wanted, prefix, viewer.finish())
        check(viewer.stat("p2p-bytes") == 0, "nobody else was there",
              viewer.last)


def network_path():
    """URIs that begin with two slashes, which hlsdemux takes for a path."""
    with procs.Cast() as cast, tempfile.TemporaryDirectory() as folder:
        origin = cast.add(origins.Origin(corpus.folder("ts", SECONDS)))
        origin.base = "//"
        wanted = reference(origin, folder)
        prefix = os.path.join(folder, "p2phls")
        viewer = cast.add(watch(
            origin.url("master.m3u8"), "--flat-out", "--dump", prefix,
            trackers="none", **SHARED))
        compare(wanted, prefix, viewer.finish())
        check(viewer.stat("http-segments") > 0, "they are shared",
              viewer.last)


def with_seeder(kind, share, protocols="v3+v2", allowed_stalls=0, **seeder):
    """One viewer has everything; a second plays at its own pace."""
    shared = dict(SHARED, protocols=protocols)
    with procs.Cast() as cast, tempfile.TemporaryDirectory() as folder:
        origin = cast.add(origins.Origin(corpus.folder(kind, SECONDS)))
        wanted = reference(origin, folder)
        tracker = cast.add(procs.tracker())
        first = cast.add(watch(
            origin.url("master.m3u8"), "--flat-out", "--linger",
            name="seeder", trackers=tracker.url, **shared, **seeder))
        procs.wait_for("the seeder to have everything", ended(first))
        origin.reset()
        prefix = os.path.join(folder, "p2phls")
        second = cast.add(watch(
            origin.url("master.m3u8"), "--dump", prefix, "--linger",
            trackers=tracker.url, **shared))
        procs.wait_for("the second to end", ended(second),
                       SECONDS + procs.PATIENCE)
        compare(wanted, prefix, second.stop())
        first.stop()
        check(second.stat("p2p-bytes") > 0, "bytes came from the peer",
              second.last)
        check(first.stat("upload-bytes") > 0, "the peer knows it gave them",
              first.last)
        check(second.last["stalls"] <= allowed_stalls, "no stall", second.last)
        share(origin, second)


def peer(kind, protocols="v3+v2"):
    def mostly(origin, viewer):
        check(viewer.stat("p2p-segments") > viewer.stat("http-segments"),
              "most segments came from the peer", viewer.last)
    with_seeder(kind, mostly, protocols)


def mixed(kind):
    def within(origin, viewer):
        check(any(count.resumed for count in origin.counts.values()),
              "HTTP went on in the middle of a segment", viewer.last)
    # A 2 s segment of 600 kbit/s takes this peer 6 s.
    with_seeder(kind, within, max_upload_bitrate=200000)


def follows(data, segments, start=None):
    """Is data the segments from some index on, each once, in order? Gives
    the indices. segments: one list of alternatives for each index."""
    for first in range(len(segments)) if start is None else [start]:
        at, index = 0, first
        while index < len(segments):
            match = next((s for s in segments[index]
                          if data.startswith(s, at)), None)
            if match is None:
                break
            at, index = at + len(match), index + 1
        if at == len(data) and at:
            return range(first, index)
    return None


def files(folder, names):
    return [open(os.path.join(folder, name), "rb").read() for name in names]


def live(kind):
    """What comes of a live stream is a part of what comes of it afterwards
    over souphttpsrc: without a gap, nothing twice."""
    window, length = 6, 24
    media = corpus.folder(kind, length)
    with procs.Cast() as cast, tempfile.TemporaryDirectory() as folder:
        after = cast.add(origins.Origin(media))
        reference(after, folder)
        wholes = dumps(os.path.join(folder, "soup"))
        header = files(media, ["init.mp4"])[0] if kind == "fmp4" else b""
        if not wholes[0].startswith(header):
            header = b""  # this demuxer gives what is inside

        origin = cast.add(origins.Origin(media, window=window))
        tracker = cast.add(procs.tracker())
        names = ("plain", "one", "two")
        origin.start()
        viewers = [cast.add(watch(
            origin.url("master.m3u8", "http" if name == "plain"
                       else "p2phls+http"),
            "--dump", os.path.join(folder, name), "--linger", name=name,
            trackers=tracker.url, **SHARED)) for name in names]
        for viewer in viewers:
            procs.wait_for("%s to end" % viewer.name, at_rest(viewer),
                           length + procs.PATIENCE)
        ends = {}
        for viewer in viewers:
            final = viewer.stop()
            ends[viewer.name] = 0
            for data in dumps(os.path.join(folder, viewer.name)):
                check(data.startswith(header), "%s: the init segment comes "
                      "first" % viewer.name, final)
                body = data[len(header):]
                end = max(end_of(body, whole) for whole in wholes)
                check(body and end >= 0, "%s: all, once, in order"
                      % viewer.name, "%d bytes, %s" % (len(body), final))
                ends[viewer.name] += end
            check(final["stalls"] == 0, "no stall", final)
        for viewer in viewers[1:]:
            # hlsdemux leaves when it sees the end of a live stream, without
            # its last segment; that is its affair.
            check(ends[viewer.name] >= ends["plain"],
                  "%s: as far as souphttpsrc" % viewer.name, ends)
            check(viewer.last["stats"]["registry-misses"] == 0,
                  "no registry miss", viewer.last)
        check(sum(v.stat("p2p-bytes") for v in viewers) > 0,
              "they shared", [v.last for v in viewers])


def switch():
    media = corpus.folder("variants", 30)
    variants = ("low", "middle", "high")
    with procs.Cast() as cast, tempfile.TemporaryDirectory() as folder:
        origin = cast.add(origins.Origin(media))
        count = len(origin.playlist("low/media.m3u8").uris)
        segments = [files(media, ["%s/media-%03d.ts" % (v, index)
                                  for v in variants])
                    for index in range(count)]
        # 40 kB/s carries the lowest variant and no other; then all.
        slow = origin.fault(r"00[0-3]\.ts$", bytes_per_second=40000)
        prefix = os.path.join(folder, "p2phls")
        viewer = cast.add(watch(
            origin.url("master.m3u8"), "--dump", prefix, trackers="none",
            **SHARED))
        final = viewer.finish(30 + procs.PATIENCE)
        check(final.get("state") == "ended", "it plays to the end", final)
        seen = follows(b"".join(dumps(prefix)), segments, 0)
        check(seen is not None and len(seen) == count,
              "each segment once, in order, of whatever variant",
              "%s %s" % (seen, final))
        used = {v for v in variants for path in origin.counts
                if re.match(r"%s/.*\.ts" % v, path)}
        check(len(used) > 1, "the variant did change", (used, slow.times))


MODES = {f.__name__: f for f in (
    http, network_path, peer, mixed, live, switch)}

if __name__ == "__main__":
    if sys.argv[1] == "--demuxer":
        DEMUXER = sys.argv[2]
        del sys.argv[1:3]
    MODES[sys.argv[1]](*sys.argv[2:])
