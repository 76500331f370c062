#!/usr/bin/env python3
# p2phlssrc: what the simulator prints and writes can be relied on.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""program.py SIMULATOR   short runs of it."""

import csv
import errno
import os
import re
import shlex
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

SIMULATOR = sys.argv.pop()
SVG = "{http://www.w3.org/2000/svg}"


def run(*arguments):
    """(exit status, what it printed)"""
    done = subprocess.run([SIMULATOR, *arguments], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


class Failures(unittest.TestCase):
    """Nobody copies more than nothing, so this fails."""

    WANTED = ("--viewers", "3", "--seconds=20", "--most-copies", "0.1")

    def test_replay(self):
        status, text = run("--fresh", "--seeds", "2", "--csv", "/dev/null",
                           *self.WANTED)
        self.assertEqual(status, 1, text)
        failures = re.findall(r"^seed (\d+) of (\S.*) FAILED: (.*)", text,
                              re.MULTILINE)
        replays = re.findall(r"^replay: (.*)", text, re.MULTILINE)
        self.assertEqual((2, 2), (len(failures), len(replays)), text)
        for (seed, _, what), line in zip(failures, replays):
            self.assertIn("--seed " + seed, line)
            status, again = run(*shlex.split(line)[1:])
            self.assertEqual(status, 1, again)
            self.assertEqual(
                re.findall(r"^seed (\d+) .* FAILED: (.*)", again,
                           re.MULTILINE), [(seed, what)])

    def test_what_is_written_into_stays(self):
        with tempfile.TemporaryDirectory() as folder:
            there, other = (os.path.join(folder, name) for name in "ab")
            os.symlink(os.devnull, there)
            status, text = run("--viewers", "2", "--seconds", "10",
                               "--csv", there, "--svg", other)
            self.assertEqual(status, 0, text)
            self.assertTrue(os.path.islink(there))
            self.assertGreater(os.path.getsize(other), 0)
            status, text = run("--viewers", "2", "--seconds", "10",
                               "--csv", os.path.join(folder, "no", "where"))
            self.assertEqual(status, 2, text)
            self.assertIn(os.strerror(errno.ENOENT), text)

    def test_scenario_that_misses(self):
        status, text = run("--scenario", "netns10", "--seconds", "20",
                           "--http-only")
        self.assertEqual(status, 1, text)
        self.assertRegex(text, r"copies once all have joined .* MISS")
        self.assertRegex(text, r"stalls .* ok")

    def test_names(self):
        for option in ("--scenario", "--faults"):
            status, text = run(option, "list")
            self.assertEqual(status, 0, text)
            self.assertGreater(len(text.splitlines()), 5)
            status, text = run(option, "nothing-like-it")
            self.assertEqual(status, 2, text)


class Connections(unittest.TestCase):
    def figures(self, *arguments):
        status, text = run("--viewers", "10", "--seconds", "30", *arguments)
        self.assertEqual(status, 0, text)
        words = text.splitlines()[1].split()
        return float(words[3].rstrip("%")), float(words[-1])

    def test_where_no_pair_can_connect(self):
        self.assertEqual(self.figures("--unreachable", "1"), (0, 0))

    def test_few_are_looked_for(self):
        share, peers = self.figures("--max-peers", "2")
        self.assertGreater(share, 0)
        self.assertTrue(1 <= peers <= 3, peers)


class Liars(unittest.TestCase):
    def test_wrong_bytes_arrive_and_are_expected(self):
        status, text = run("--small", "--seeds", "20", "--faults",
                           "liar-bytes", "--fault-rate", "0.5")
        self.assertEqual(status, 0, text)
        self.assertIn(" spoiled", text)

    def test_honest_bytes(self):
        status, text = run("--small", "--seeds", "20", "--faults",
                           "liar-absent,liar-mute", "--fault-rate", "0.5")
        self.assertEqual(status, 0, text)
        self.assertNotIn(" spoiled", text)


class Files(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        table = os.path.join(cls.folder.name, "run.csv")
        picture = os.path.join(cls.folder.name, "run.svg")
        subprocess.run(
            [SIMULATOR, "--viewers", "5", "--seconds", "30", "--seeds", "2",
             "--csv", table, "--svg", picture],
            check=True, stdout=subprocess.DEVNULL)
        with open(table, encoding="utf-8") as file:
            cls.rows = list(csv.DictReader(file))
        cls.picture = ElementTree.parse(picture).getroot()

    def test_one_line_for_two_seconds_of_each_seed(self):
        for seed in ("1", "2"):
            seconds = [float(row["seconds"]) for row in self.rows
                       if row["seed"] == seed]
            self.assertEqual(
                seconds, [2.0 * (n + 1) for n in range(len(seconds))])
            self.assertGreaterEqual(len(seconds), 15 + 4)

    def test_figures_make_sense(self):
        last = [row for row in self.rows if row["seed"] == "1"][-1]
        self.assertEqual(last["viewers"], "5")
        self.assertEqual(last["stalls"], "0")
        for row in self.rows:
            self.assertLessEqual(float(row["copies"] or 0), 5.01)
            self.assertTrue(0 <= float(row["p2p_share"] or 0) <= 1)
        self.assertGreater(max(float(r["origin_bps"]) for r in self.rows), 1e6)
        self.assertGreater(max(float(r["uplink_bps"]) for r in self.rows), 1e5)

    def test_one_point_for_each_line(self):
        lines = self.picture.findall(SVG + "polyline")
        points = [len(line.get("points").split()) for line in lines]
        rows = sum(row["seed"] == "1" for row in self.rows)
        self.assertEqual(len(points), 6)
        self.assertEqual(points[0], rows)

    def test_inside_the_picture(self):
        _, _, width, height = map(float, self.picture.get("viewBox").split())
        for line in self.picture.findall(SVG + "polyline"):
            for point in line.get("points").split():
                x, y = map(float, point.split(","))
                self.assertTrue(0 <= x <= width and 0 <= y <= height, point)


if __name__ == "__main__":
    unittest.main()
