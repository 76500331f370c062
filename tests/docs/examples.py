#!/usr/bin/env python3
# p2phlssrc: the examples of the documentation play, and say what they should.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""examples.py PLUGINS PROGRAM ARGUMENT…

A second viewer has the whole stream; PROGRAM, given its URL, plays it to the
end with the GStreamer plugins in PLUGINS: without a screen, at its own pace."""

import glob
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))

import corpus  # noqa: E402
import origin as origins  # noqa: E402
import procs  # noqa: E402
from check import check  # noqa: E402

SECONDS = 12
REFERENCE = os.path.join(procs.TOP, "docs", "reference.md")
LINE = re.compile(r"(now|in the end): origin (\d+) kB, peers (\d+) kB, "
                  r"given (\d+) kB, connected (\d+)$")


def fields(value):
    """The names of all fields of the statistics, as deep as they go."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from fields(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from fields(inner)


def play(origin, tracker, plugins, command):
    environment = procs.element_environment(
        trackers=tracker.url, ice_servers="none")
    environment["GST_PLUGIN_SYSTEM_PATH_1_0"] = plugins
    environment["GST_REGISTRY_1_0"] = os.path.join(plugins, "registry.bin")
    example = procs.Process(
        [*command, origin.url("master.m3u8")], environment, "example")
    example.finish()
    return example


def judge(example, total_kb):
    matches = [LINE.match(word) for word in example.words]
    check(all(matches) and matches, "every line is a line of figures",
          example.words + example.noise)
    check([match[1] for match in matches]
          == ["now"] * (len(matches) - 1) + ["in the end"] and len(matches) > 1,
          "messages, and the property in the end", example.words)
    origin, peers = int(matches[-1][2]), int(matches[-1][3])
    check(abs(origin + peers - total_kb) <= 1, "that is the whole stream",
          "%d kB of %d" % (origin + peers, total_kb))
    check(peers > 0, "the other viewer gave some", example.words)
    check(example.process.returncode == 0, "it ends well", example.noise)


def main(plugins, *command):
    media = corpus.folder("ts", SECONDS)
    total = sum(map(os.path.getsize, glob.glob(os.path.join(media, "*.ts"))))
    with procs.Cast() as cast:
        origin = cast.add(origins.Origin(media))
        tracker = cast.add(procs.tracker())
        seeder = cast.add(procs.Viewer(
            origin.url("master.m3u8"), "--flat-out", "--linger",
            name="seeder", trackers=tracker.url, ice_servers="none"))
        procs.wait_for("the seeder to have everything",
                       lambda: seeder.stat("http-bytes") == total)
        judge(play(origin, tracker, plugins, command), round(total / 1000))
        seen = set()
        for line in seeder.lines:
            seen.update(fields(line.get("stats", {})))
    check("rtt-us" in seen, "the seeder saw its peer", seen)
    with open(REFERENCE, encoding="utf-8") as file:
        told = file.read()
    check(all("`%s` (" % name in told for name in seen),
          "the reference names every field", seen)


if __name__ == "__main__":
    main(*sys.argv[1:])
