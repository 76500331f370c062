#!/usr/bin/env python3
# p2phlssrc: what it costs beside plain HTTP, measured.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Our element and souphttpsrc by turns, nobody to share with, from a server
on this machine: what is left is what the element costs. Figures are medians
of the ratios within each round.

    cost.py [--build DIR] [--json FILE] [--rounds N] [NAME…]   all, or those
    cost.py list
"""

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))

import corpus  # noqa: E402
import figures  # noqa: E402
import origin as origins  # noqa: E402
import procs  # noqa: E402
from figures import Figure  # noqa: E402

ROUNDS = 0  # 0: as each scenario has it
SEGMENTS, KBPS = 500, 2000
OURS, PLAIN = "p2phls+http", "http"
OFF = {"p2p": "false"}
QUIET = {"trackers": "none", "ice_servers": "none"}


class OwnOrigin(procs.Process):
    """p2phls-origin: a server in C, which is not what is measured."""

    def __init__(self, folder):
        super().__init__([os.path.join(procs.BUILD, "tools", "p2phls-origin"),
                          "--port", "0", folder], name="own origin")
        self.base = self.first(self.words).split("://")[-1].strip("/ ")

    def url(self, path, scheme):
        return "%s://%s/%s" % (scheme, self.base, path)


class DeafTracker:
    """Takes connections and never says a word."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = "ws://127.0.0.1:%d" % self.socket.getsockname()[1]

    def close(self):
        self.socket.close()


class Run:
    """A program from its start to its end, and what it took."""

    def __init__(self, arguments, environment):
        began = time.monotonic()
        process = subprocess.Popen(
            arguments, env=environment, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.said = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = status
        self.wall = time.monotonic() - began
        self.cpu = used.ru_utime + used.ru_stime
        self.peak = used.ru_maxrss / 1024  # MiB
        if status:
            raise RuntimeError("%s: %s" % (" ".join(arguments), self.said))

    def last(self, name):
        return json.loads(self.said.strip().splitlines()[-1])[name]


def rounds(label, default, ways):
    """Each way by turns, so that the machine's moods hit all; the first round
    warms up. A list of rounds, each a dict of results."""
    count = ROUNDS or default
    seen = []
    for number in range(count + 1):
        figures.progress("%s: round %d of %d" % (label, number, count))
        seen.append({name: run() for name, run in ways.items()})
    figures.progress("")
    return seen[1:]


def ratio(seen, ours, plain, value):
    return statistics.median(
        value(one[ours]) / value(one[plain]) for one in seen)


def viewer(url, *options, **settings):
    return Run([os.path.join(procs.BUILD, "tools", "p2phls-viewer"),
                "--flat-out", *options, url],
               procs.element_environment(**settings))


def flat():
    """A film as fast as it comes."""
    label = "%d segments" % SEGMENTS
    with procs.Cast() as cast:
        origin = cast.add(OwnOrigin(corpus.folder(
            "ts", SEGMENTS * corpus.SEGMENT_SECONDS, KBPS)))
        tracker = cast.add(procs.tracker())
        url = {scheme: origin.url("master.m3u8", scheme)
               for scheme in (OURS, PLAIN)}
        seen = rounds(label, 11, {
            "plain": lambda: viewer(url[PLAIN]),
            "off": lambda: viewer(url[OURS], **OFF),
            "on": lambda: viewer(url[OURS], trackers=tracker.url,
                                 ice_servers="none"),
        })
    return [Figure("%s, P2P %s: %s, to souphttpsrc's" % (
                label, way, what), ratio(seen, way, "plain", value), 1.05)
            for way, text in (("off", "off"), ("on", "on, no peer"))
            for what, value in (("wall", lambda run: run.last("wall-ms")),
                                ("CPU", lambda run: run.last("cpu-ms")))]


def gateway():
    """The same through playbin3's demuxer, which asks the session's gateway."""
    label = "%d segments, hlsdemux2" % SEGMENTS
    with procs.Cast() as cast:
        origin = cast.add(OwnOrigin(corpus.folder(
            "ts", SEGMENTS * corpus.SEGMENT_SECONDS, KBPS)))
        tracker = cast.add(procs.tracker())
        two = ("--demuxer", "hlsdemux2")
        seen = rounds(label, 11, {
            "plain": lambda: viewer(origin.url("master.m3u8", PLAIN), *two),
            "on": lambda: viewer(origin.url("master.m3u8", OURS), *two,
                                 trackers=tracker.url, ice_servers="none"),
        })
    return [Figure("%s: wall through the gateway, to its own HTTP's" % label,
                   ratio(seen, "on", "plain",
                         lambda run: run.last("wall-ms")), 1.15),
            Figure("%s: CPU of the process" % label,
                   ratio(seen, "on", "plain",
                         lambda run: run.last("cpu-ms")))]


def read(factory, url, **settings):
    return Run(["gst-launch-1.0", "-q", factory, "location=" + url, "!",
                "fakesink"], procs.element_environment(**settings))


def plain_file():
    """What is no stream."""
    with tempfile.TemporaryDirectory() as folder, procs.Cast() as cast:
        for name, size in (("small", 2**28), ("large", 2**31)):
            with open(os.path.join(folder, name), "wb") as file:
                file.truncate(size)
        origin = cast.add(OwnOrigin(folder))
        ways = {(factory, name): lambda f=factory, n=name: read(
                    f, origin.url(n, PLAIN), **QUIET)
                for factory in ("p2phlssrc", "souphttpsrc")
                for name in ("small", "large")}
        seen = rounds("a file of 2 GiB", 7, ways)
    ours, plain = ("p2phlssrc", "large"), ("souphttpsrc", "large")
    return [
        Figure("a file of 2 GiB: wall, to souphttpsrc's",
               ratio(seen, ours, plain, lambda run: run.wall), 1.05),
        Figure("a file of 2 GiB: CPU, to souphttpsrc's",
               ratio(seen, ours, plain, lambda run: run.cpu), 1.05),
        Figure("a file of 2 GiB: memory, to that for 256 MiB",
               ratio(seen, ours, ("p2phlssrc", "small"),
                     lambda run: run.peak), 1.05),
        Figure("a file of 2 GiB: memory, to souphttpsrc's",
               ratio(seen, ours, plain, lambda run: run.peak)),
    ]


def first_frame(url, **settings):
    return Run([os.path.join(procs.BUILD, "tests", "bench", "firstframe"),
                url], procs.element_environment(**settings))


def startup():
    """From nothing to a picture, live, with trackers that are no help."""
    with procs.Cast() as cast:
        live = cast.add(origins.Origin(corpus.folder("variants", 300),
                                       window=6))
        deaf = cast.add(DeafTracker())
        with socket.create_server(("127.0.0.1", 0)) as server:
            refuses = "ws://127.0.0.1:%d" % server.getsockname()[1]
        live.start()
        ways = {"plain": lambda: first_frame(live.url("master.m3u8", PLAIN))}
        for name, tracker in (("deaf", deaf.url), ("refuses", refuses)):
            ways[name] = lambda t=tracker: first_frame(
                live.url("master.m3u8", OURS), trackers=t, ice_servers="none")
        seen = rounds("startup", 21, ways)
    return [Figure("first decoded frame, live, tracker %s: to souphttpsrc's"
                   % name, ratio(seen, name, "plain",
                                 lambda run: run.last("first-frame-ms")), 1.05)
            for name in ("deaf", "refuses")] + [
        Figure("first decoded frame, live: souphttpsrc's", statistics.median(
            one["plain"].last("first-frame-ms") for one in seen), unit="ms")]


SCENARIOS = {"flat": flat, "file": plain_file, "startup": startup,
             "gateway": gateway}


def main():
    global ROUNDS
    parser = figures.parser(__doc__)
    parser.add_argument("--rounds", type=int, default=0, metavar="N",
                        help="instead of what each has")
    arguments = parser.parse_args()
    ROUNDS = arguments.rounds
    return figures.main(arguments, SCENARIOS)


if __name__ == "__main__":
    sys.exit(main())
