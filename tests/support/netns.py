# p2phlssrc: homes with lines of their own, in network namespaces.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""enter () starts the program anew in namespaces of its own; that network is
the internet, and INTERNET its address, for servers. A Home has a line to it,
and another to the LAN that it shares with its neighbours.

Nothing outside is touched, and nothing is left behind: namespaces, interfaces
and children end with the program, even if it is killed."""

import os
import shutil
import signal
import subprocess
import sys

INTERNET = "10.8.0.1"
INSIDE = "P2PHLS_INSIDE_NAMESPACES"
LAN = "lan"
# Debian's users have no sbin.
PATH = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"
# What a line keeps before it drops: a fifth of a second, as home routers do.
QUEUE = "200ms"


def run(*command):
    subprocess.run(command, check=True)


def ip(*arguments):
    run("ip", *arguments)


def unshare():
    """Never returns."""
    command = ["unshare", "--net", "--mount", "--pid", "--fork",
               "--kill-child", "--mount-proc"]
    if os.getuid() != 0:
        command.append("--map-root-user")
    if shutil.which("tc", path=PATH) is None:
        sys.exit("lines are made with ip and tc, of Debian's iproute2")
    if subprocess.run([*command, "true"]).returncode != 0:
        sys.exit("network namespaces want root, or a system that lets users "
                 "make namespaces")
    os.execvp(command[0], [*command, sys.executable, *sys.argv])


def enter():
    """Returns only inside. Root is not needed where users may have
    namespaces."""
    os.environ["PATH"] = PATH
    if INSIDE not in os.environ:
        os.environ[INSIDE] = "yes"
        unshare()
    # The first process of a namespace gets no signal without a handler.
    signal.signal(signal.SIGTERM, lambda *ignored: sys.exit(1))
    # Where `ip netns` keeps its names.
    run("mount", "-t", "tmpfs", "none", "/run")
    ip("link", "set", "lo", "up")
    ip("address", "add", INTERNET + "/32", "dev", "lo")
    # Neighbours meet on the LAN and nowhere else.
    with open("/proc/sys/net/ipv4/ip_forward", "w") as switch:
        switch.write("0")


def shape(namespace, device, rate):
    """What leaves there, in Mbit/s."""
    burst = max(16000, int(rate * 1e6 / 8 * 0.005))
    run("tc", *namespace, "qdisc", "add", "dev", device, "root", "tbf",
        "rate", "%gmbit" % rate, "burst", str(burst), "latency", QUEUE)


class Home:
    """Processes that live there begin with `prefix`. Rates are in Mbit/s."""

    count = 0

    def __init__(self, line, lan=None):
        Home.count += 1
        self.number, self.name = Home.count, "home%d" % Home.count
        self.prefix = ("ip", "netns", "exec", self.name)
        self.inside = ("-n", self.name)
        ip("netns", "add", self.name)
        ip(*self.inside, "link", "set", "lo", "up")
        self.join_internet(line)
        if lan:
            self.join_lan(lan)

    def cable(self, device, address, *there):
        """From here to a device of the same name, and our number, there."""
        far = "%s%d" % (device, self.number)
        ip(*self.inside, "link", "add", device, "type", "veth",
           "peer", "name", far, *there)
        ip(*self.inside, "address", "add", address + "/24", "dev", device)
        ip(*self.inside, "link", "set", device, "up")
        return far

    def join_internet(self, rate):
        net = "10.8.%d." % self.number
        far = self.cable("wan", net + "2", "netns", str(os.getpid()))
        ip("address", "add", net + "1/24", "dev", far)
        ip("link", "set", far, "up")
        ip(*self.inside, "route", "add", "default", "via", net + "1")
        shape((), far, rate)
        shape(self.inside, "wan", rate)

    def join_lan(self, rate):
        if not os.path.exists("/run/netns/" + LAN):
            ip("netns", "add", LAN)
            ip("-n", LAN, "link", "add", "bridge", "type", "bridge")
            ip("-n", LAN, "link", "set", "bridge", "up")
        far = self.cable("lan", "192.168.8.%d" % self.number, "netns", LAN)
        ip("-n", LAN, "link", "set", far, "master", "bridge", "up")
        shape(("-n", LAN), far, rate)
        shape(self.inside, "lan", rate)

    def close(self):
        """Its devices go with it."""
        ip("netns", "delete", self.name)
