#!/usr/bin/env python3
# p2phlssrc: viewers find a way to each other that is not the direct one over
# IPv4.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""paths.py NAME; the functions at the bottom are the names.

Viewers are in network namespaces that are homes of their own. Pairs play at
the same time, and each has a swarm of its own."""

import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
sys.path.insert(0, HERE)

import bytes as exact  # noqa: E402
import corpus  # noqa: E402
import netns  # noqa: E402
import origin as origins  # noqa: E402
import procs  # noqa: E402
from check import check  # noqa: E402

SECONDS = 10
LINE = 50  # Mbit/s
COUNT = """
table inet count {
  counter relayed {}
  chain in {
    type filter hook input priority filter
    meta l4proto { tcp, udp } th dport %d counter name relayed
  }
  chain out {
    type filter hook output priority filter
    meta l4proto { tcp, udp } th sport %d counter name relayed
  }
}
""" % (procs.Coturn.PORT, procs.Coturn.PORT)


class Pair:
    """One has everything, the other plays. Whether these servers are what
    makes them share is looked at in the end."""

    def __init__(self, cast, folder, homes, address, tracker, name, servers,
                 shares):
        self.name, self.shares = name, shares
        self.cast, self.homes = cast, homes
        self.origin = cast.add(origins.Origin(
            corpus.folder("ts", SECONDS), address=address))
        self.settings = {"trackers": tracker.url, "ice_servers": servers}
        self.prefix = os.path.join(folder, name)
        os.mkdir(self.prefix)
        self.wanted = exact.reference(self.origin, self.prefix)
        self.seeder = self.add_viewer(homes[0], "seeder", "--flat-out")

    def add_viewer(self, home, name, *options):
        return self.cast.add(procs.Viewer(
            self.origin.url("master.m3u8"), "--linger", *options,
            name="%s %s" % (self.name, name), prefix=home.prefix,
            **self.settings))

    def play(self):
        procs.wait_for("the seeder to have everything",
                       exact.ended(self.seeder))
        self.viewer = self.add_viewer(
            self.homes[1], "viewer", "--dump",
            os.path.join(self.prefix, "p2phls"))

    def look(self):
        procs.wait_for("the viewer to end", exact.ended(self.viewer))
        final = self.viewer.stop()
        stats = final["stats"]
        print("%s: %d bytes over HTTP, %d from the peer" % (
            self.name, stats["http-bytes"], stats["p2p-bytes"]))
        exact.compare(self.wanted, os.path.join(self.prefix, "p2phls"), final)
        check(final["stalls"] == 0, "no stall", final)
        if self.shares:
            check(stats["p2p-segments"] > 0, "segments came from the peer",
                  final)
        else:
            check(stats["p2p-bytes"] == 0 and stats["peers"] == 0,
                  "they do not meet", final)
        return stats["p2p-bytes"]


def relayed_bytes():
    """What coturn and the viewers with addresses of it have told each other."""
    said = json.loads(subprocess.run(
        ["nft", "-j", "list", "counters"], check=True,
        stdout=subprocess.PIPE).stdout)
    return sum(entry["counter"]["bytes"] for entry in said["nftables"]
               if "counter" in entry)


def play(homes, address, **ways):
    """ways: by name, ICE servers and whether viewers share. What they have
    shared, and what went to coturn and came from there, in bytes."""
    netns.run("nft", "-f", "-", input=COUNT.encode())
    with procs.Cast() as cast, tempfile.TemporaryDirectory() as folder:
        tracker = cast.add(procs.OwnTracker(address=address))
        coturn = cast.add(procs.Coturn(address))
        homes = [cast.add(home(LINE)) for home in homes]
        pairs = [Pair(cast, folder, homes, address, tracker, name,
                      servers(coturn), shares)
                 for name, (servers, shares) in ways.items()]
        for pair in pairs:
            pair.play()
        shared = sum(pair.look() for pair in pairs)
        return shared, relayed_bytes()


def ipv6():
    """No address of IPv4 anywhere."""
    netns.enter(meet=True, version=6)
    play([netns.Home] * 2, netns.INTERNET6,
         host=(lambda coturn: "none", True),
         stun=(lambda coturn: coturn.stun, True))


def relayed():
    """Only the relay can be reached from both homes."""
    netns.enter()
    shared, through = play(
        [netns.Home] * 2, netns.INTERNET,
        none=(lambda coturn: "none", False),
        stun=(lambda coturn: coturn.stun, False),
        udp=(lambda coturn: coturn.turn, True),
        tcp=(lambda coturn: coturn.turn + "?transport=tcp", True))
    check(through > shared, "all of it was relayed", (shared, through))


def relayed6():
    """The same without any address of IPv4."""
    netns.enter(version=6)
    shared, through = play(
        [netns.Home] * 2, netns.INTERNET6,
        none=(lambda coturn: "none", False),
        turn=(lambda coturn: coturn.turn, True))
    check(through > shared, "all of it was relayed", (shared, through))


def reflexive():
    """Both are behind routers, whose addresses only others can tell. Relays
    are not for those who can do without."""
    netns.enter(meet=True)
    shared, through = play(
        [netns.HiddenHome] * 2, netns.INTERNET,
        none=(lambda coturn: "none", False),
        stun=(lambda coturn: coturn.stun, True),
        turn=(lambda coturn: coturn.turn, True),
        both=(lambda coturn: coturn.stun + "," + coturn.turn, True))
    check(through < shared / 10, "none of it was relayed", (shared, through))


SCENES = {f.__name__: f for f in (ipv6, relayed, relayed6, reflexive)}


if __name__ == "__main__":
    SCENES[sys.argv[1]](*sys.argv[2:])
