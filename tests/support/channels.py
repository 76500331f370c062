# p2phlssrc: two ends of a data channel, whoever made them.
# SPDX-License-Identifier: LGPL-2.1-or-later

import json
import os
import time

import procs

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")

ENDS = {
    "native": lambda: [
        os.path.join(procs.BUILD, "tests", "interop", "channel")],
    "node": lambda: ["node", os.path.join(procs.INTEROP, "channel.mjs")],
    "chromium": lambda: ["node", os.path.join(procs.INTEROP, "chromium.mjs")],
    "chromium-mdns": lambda: [
        "node", os.path.join(procs.INTEROP, "chromium.mjs"), "--mdns"],
}


class End(procs.Process):
    """One end; kind is a key of ENDS, role "offer" or "answer"."""

    def __init__(self, kind, role, send=0, expect=0, message=65535,
                 plain=False):
        arguments = ENDS[kind]() + [
            role, "--send", str(send), "--expect", str(expect),
            "--message", str(message)] + (["--plain"] if plain else [])
        super().__init__(
            arguments, stdin=True, name="%s %s" % (kind, role))

    def tell(self, **order):
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()

    def said(self, name):
        """The value of the first line that has it."""
        for line in list(self.lines):
            if name in line:
                return line
        if not self.running():
            raise RuntimeError(
                "%s is gone: %s" % (self.name, "\n".join(self.noise)))
        if "closed" in self.last:
            raise RuntimeError(
                "%s is closed: %s" % (self.name, self.last["closed"]))
        return None

    def wait_for(self, name, patience=procs.PATIENCE):
        return procs.wait_for(
            "%s of %s" % (name, self.name), lambda: self.said(name), patience)

    def closed(self):
        """Why, once it is."""
        return next(
            (line["closed"] for line in list(self.lines)
             if "closed" in line), None)

    def cpu_seconds(self):
        with open("/proc/%d/stat" % self.process.pid) as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


class Pair:
    """A connection between an offerer and an answerer, as a context."""

    def __init__(self, offerer, answerer, there=0, back=0, **options):
        self.there, self.back = there, back
        self.ends = [
            End(offerer, "offer", send=there, expect=back, **options),
            End(answerer, "answer", send=back, expect=there, **options)]

    def __enter__(self):
        offerer, answerer = self.ends
        try:
            answerer.tell(sdp=offerer.wait_for("sdp")["sdp"])
            offerer.tell(sdp=answerer.wait_for("sdp")["sdp"])
            for end in self.ends:
                end.wait_for("open")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for end in self.ends:
            try:
                end.stop(20)
            except (OSError, RuntimeError):
                end.kill()

    def transfer(self, patience):
        """Sends what was ordered; (seconds, CPU seconds of both, there,
        back), the last two as the receivers said them."""
        before = sum(end.cpu_seconds() for end in self.ends)
        began = time.monotonic()
        for end, sends in zip(self.ends, (self.there, self.back)):
            if sends:
                end.tell(go=True)
        there = self.ends[1].wait_for("received", patience) \
            if self.there else None
        back = self.ends[0].wait_for("received", patience) \
            if self.back else None
        seconds = time.monotonic() - began
        cpu = sum(end.cpu_seconds() for end in self.ends) - before
        return seconds, cpu, there, back
