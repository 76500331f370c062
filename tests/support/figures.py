# p2phlssrc: what a benchmark prints.
# SPDX-License-Identifier: LGPL-2.1-or-later

import argparse
import json
import os
import sys
import time

import procs


class Figure:
    """One line of the table. simulated: what the simulator says of it."""

    def __init__(self, name, measured, most=None, least=None, unit="",
                 simulated=None):
        self.name, self.measured, self.unit = name, measured, unit
        self.most, self.least = most, least
        self.simulated = simulated

    @property
    def wanted(self):
        if self.most is not None and self.least is not None:
            return "%.2f-%.2f" % (self.least, self.most)
        if self.most is not None:
            return "<= %g" % self.most
        return ">= %g" % self.least if self.least is not None else "report"

    @property
    def met(self):
        return (self.most is None or self.measured <= self.most + 1e-9) and \
            (self.least is None or self.measured >= self.least - 1e-9)


def progress(text):
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K%s" % text)
        sys.stderr.flush()
    elif text:
        print(text, file=sys.stderr, flush=True)


def watch(label, seconds, viewers=()):
    """Lets a swarm run, and says how it is doing."""
    end = time.monotonic() + seconds
    said = 0
    while time.monotonic() < end:
        gone = [v for v in viewers if not v.running()]
        if gone:
            raise RuntimeError("%s has left: %s %s" % (
                gone[0].name, gone[0].last.get("error"),
                "\n".join(gone[0].noise[-5:])))
        if time.monotonic() - said > (1 if sys.stderr.isatty() else 15):
            said = time.monotonic()
            progress("%s: %3d s to go, stalls %d, peers %s" % (
                label, end - said, sum(v.last.get("stalls", 0)
                                       for v in viewers),
                " ".join(str(v.stat("peers")) for v in viewers)))
        time.sleep(0.2)
    progress("")


def table(figures):
    width = max(len(f.name) for f in figures)
    both = any(f.simulated is not None for f in figures)
    print("%-*s  %10s  %12s%s" % (width, "figure", "wanted", "measured",
                                  "    simulated" if both else ""))
    for f in figures:
        beside = "" if f.simulated is None else "%8.2f" % f.simulated
        print("%-*s  %10s  %8.2f %-6s%s%s" % (
            width, f.name, f.wanted, f.measured, f.unit,
            " %-9s" % beside if both else "", "" if f.met else " MISSED"))
    sys.stdout.flush()


def measure(scenarios, names):
    figures = []
    for name in names:
        mine = scenarios[name]()
        figures += mine
        table(mine)
    if len(names) != 1:
        print()
        table(figures)
    return figures


def write(figures, path):
    with open(path, "w") as file:
        json.dump([{"name": f.name, "wanted": f.wanted, "unit": f.unit,
                    "measured": f.measured, "simulated": f.simulated,
                    "met": f.met}
                   for f in figures], file, indent=1)


def parser(text):
    """With what every benchmark takes."""
    made = argparse.ArgumentParser(description=text.split("\n")[0])
    made.add_argument("names", nargs="*", metavar="NAME")
    made.add_argument("--build", help="the build folder")
    made.add_argument("--json", help="write the figures here, too")
    return made


def main(arguments, scenarios):
    """The exit status; 1 when a figure is missed."""
    if arguments.names == ["list"]:
        print("\n".join(scenarios))
        return 0
    unknown = [n for n in arguments.names if n not in scenarios]
    if unknown:
        print("no such benchmark: %s" % ", ".join(unknown), file=sys.stderr)
        return 2
    if arguments.build:
        procs.BUILD = os.path.abspath(arguments.build)
        os.environ["P2PHLS_BUILD"] = procs.BUILD
    figures = measure(scenarios, arguments.names or list(scenarios))
    if arguments.json:
        write(figures, arguments.json)
    return 0 if all(f.met for f in figures) else 1
