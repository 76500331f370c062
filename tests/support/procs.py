# p2phlssrc: starts what the tests meet, and sees to it that it ends.
# SPDX-License-Identifier: LGPL-2.1-or-later

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.environ.get("P2PHLS_BUILD", os.path.join(TOP, "build"))
INTEROP = os.path.join(TOP, "tests", "interop")
# Shared and slow machines: generous, and only ever reached by a failure.
PATIENCE = float(os.environ.get("P2PHLS_PATIENCE", "60"))  # seconds


def element_environment(**settings):
    """The environment of a program that finds our element; settings are
    those of GST_P2PHLS."""
    environment = dict(os.environ)
    environment["GST_PLUGIN_PATH"] = os.path.join(BUILD, "gst", "p2phlssrc")
    environment["GST_REGISTRY_1_0"] = os.path.join(
        BUILD, "gst-registry.bin")
    if settings:
        environment["GST_P2PHLS"] = ";".join(
            "%s=%s" % (name.replace("_", "-"), value)
            for name, value in settings.items())
    return environment


def wait_for(what, condition, patience=PATIENCE):
    """Polls until condition () is true; its value, or an exception."""
    deadline = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError("waited %d s in vain: %s" % (patience, what))
        time.sleep(0.05)


class Process:
    """A child whose lines of JSON are collected as they come. stdin: whether
    it has any, or a file."""

    def __init__(self, arguments, environment=None, name=None, stdin=False,
                 **more):
        self.name = name or os.path.basename(arguments[0])
        self.lines, self.words, self.noise = [], [], []
        self.process = subprocess.Popen(
            arguments, env=environment, text=True,
            stdin={True: subprocess.PIPE, False: subprocess.DEVNULL}.get(
                stdin, stdin),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
        self.threads = [
            threading.Thread(target=self.read, daemon=True),
            threading.Thread(target=self.read_noise, daemon=True)]
        for thread in self.threads:
            thread.start()

    def read(self):
        for line in self.process.stdout:
            if line.startswith("{"):
                self.lines.append(json.loads(line))
            else:
                self.words.append(line.strip())

    def read_noise(self):
        for line in self.process.stderr:
            self.noise.append(line.rstrip())
            if os.environ.get("P2PHLS_VERBOSE"):
                print("%s: %s" % (self.name, line.rstrip()), file=sys.stderr)

    @property
    def last(self):
        return self.lines[-1] if self.lines else {}

    def running(self):
        return self.process.poll() is None

    def first(self, lines):
        """The first of self.lines or self.words, once there is one."""
        def there():
            if not lines and not self.running():
                raise RuntimeError(
                    "%s is gone: %s" % (self.name, "\n".join(self.noise)))
            return lines
        return wait_for("%s to say something" % self.name, there)[0]

    def finish(self, patience=PATIENCE):
        """Waits for its own end; the last line."""
        self.process.wait(patience)
        for thread in self.threads:
            thread.join(patience)
        return self.last

    def stop(self, patience=PATIENCE):
        """Asks it to leave; the last line it said."""
        if self.process.stdin:
            self.process.stdin.close()
        elif self.running():
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.finish(patience)
        except subprocess.TimeoutExpired:
            self.kill()
            raise RuntimeError("%s does not end" % self.name)

    def kill(self):
        self.process.kill()
        self.process.wait()


class Viewer(Process):
    """p2phls-viewer; stats are those of the element, {} with souphttpsrc."""

    def __init__(self, url, *arguments, options=(), name="viewer", prefix=(),
                 **settings):
        super().__init__(
            [*prefix, os.path.join(BUILD, "tools", "p2phls-viewer"),
             *arguments, *options, url],
            element_environment(**settings), name)

    def stat(self, name):
        return self.last.get("stats", {}).get(name, 0)

    def played_ms(self):
        return self.last.get("played-ms", 0)


class NpmTracker(Process):
    """bittorrent-tracker from npm."""

    def __init__(self, port=0, address="127.0.0.1"):
        super().__init__(["node", os.path.join(INTEROP, "tracker.mjs"),
                          str(port), address], name="npm tracker", stdin=True)
        self.url = self.first(self.lines)["url"]


class OwnTracker(Process):
    """p2phls-tracker: for tests that are not about the tracker."""

    def __init__(self, port=0, address="127.0.0.1"):
        super().__init__(
            [os.path.join(BUILD, "tools", "p2phls-tracker"),
             "--port", str(port), "--address", address], name="own tracker")
        self.url = self.first(self.words).rstrip("/")


def tracker():
    return OwnTracker()


class Coturn(Process):
    """STUN for all, TURN for who has the password."""

    PORT = 3478

    def __init__(self, address):
        super().__init__(
            ["turnserver", "-n", "--listening-ip", address,
             "--relay-ip", address, "--listening-port", str(self.PORT),
             # Its own default is IPv4, however it is reached.
             "--allocation-default-address-family", "keep",
             "--lt-cred-mech", "--user", "viewer:secret", "--realm", "test",
             "--fingerprint", "--no-cli", "--no-tls", "--no-dtls",
             "--pidfile", os.devnull, "--log-file", "stdout"], name="coturn")
        host = "[%s]" % address if ":" in address else address
        self.stun = "stun://%s:%d" % (host, self.PORT)
        self.turn = "turn://viewer:secret@%s:%d" % (host, self.PORT)
        wait_for("coturn to listen", lambda: self.listens(address))

    def listens(self, address):
        if not self.running():
            raise RuntimeError("coturn is gone: %s" % "\n".join(self.words))
        with contextlib.suppress(ConnectionError), socket.create_connection(
                (address, self.PORT)):
            return True
        return False


class Gateway(Process):
    """p2phls-gateway; its first two lines are what it is for."""

    def __init__(self, url, *arguments, prefix=(), **settings):
        super().__init__(
            [*prefix, os.path.join(BUILD, "tools", "p2phls-gateway"),
             *arguments, url], element_environment(**settings),
            name="gateway")
        self.first(self.words)
        self.url, self.status = wait_for(
            "the gateway's two lines",
            lambda: self.words[:2] if len(self.words) > 1 else None)


class Pages(Process):
    """Chromium pages with hls.js and P2P Media Loader."""

    def __init__(self, stream, tracker, count, stagger=2.0, live_sync=None):
        super().__init__(
            ["node", os.path.join(INTEROP, "pages.mjs"), "--stream", stream,
             "--tracker", tracker, "--pages", str(count),
             "--stagger", str(int(stagger * 1000)),
             *(["--live-sync", str(live_sync)] if live_sync else [])],
            name="pages", stdin=True)

    def page(self, number):
        """The latest line of one page."""
        for line in reversed(self.lines):
            if line.get("page") == number:
                return line
        return {}


class Hostile(Process):
    """A Chromium page that breaks the rules; see hostile.mjs."""

    def __init__(self, tracker, info_hash, stream, habit):
        super().__init__(
            ["node", os.path.join(INTEROP, "hostile.mjs"), "--tracker",
             tracker, "--info-hash", info_hash, "--stream", stream,
             "--habit", habit],
            name="stranger", stdin=True)


class Cast:
    """Everything a test has started, ended in reverse whatever happens."""

    def __init__(self):
        self.members = []

    def add(self, member):
        self.members.append(member)
        return member

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        for member in reversed(self.members):
            if isinstance(member, Process):
                if member.running():
                    member.kill()
            else:
                member.close()
