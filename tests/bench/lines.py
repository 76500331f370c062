#!/usr/bin/env python3
# p2phlssrc: a real swarm on lines with a rate and a latency, beside what the
# simulator says of the same.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Viewers are processes in namespaces of their own, each behind a line to the
backbone, where npm's tracker and the origin are. They join 2 s apart, shifted
by up to a segment as in the simulator, and play a live stream of 2 Mbit/s in
segments of 2 s for a minute after the last has joined. Simulated figures are
medians over SEEDS seeds.

    lines.py [OPTION…] [NAME…]      all, or those named; --help lists options
    lines.py list

Rates are in Mbit/s. --logs DIR keeps what each viewer says with GST_DEBUG
(p2p*:5 where that is not set), and what the origin was asked for.
"""

import argparse
import contextlib
import glob
import json
import os
import random
import re
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))

import corpus  # noqa: E402
import figures  # noqa: E402
import netns  # noqa: E402
import origin as origins  # noqa: E402
import procs  # noqa: E402
import swarm  # noqa: E402
from figures import Figure  # noqa: E402

SEEDS = 20
KBPS = 2000
PLAYLIST = "media.m3u8"
# Two packets: what a line sends at once, and its queue is not deep.
BURST = 3200
# Thinner lines leave little to spare for peers, and the simulator is too kind to
# them (docs/design/simulator.md).
WIDE = 4 * KBPS / 1000
# A demuxer that measures this leaves the variant (docs/design/pacing.md).
SLOW_MS = 0.8 * corpus.SEGMENT_SECONDS * 1000
# Above this the machine is what is measured.
BUSY_MOST = 80

DEFAULTS = {"viewers": 10, "window": 6, "down": 20, "up": 5, "thin_up": 0,
            "latency": 10, "gap": 2, "seconds": 60, "seed": 1,
            "peers": True}
GIVEN = {}  # on the command line
LOGS = None


# --- the simulator --------------------------------------------------------------

SIM_LINE = re.compile(
    r"\s*\d+\s+(?P<whole>[\d.]+)\s+(?P<joined>[\d.]+)\s+(?P<p2p>[\d.]+)%"
    r"\s+(?P<stalls>\d+)\s+[\d.]+ s\s+(?P<slow>\d+)/(?P<segments>\d+)"
    r"\s+(?P<startup>[\d.]+) s\s+(?P<worst>[\d.]+) s")


def simulate(how):
    """Medians of what p2phls-sim prints, by the names above."""
    command = [
        os.path.join(procs.BUILD, "tests", "sim", "p2phls-sim"),
        "--seeds", str(SEEDS), "--bitrate", str(KBPS)]
    for option, value in (
            ("viewers", how.viewers), ("window", how.window),
            ("seconds", how.seconds), ("gap", how.gap),
            ("uplink", how.up * 1000), ("downlink", how.down * 1000),
            ("latency", how.latency)):
        command += ["--" + option, "%g" % value]
    if how.thin_up:
        command += ["--slow-uplink", "%g" % (how.thin_up * 1000)]
    if not how.peers:
        command.append("--http-only")
    said = subprocess.run(command, stdout=subprocess.PIPE, text=True).stdout
    runs = [match.groupdict() for match in map(SIM_LINE.match,
                                               said.splitlines()) if match]
    if len(runs) != SEEDS:
        raise RuntimeError("%s\n%s" % (" ".join(command), said))
    return {name: statistics.median(float(run[name]) for run in runs)
            for name in runs[0]}


# --- the machine ------------------------------------------------------------------

class Machine:
    """What its processors do, from here on. Per cent are of all of them."""

    def __init__(self):
        self.all, self.own = self.read(), self.read_own()

    @staticmethod
    def read():
        with open("/proc/stat") as stat:
            return [int(word) for word in stat.readline().split()[1:9]]

    @staticmethod
    def read_own():
        """Of the processes here: this namespace has no others."""
        ticks = 0
        for path in glob.glob("/proc/[0-9]*/stat"):
            with contextlib.suppress(OSError), open(path) as stat:
                fields = stat.read().rsplit(")", 1)[1].split()
                ticks += int(fields[11]) + int(fields[12])
        return ticks

    def stop(self):
        spent = [now - then for now, then in zip(self.read(), self.all)]
        idle, interrupts = spent[3] + spent[4], spent[5] + spent[6]
        self.busy, self.interrupts, self.ours = (
            100 * part / sum(spent) for part in (
                sum(spent) - idle, interrupts, self.read_own() - self.own))


# --- the swarm ------------------------------------------------------------------------

def fragments(viewer):
    return [fragment for line in list(viewer.lines)
            for fragment in line["fragments"]]


def startup_s(viewer):
    """Until it has its first segment; the simulator counts the same."""
    return fragments(viewer)[0]["wall-ms"] / 1000


def slow(viewers):
    return sum(fragment["download-ms"] > SLOW_MS
               for viewer in viewers for fragment in fragments(viewer))


def media(how):
    joins = (how.viewers - 1) * how.gap + corpus.SEGMENT_SECONDS
    return corpus.folder(
        "constant", int(2 * how.window + joins + how.seconds + 30), KBPS)


class Swarm:
    """The cast of one run, and what is known of it at its end."""

    def __init__(self, cast, label, how, logs):
        self.cast, self.label, self.how, self.logs = cast, label, how, logs
        self.origin = cast.add(origins.Origin(
            media(how), window=how.window, address=netns.INTERNET))
        self.tracker = cast.add(procs.NpmTracker(address=netns.INTERNET))
        self.homes, self.viewers = [], []
        self.draw = random.Random(how.seed)

    def line(self, number):
        """Every second one may have a thin uplink."""
        up = self.how.up
        if self.how.thin_up and number % 2:
            up = self.how.thin_up
        return netns.Line(self.how.down, up, self.how.latency, BURST)

    def add_viewer(self, home):
        name = "viewer-%d" % (len(self.viewers) + 1)
        url = self.origin.url("master.m3u8",
                              "p2phls+http" if self.how.peers else "http")
        if self.logs:
            os.environ["GST_DEBUG_FILE"] = os.path.join(
                self.logs, name + ".log")
        self.viewers.append(self.cast.add(procs.Viewer(
            url, name=name, prefix=home.prefix,
            **swarm.settings(self.tracker))))

    def run(self):
        how = self.how
        self.homes = [self.cast.add(netns.Home(self.line(number)))
                      for number in range(how.viewers)]
        self.origin.start()
        began = time.monotonic()
        for number, home in enumerate(self.homes):
            figures.watch("%s, %d of %d have joined" % (
                self.label, number, how.viewers),
                began + number * how.gap + self.draw.uniform(
                    0, corpus.SEGMENT_SECONDS) - time.monotonic(),
                self.viewers)
            self.add_viewer(home)
        self.joined = time.monotonic() + corpus.SEGMENT_SECONDS
        self.machine = Machine()
        figures.watch(self.label, how.seconds, self.viewers)
        self.machine.stop()
        self.whole, self.after = swarm.live_copies(self.origin, self.joined)
        # In and out of every line.
        self.packets, self.drops = (
            sum(counts) for counts in zip(*(
                way for home in self.homes for way in home.dropped())))
        self.finals = swarm.leave(self.viewers)
        if self.logs:
            self.write_log()

    def write_log(self):
        """When what was published and asked for, in seconds of the stream."""
        times = self.origin.segment_times(PLAYLIST)
        began = self.origin.started
        with open(os.path.join(self.logs, "origin.json"), "w") as file:
            json.dump({
                "published": {uri: at - began for uri, at in times.items()},
                "asked": {path: [at - began for at in count.asked]
                          for path, count in self.origin.counts.items()},
                "bytes": {path: count.bytes
                          for path, count in self.origin.counts.items()},
                "fragments": {viewer.name: fragments(viewer)
                              for viewer in self.viewers},
                "finals": self.finals}, file, indent=1)


def compare(label, run, sim):
    viewers, machine = run.viewers, run.machine
    wanted, alike = {}, {}
    if run.how.down >= WIDE:
        alike = {"least": 0.85, "most": 1.15}
        if run.how.peers and not run.how.thin_up:
            wanted = {"most": 1.05}
    starts = [startup_s(viewer) for viewer in viewers]
    segments = sum(len(fragments(viewer)) for viewer in viewers)

    def figure(what, value, name=None, **more):
        return Figure("%s: %s" % (label, what), value,
                      simulated=sim.get(name), **more)
    return [
        figure("copies, whole run", run.whole, "whole"),
        figure("copies once all have joined", run.after, "joined", **wanted),
        figure("to the simulator's", run.after / max(0.01, sim["joined"]),
               **alike),
        figure("from peers", swarm.sharing(run.finals), "p2p", unit="%"),
        figure("stalls", swarm.stalls(run.finals), "stalls", most=0),
        figure("slow segments", slow(viewers), "slow"),
        figure("segments", segments, "segments"),
        figure("startup, median", statistics.median(starts), "startup",
               unit="s"),
        figure("startup, worst", max(starts), "worst", unit="s"),
        figure("processors busy", machine.busy, most=BUSY_MOST, unit="%"),
        figure("processors busy with this", machine.ours, unit="%"),
        figure("processors in interrupts", machine.interrupts, unit="%"),
        figure("load average", os.getloadavg()[0]),
        figure("packets lost in queues", 100 * run.drops / run.packets,
               unit="%"),
    ]


def describe(how):
    return "%d live, window %d%s%s%s" % (
        how.viewers, how.window,
        ", %g down" % how.down if how.down != DEFAULTS["down"] else "",
        ", half with %g up" % how.thin_up if how.thin_up else "",
        "" if how.peers else ", souphttpsrc")


def play(name, **preset):
    how = argparse.Namespace(**{**DEFAULTS, **preset, **GIVEN})
    logs = None
    if LOGS:
        logs = os.path.join(LOGS, name)
        os.makedirs(logs, exist_ok=True)
    sim = simulate(how)
    with procs.Cast() as cast:
        run = Swarm(cast, describe(how), how, logs)
        run.run()
    return compare(run.label, run, sim)


def ten():
    return play("ten")


def window4():
    return play("window4", window=4)


def thin():
    return play("thin", thin_up=1)


def narrow():
    """A demuxer that can choose would stay with this stream there."""
    return play("narrow", down=2.5)


def alone():
    """What lines like these give to souphttpsrc."""
    return play("alone", peers=False)


SCENARIOS = {f.__name__: f for f in (ten, window4, thin, narrow, alone)}


OPTIONS = (
    ("viewers", int, "how many join"), ("window", int, "segments listed"),
    ("down", float, "rate of each line"), ("up", float, "the other way"),
    ("thin-up", float, "the same, of every second one; 0: no other"),
    ("latency", float, "one way to the backbone, in ms"),
    ("gap", float, "seconds between joins"),
    ("seconds", int, "after the last has joined"),
    ("seed", int, "of the moments they join at"))


def main():
    global LOGS
    parser = figures.parser(__doc__)
    for name, kind, text in OPTIONS:
        parser.add_argument("--" + name, type=kind, metavar="N", help=(
            "%s (%s)" % (text, DEFAULTS[name.replace("-", "_")])))
    parser.add_argument("--logs", metavar="DIR", help="keep logs there")
    arguments = parser.parse_args()
    if arguments.names != ["list"]:
        netns.enter(meet=True)
    GIVEN.update({name: value for name, value in vars(arguments).items()
                  if name in DEFAULTS and value is not None})
    if arguments.logs:
        LOGS = os.path.abspath(arguments.logs)
        os.environ.setdefault("GST_DEBUG", "p2p*:5")
    return figures.main(arguments, SCENARIOS)


if __name__ == "__main__":
    sys.exit(main())
