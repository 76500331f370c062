# p2phlssrc: homes with lines of their own, in network namespaces.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""enter () starts the program anew in namespaces of its own; that network is
the internet, and INTERNET its address, for servers. A Home has a line to it,
and another to the LAN that it shares with its neighbours; a HiddenHome has a
router in between that translates addresses.

Rates and queues are tc's. What takes time on its way goes through a program
(tests/bench/cable.c) between two TUN devices, because not every kernel has
netem.

Nothing outside is touched, and nothing is left behind: namespaces, interfaces
and children end with the program, even if it is killed."""

import fcntl
import json
import os
import shutil
import signal
import struct
import subprocess
import sys

import procs

INTERNET, INTERNET6 = "10.8.0.1", "fd08::1"
INSIDE = "P2PHLS_INSIDE_NAMESPACES"
LAN = "lan"
# What routers at home do: many addresses become one, and who is not asked for
# does not come in. Nor may it be answered: the kernel would remember it, and
# give another port to those inside who send there next.
ROUTER = """
table ip router {
  chain out {
    type nat hook postrouting priority srcnat
    oifname "wan" masquerade
  }
  chain in {
    type filter hook input priority filter
    iifname "wan" ct state new drop
  }
  chain through {
    type filter hook forward priority filter
    iifname "wan" ct state new drop
  }
}
"""
# Debian's users have no sbin.
PATH = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"
# What a line keeps before it drops: a fifth of a second, as home routers do.
QUEUE = "200ms"
# linux/if_tun.h
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454ca, 0x0001, 0x1000


def run(*command, **more):
    subprocess.run(command, check=True, **more)


def ip(*arguments):
    run("ip", *arguments)


def add_address(namespace, device, address):
    # Nobody else has it: no need to ask for a second whether it is free.
    ip(*namespace, "address", "add", address, "dev", device,
       *(["nodad"] if ":" in address else []))


def forward(yes, version=4, prefix=()):
    path = "/proc/sys/net/" + (
        "ipv4/ip_forward" if version == 4 else "ipv6/conf/all/forwarding")
    run(*prefix, "tee", path, input=b"%d" % yes, stdout=subprocess.DEVNULL)


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


def enter(meet=False, version=4):
    """Returns only inside. Root is not needed where users may have
    namespaces. meet: homes reach each other over the internet, too; version: of
    IP, for all there is."""
    os.environ["PATH"] = PATH
    if INSIDE not in os.environ:
        os.environ[INSIDE] = "yes"
        unshare()
    # The first process of a namespace gets no signal without a handler.
    signal.signal(signal.SIGTERM, lambda *ignored: sys.exit(1))
    # Where `ip netns` keeps its names.
    run("mount", "-t", "tmpfs", "none", "/run")
    ip("link", "set", "lo", "up")
    Home.version = version
    add_address((), "lo", INTERNET if version == 4 else INTERNET6)
    forward(meet, version)


def add_namespace(name):
    ip("netns", "add", name)
    ip("-n", name, "link", "set", "lo", "up")


def shape(namespace, device, rate, burst=16000):
    """What leaves there, in Mbit/s."""
    burst = max(burst, int(rate * 1e6 / 8 * 0.005))
    run("tc", *namespace, "qdisc", "add", "dev", device, "root", "tbf",
        "rate", "%gmbit" % rate, "burst", str(burst), "latency", QUEUE)


def dropped(namespace, device):
    """(packets that left there, packets that found the queue full)"""
    said = subprocess.run(
        ["tc", *namespace, "-s", "-j", "qdisc", "show", "dev", device],
        check=True, stdout=subprocess.PIPE).stdout
    first = json.loads(said)[0]
    return first["packets"], first["drops"]


def tun(name):
    """A TUN device; it lives as long as somebody has the file."""
    file = open("/dev/net/tun", "r+b", buffering=0)
    fcntl.ioctl(file, TUNSETIFF, struct.pack(
        "16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return file


class Line:
    """What leads from a home to the internet: Mbit/s, ms one way, and the
    bytes that may leave at once."""

    def __init__(self, down, up=None, delay=0, burst=16000):
        self.down, self.up = down, up or down
        self.delay, self.burst = delay, burst


class Home:
    """Processes that live there begin with `prefix`. line: a Line, or its
    rate; rates are in Mbit/s."""

    count = 0
    version = 4

    def __init__(self, line, lan=None):
        self.cables = []
        Home.count += 1
        self.number, self.name = Home.count, "home%d" % Home.count
        self.prefix = ("ip", "netns", "exec", self.name)
        self.inside = ("-n", self.name)
        add_namespace(self.name)
        self.join_internet(line if isinstance(line, Line) else Line(line))
        if lan:
            self.join_lan(lan)

    def cable(self, device, address, *there):
        """From here to a device of the same name, and our number, there."""
        far = "%s%d" % (device, self.number)
        ip(*self.inside, "link", "add", device, "type", "veth",
           "peer", "name", far, *there)
        add_address(self.inside, device, address)
        ip(*self.inside, "link", "set", device, "up")
        return far

    def long_cable(self, device, address, delay):
        """The same to the internet, with a delay in ms each way."""
        far, near = ("%s%d" % (name, self.number) for name in (device, "end"))
        with tun(far) as there, tun(near) as here:
            fds = (there.fileno(), here.fileno())
            self.cables.append(procs.Process(
                [os.path.join(procs.BUILD, "tests", "bench", "cable"),
                 str(int(delay * 1000)), *map(str, fds)], pass_fds=fds))
        ip("link", "set", near, "netns", self.name, "name", device)
        add_address(self.inside, device, address)
        ip(*self.inside, "link", "set", device, "up")
        return far

    def join_internet(self, line):
        net, length = ("10.8.%d.", "/24") if self.version == 4 else (
            "fd08:%d::", "/64")
        gateway, ours = (net % self.number + end for end in "12")
        if line.delay:
            far = self.long_cable("wan", ours + length, line.delay)
        else:
            far = self.cable("wan", ours + length, "netns", str(os.getpid()))
        add_address((), far, gateway + length)
        ip("link", "set", far, "up")
        ip(*self.inside, "route", "add", "default", "via", gateway)
        shape((), far, line.down, line.burst)
        shape(self.inside, "wan", line.up, line.burst)

    def dropped(self):
        """On its line to the internet: of what came down, of what went up."""
        return dropped((), "wan%d" % self.number), dropped(self.inside, "wan")

    def join_lan(self, rate):
        if not os.path.exists("/run/netns/" + LAN):
            ip("netns", "add", LAN)
            ip("-n", LAN, "link", "add", "bridge", "type", "bridge")
            ip("-n", LAN, "link", "set", "bridge", "up")
        far = self.cable(
            "lan", "192.168.8.%d/24" % self.number, "netns", LAN)
        ip("-n", LAN, "link", "set", far, "master", "bridge", "up")
        shape(("-n", LAN), far, rate)
        shape(self.inside, "lan", rate)

    def close(self):
        """Its devices go with it."""
        for cable in self.cables:
            cable.kill()
        ip("netns", "delete", self.name)


class HiddenHome(Home):
    """Processes live behind the home's router; each such home has the same
    addresses inside."""

    def __init__(self, line):
        super().__init__(line)
        self.behind = "behind%d" % self.number
        add_namespace(self.behind)
        far = self.cable("house", "192.168.1.1/24", "netns", self.behind)
        add_address(("-n", self.behind), far, "192.168.1.2/24")
        ip("-n", self.behind, "link", "set", far, "up")
        ip("-n", self.behind, "route", "add", "default", "via", "192.168.1.1")
        run(*self.prefix, "nft", "-f", "-", input=ROUTER.encode())
        forward(True, prefix=self.prefix)
        self.prefix = ("ip", "netns", "exec", self.behind)

    def close(self):
        super().close()
        ip("netns", "delete", self.behind)
