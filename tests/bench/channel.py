#!/usr/bin/env python3
# p2phlssrc: one data channel, measured against others' on this machine.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""channel.py [--bytes N] [--rounds N] [--json FILE] [native] [chromium]

native: two of our processes against two of node-datachannel's, in turns;
throughput and CPU seconds (both processes) per GB, medians. chromium: native
to Chromium and back, every byte looked at. Figures that miss what is wanted
make the exit status 1.
"""

import argparse
import json
import os
import statistics
import sys

sys.path.insert(
    0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..",
                    "support"))

import channels  # noqa: E402

PATIENCE = 1200  # seconds for one transfer
THROUGHPUT_RATIO = 1.3
CPU_RATIO = 0.8


def measure(kind, options):
    with channels.Pair(kind, kind, there=options.bytes, message=65536,
                       plain=True) as pair:
        seconds, cpu, _, _ = pair.transfer(PATIENCE)
    result = {"mbps": options.bytes * 8e-6 / seconds,
              "cpu_s_per_gb": cpu / (options.bytes * 1e-9)}
    print("  %-8s %7.0f Mbit/s  %6.2f CPU s/GB" % (
        kind, result["mbps"], result["cpu_s_per_gb"]), flush=True)
    return result


def against_node(options):
    print("one channel, 64 KiB messages, %d rounds of %d MB" % (
        options.rounds, options.bytes / 1e6), flush=True)
    rounds = {"native": [], "node": []}
    for _ in range(options.rounds):
        for kind, results in rounds.items():
            results.append(measure(kind, options))
    median = {
        (kind, name): statistics.median(one[name] for one in results)
        for kind, results in rounds.items() for name in results[0]}
    ratio = {
        name: median["native", name] / median["node", name]
        for name in ("mbps", "cpu_s_per_gb")}
    met = ratio["mbps"] >= THROUGHPUT_RATIO and \
        ratio["cpu_s_per_gb"] <= CPU_RATIO
    print("%s throughput %.2f of node-datachannel's (wanted >= %.2f), "
          "CPU %.2f (wanted <= %.2f)" % (
              "ok" if met else "MISSED", ratio["mbps"], THROUGHPUT_RATIO,
              ratio["cpu_s_per_gb"], CPU_RATIO), flush=True)
    return met, {"rounds": rounds, "ratio": ratio}


def with_chromium(options):
    good, results = True, {}
    for offerer, answerer in (("native", "chromium"), ("chromium", "native")):
        name = "%s to %s" % (offerer, answerer)
        with channels.Pair(offerer, answerer, there=options.bytes) as pair:
            _, _, there, _ = pair.transfer(PATIENCE)
        good = good and there["received"] == options.bytes \
            and not there["bad"]
        results[name] = options.bytes * 8e-6 / there["seconds"]
        print("%s %s: %d bytes, %.0f Mbit/s, %d bad messages" % (
            "ok" if not there["bad"] else "FAIL", name, there["received"],
            results[name], there["bad"]), flush=True)
    return good, results


BENCHES = {"native": against_node, "chromium": with_chromium}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bytes", type=int, default=1000000000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json")
    parser.add_argument("benches", nargs="*", default=list(BENCHES))
    options = parser.parse_args()
    met, results = True, {}
    for name in options.benches:
        good, results[name] = BENCHES[name](options)
        met = met and good
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=2)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
