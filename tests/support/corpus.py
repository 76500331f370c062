# p2phlssrc: makes the test streams with ffmpeg, once for each build folder.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""corpus.folder ("variants", 60) gives the folder of a stream of that kind
and that many seconds; it always holds a master.m3u8. corpus.plain () gives a
folder of files that are no stream."""

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys

SEGMENT_SECONDS = 2
KEY = bytes(range(16))

MASTER = """#EXTM3U
#EXT-X-VERSION:7
#EXT-X-STREAM-INF:BANDWIDTH=%d,CODECS="avc1.42c00d,mp4a.40.2",RESOLUTION=320x180
media.m3u8
"""


def cache():
    build = os.environ.get("P2PHLS_BUILD")
    top = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    return os.path.join(build or os.path.join(top, "build"), "corpus")


def ffmpeg(*arguments):
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *arguments],
                   check=True)


def mezzanine(seconds, kbps):
    """An encoded source that every kind cuts without encoding again."""
    path = os.path.join(cache(), "source-%ds-%dk.mkv" % (seconds, kbps))
    if not os.path.exists(path):
        print("encoding %d s at %d kbit/s" % (seconds, kbps), file=sys.stderr)
        os.makedirs(cache(), exist_ok=True)
        # Noise fills the rate, so that segments have the size they claim.
        ffmpeg("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25,"
               "noise=alls=40:allf=t", "-f", "lavfi", "-i",
               "sine=440:sample_rate=48000", "-t", str(seconds),
               "-c:v", "libx264", "-preset", "ultrafast", "-profile:v",
               "baseline", "-pix_fmt", "yuv420p", "-g", "50", "-keyint_min",
               "50", "-sc_threshold", "0", "-b:v", "%dk" % kbps, "-maxrate",
               "%dk" % kbps, "-bufsize", "%dk" % kbps, "-c:a", "aac", "-b:a",
               "64k", "-f", "matroska", path + ".part")
        os.rename(path + ".part", path)
    return path


def cut(source, folder, *options, name="media"):
    ffmpeg("-i", source, "-c", "copy", "-f", "hls", "-hls_time",
           str(SEGMENT_SECONDS), "-hls_list_size", "0", "-hls_playlist_type",
           "vod", *options, os.path.join(folder, name + ".m3u8"))


def write(folder, name, text):
    with open(os.path.join(folder, name), "w") as file:
        file.write(text)


def segments(folder, suffix, name="media"):
    return ("-hls_segment_filename",
            os.path.join(folder, name + "-%03d" + suffix))


def make_ts(folder, seconds, kbps):
    cut(mezzanine(seconds, kbps), folder, *segments(folder, ".ts"))


def make_fmp4(folder, seconds, kbps):
    cut(mezzanine(seconds, kbps), folder, "-hls_segment_type", "fmp4",
        "-hls_fmp4_init_filename", "init.mp4", *segments(folder, ".m4s"))


def make_range_ts(folder, seconds, kbps):
    cut(mezzanine(seconds, kbps), folder, "-hls_flags", "single_file",
        "-hls_segment_filename", os.path.join(folder, "media.ts"))


def make_range_fmp4(folder, seconds, kbps):
    cut(mezzanine(seconds, kbps), folder, "-hls_segment_type", "fmp4",
        "-hls_flags", "single_file",
        "-hls_segment_filename", os.path.join(folder, "media.mp4"))


def make_aes(folder, seconds, kbps):
    with open(os.path.join(folder, "secret.key"), "wb") as key:
        key.write(KEY)
    write(folder, "info", "secret.key\n%s\n"
          % os.path.join(folder, "secret.key"))
    cut(mezzanine(seconds, kbps), folder, "-hls_key_info_file",
        os.path.join(folder, "info"), *segments(folder, ".ts"))


def make_audio(folder, seconds, kbps):
    """Video alone, and two renditions of the sound."""
    source = mezzanine(seconds, kbps)
    cut(source, folder, "-map", "0:v", *segments(folder, ".ts"))
    for name in ("english", "deutsch"):
        cut(source, folder, "-map", "0:a",
            *segments(folder, ".ts", name), name=name)
    write(folder, "master.m3u8", "#EXTM3U\n#EXT-X-VERSION:4\n" + "".join(
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="%s",DEFAULT=%s,'
        'AUTOSELECT=YES,URI="%s.m3u8"\n'
        % (name, "YES" if name == "english" else "NO", name)
        for name in ("english", "deutsch"))
        + '#EXT-X-STREAM-INF:BANDWIDTH=%d,CODECS="avc1.42c00d,mp4a.40.2",'
          'AUDIO="sound"\nmedia.m3u8\n' % (kbps * 1000 + 100000))


def make_variants(folder, seconds, kbps):
    lines = ["#EXTM3U", "#EXT-X-VERSION:3"]
    for name, rate in (("low", kbps // 4), ("middle", kbps // 2),
                       ("high", kbps)):
        os.makedirs(os.path.join(folder, name))
        cut(mezzanine(seconds, rate), os.path.join(folder, name),
            *segments(os.path.join(folder, name), ".ts"))
        lines += ["#EXT-X-STREAM-INF:BANDWIDTH=%d,CODECS="
                  '"avc1.42c00d,mp4a.40.2"' % (rate * 1000 + 100000),
                  "%s/media.m3u8" % name]
    write(folder, "master.m3u8", "\n".join(lines) + "\n")


LADDER = (1000, 2500, 5000, 8000)  # kbit/s
TS_PACKET = 188
TS_NULL = b"\x47\x1f\xff\x10" + b"\xff" * (TS_PACKET - 4)


def padded(data, size):
    """A transport stream at a constant rate: null packets, evenly between its
    own, until it has this size."""
    packets = len(data) // TS_PACKET
    more = max(0, size // TS_PACKET - packets)
    out, given = [], 0
    for number in range(packets):
        out.append(data[number * TS_PACKET:(number + 1) * TS_PACKET])
        due = more * (number + 1) // packets
        out.append(TS_NULL * (due - given))
        given = due
    return b"".join(out)


def pad(source, target, kbps):
    """A segment that has just the bytes of this rate."""
    with open(source, "rb") as file:
        data = padded(file.read(), kbps * 1000 // 8 * SEGMENT_SECONDS)
    with open(target, "wb") as file:
        file.write(data)


def make_constant(folder, seconds, kbps):
    """A cheap encoding, at a constant rate that may be high."""
    make_ts(folder, seconds, min(kbps, 600))
    for name in os.listdir(folder):
        if name.endswith(".ts"):
            pad(os.path.join(folder, name), os.path.join(folder, name), kbps)


def make_ladder(folder, seconds, kbps):
    """One encoding at four rates, which is cheap; each segment has just the
    bytes that its BANDWIDTH claims. from-5000.m3u8 names that rate first,
    with which a player then begins."""
    lowest = os.path.join(folder, "lowest")
    os.makedirs(lowest)
    cut(mezzanine(seconds, kbps), lowest, *segments(lowest, ".ts"))
    names = sorted(os.listdir(lowest))
    head, variants = "#EXTM3U\n#EXT-X-VERSION:3\n", []
    for rate in LADDER:
        os.makedirs(os.path.join(folder, str(rate)))
        for name in names:
            source = os.path.join(lowest, name)
            target = os.path.join(folder, str(rate), name)
            if name.endswith(".ts"):
                pad(source, target, rate)
            else:
                shutil.copy(source, target)
        variants.append('#EXT-X-STREAM-INF:BANDWIDTH=%d,CODECS="avc1.42c00d,'
                        'mp4a.40.2"\n%d/media.m3u8\n' % (rate * 1000, rate))
    shutil.rmtree(lowest)
    write(folder, "master.m3u8", head + "".join(variants))
    write(folder, "from-5000.m3u8", head + variants.pop(2) + "".join(variants))


MAKERS = {"ts": make_ts, "fmp4": make_fmp4, "range-ts": make_range_ts,
          "range-fmp4": make_range_fmp4, "aes": make_aes,
          "audio": make_audio, "variants": make_variants,
          "constant": make_constant, "ladder": make_ladder}


@contextlib.contextmanager
def made_once(name):
    """(folder, None), or (folder, where to make it) the first time."""
    path = os.path.join(cache(), name)
    os.makedirs(cache(), exist_ok=True)
    with open(os.path.join(cache(), "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run in parallel
        if os.path.isdir(path):
            yield path, None
            return
        part = path + ".part"
        shutil.rmtree(part, ignore_errors=True)
        os.makedirs(part)
        yield path, part
        os.rename(part, path)


def folder(kind, seconds=60, kbps=600):
    name = "%s-%ds-%dk" % (kind, seconds, kbps)
    with made_once(name) as (path, part):
        if part:
            MAKERS[kind](part, seconds, kbps)
            if not os.path.exists(os.path.join(part, "master.m3u8")):
                write(part, "master.m3u8", MASTER % (kbps * 1000 + 100000))
    return path


def plain(seconds=20, kbps=600):
    """film.mp4, film.mpd, radio.mp3, radio.ogg, still.jpg and still.png."""
    with made_once("files-%ds-%dk" % (seconds, kbps)) as (path, part):
        if part:
            source = mezzanine(seconds, kbps)
            for name, options in (
                    ("film.mp4", ("-c", "copy", "-movflags", "+faststart")),
                    ("film.mpd", ("-c", "copy", "-f", "dash", "-seg_duration",
                                  str(SEGMENT_SECONDS))),
                    ("radio.mp3", ("-vn", "-c:a", "libmp3lame", "-b:a",
                                   "128k", "-write_xing", "0",
                                   "-id3v2_version", "0")),
                    ("radio.ogg", ("-vn", "-c:a", "libvorbis", "-metadata",
                                   "title=A sine")),
                    ("still.jpg", ("-frames:v", "1")),
                    ("still.png", ("-frames:v", "1"))):
                ffmpeg("-i", source, *options, os.path.join(part, name))
    return path
