#!/usr/bin/env python3
# p2phlssrc: data channels to other makers' ends, both roles, both ways.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""channels.py [--bytes N] [--message N] [PAIR…]   PAIR is offerer,answerer

Every byte is looked at by its receiver; both directions are in use at once.
"""

import argparse
import os
import sys

sys.path.insert(
    0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..",
                    "support"))

import channels  # noqa: E402

PAIRS = [
    "native,native", "native,node", "node,native", "native,chromium",
    "chromium,native", "native,chromium-mdns", "chromium-mdns,native"]


def run(name, options):
    offerer, answerer = name.split(",")
    with channels.Pair(offerer, answerer, there=options.bytes,
                       back=options.bytes, message=options.message) as pair:
        seconds, _, there, back = pair.transfer(options.patience)
    good = all(
        one["received"] == options.bytes and not one["bad"]
        for one in (there, back))
    print("%s %s: %.0f Mbit/s there, %.0f Mbit/s back%s" % (
        "ok" if good else "FAIL", name,
        options.bytes * 8e-6 / there["seconds"],
        options.bytes * 8e-6 / back["seconds"],
        "" if good else ": %s %s" % (there, back)), flush=True)
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bytes", type=int, default=20000000)
    parser.add_argument("--message", type=int, default=65535)
    parser.add_argument("--patience", type=float, default=300)
    parser.add_argument("pairs", nargs="*", default=PAIRS)
    options = parser.parse_args()
    bad = 0
    for name in options.pairs:
        try:
            bad += not run(name, options)
        except (RuntimeError, TimeoutError) as error:
            print("FAIL %s: %s" % (name, error), flush=True)
            bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
