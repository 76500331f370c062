#!/usr/bin/env python3
# p2phlssrc: fuzz seeds, made from the golden vectors.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""seeds.py VECTORS OUT STAMP   writes OUT/<target>/<number>, then STAMP."""

import json
import os
import struct
import sys


def load(vectors, name):
    with open(os.path.join(vectors, name), encoding="utf-8") as file:
        return json.load(file)


def hls_cases(vectors):
    cases = load(vectors, "manifests_v3.json")["cases"]
    cases += load(vectors, "manifests_v2_hlsjs.json")["cases"]
    return [case for case in cases if case.get("protocol", "hls") == "hls"]


def m3u8(vectors):
    for case in hls_cases(vectors):
        yield case["manifest"].encode()


def framed(frames):
    frames = [bytes.fromhex(frame) for frame in frames]
    return b"".join(struct.pack(">H", len(frame)) + frame for frame in frames)


def peermsg(vectors):
    commands = load(vectors, "commands.json")
    for section in "commands", "chunking", "chunk_sequences":
        for case in commands[section]:
            yield framed(case["frames"])
    for case in commands["hostile"]:
        yield framed([case["hex"]])
    # An announcement among native peers: l, p, a and k.
    ids = "100101%02x%02x"
    yield framed(["6373747200" + "".join(
        "%02x" % ord(name) + ids % (1, value)
        for name, value in zip("lpak", (5, 6, 6, 7))) + "63656e64"])


def trackermsg(vectors):
    for message in load(vectors, "signalling_231.json")["messages"]:
        yield json.dumps(message["msg"]).encode()
        yield json.dumps(message["msg"], ensure_ascii=False).encode()
    yield b'{"failure reason":"no","warning message":"w","tracker id":"t"}'


def descriptions(value):
    """Every SDP in the vectors, however deep."""
    if isinstance(value, str):
        if value.startswith("v=0"):
            yield value.encode()
    elif isinstance(value, dict):
        for member in value.values():
            yield from descriptions(member)


def sdp(vectors):
    yield from descriptions(load(vectors, "sdp.json"))


def dcep(_):
    yield b"\x02"
    for label, protocol in ((b"", b""), (b"webtorrent", b""), (b"a", b"b")):
        yield struct.pack(">BBHIHH", 3, 0, 0, 0, len(label),
                          len(protocol)) + label + protocol


def record(url, text):
    return ("P%s\n%s\0" % (url, text)).encode()


def live(first, count):
    lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:2",
             "#EXT-X-MEDIA-SEQUENCE:%d" % first]
    for number in range(first, first + count):
        lines += ["#EXTINF:2,", "s%d.ts?t=%d" % (number, first)]
    return "\n".join(lines) + "\n"


def registry(vectors):
    for case in hls_cases(vectors):
        yield record(case["url"], case["manifest"])
    url = "https://c/live/i.m3u8"
    slide = b"".join(record(url, live(first, 6)) for first in (5, 6, 9, 30, 0))
    yield slide + b"https://c/live/../live/s3.ts?CMCD=1&t=0\0"
    yield record(url + " https://d/x/i.m3u8", live(5, 3)) + slide
    yield record(url, live(5, 6)) + record(
        url, live(9, 2).replace("#EXTINF", "#EXT-X-SKIP:SKIPPED-SEGMENTS=2\n"
                                "#EXTINF", 1).replace(":9", ":7", 1))


def main(arguments):
    vectors, out, stamp = arguments[1:]
    for target in (m3u8, peermsg, trackermsg, registry, sdp, dcep):
        folder = os.path.join(out, target.__name__)
        os.makedirs(folder, exist_ok=True)
        for number, seed in enumerate(target(vectors)):
            with open(os.path.join(folder, "%03d" % number), "wb") as file:
                file.write(seed)
    with open(stamp, "w", encoding="utf-8"):
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
