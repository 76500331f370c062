#!/usr/bin/env python3
# p2phlssrc: p2phls-play has a window, and leaves when it is told to.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""window.py: on an X server without a screen (Xvfb)."""

import ctypes
import fcntl
import mmap
import os
import pty
import struct
import sys
import tempfile
import termios

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))

import corpus  # noqa: E402
import origin as origins  # noqa: E402
import procs  # noqa: E402
from check import check  # noqa: E402

PLAY = os.path.join(procs.BUILD, "tools", "p2phls-play")
COLOURS_MIN = 50  # of the test picture; an empty window has one
KEY_PRESS, CLIENT_MESSAGE = 2, 33


class KeyEvent(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int), ("serial", ctypes.c_ulong),
                ("send_event", ctypes.c_int), ("display", ctypes.c_void_p),
                ("window", ctypes.c_ulong), ("root", ctypes.c_ulong),
                ("subwindow", ctypes.c_ulong), ("time", ctypes.c_ulong),
                ("place", ctypes.c_int * 4), ("state", ctypes.c_uint),
                ("keycode", ctypes.c_uint), ("same_screen", ctypes.c_int)]


class ClientMessage(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int), ("serial", ctypes.c_ulong),
                ("send_event", ctypes.c_int), ("display", ctypes.c_void_p),
                ("window", ctypes.c_ulong), ("message_type", ctypes.c_ulong),
                ("format", ctypes.c_int), ("data", ctypes.c_long * 5)]


class Event(ctypes.Union):
    _fields_ = [("key", KeyEvent), ("message", ClientMessage),
                ("pad", ctypes.c_long * 24)]


def xlib():
    x11 = ctypes.CDLL("libX11.so.6")
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XDefaultRootWindow.restype = ctypes.c_ulong
    x11.XInternAtom.restype = ctypes.c_ulong
    return x11


class Screen(procs.Process):
    """What a viewer sees, and what he does with windows."""

    def __init__(self, folder):
        number, told = os.pipe()
        super().__init__(
            ["Xvfb", "-displayfd", str(told), "-screen", "0", "640x360x24",
             "-nolisten", "tcp", "-fbdir", folder], name="Xvfb",
            pass_fds=[told])
        os.close(told)
        with os.fdopen(number) as line:
            self.address = ":" + line.readline().strip()
        self.path = os.path.join(folder, "Xvfb_screen0")
        self.x11 = xlib()
        self.display = ctypes.c_void_p(
            self.x11.XOpenDisplay(self.address.encode()))
        self.root = self.x11.XDefaultRootWindow(self.display)

    def colours(self):
        """How many there are on the screen; an XWD file holds it."""
        with open(self.path, "rb") as file, mmap.mmap(
                file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            header, entries = struct.unpack(">I", data[:4])[0], struct.unpack(
                ">I", data[76:80])[0]
            pixels = data[header + 12 * entries:]
            return len(set(struct.unpack(
                "=%dI" % (len(pixels) // 4), pixels[:len(pixels) // 4 * 4])))

    def window(self):
        """The topmost one, 0 if there is none."""
        ids = [ctypes.c_ulong(), ctypes.c_ulong()]
        children = ctypes.POINTER(ctypes.c_ulong)()
        count = ctypes.c_uint()
        self.x11.XQueryTree(
            self.display, ctypes.c_ulong(self.root), *map(ctypes.byref, ids),
            ctypes.byref(children), ctypes.byref(count))
        return children[count.value - 1] if count.value else 0

    def send(self, window, event):
        self.x11.XSendEvent(
            self.display, ctypes.c_ulong(window), 0,
            ctypes.c_long(1 if event.key.type == KEY_PRESS else 0),
            ctypes.byref(event))
        self.x11.XFlush(self.display)

    def press(self, letter):
        window = self.window()
        keycode = self.x11.XKeysymToKeycode(
            self.display, ctypes.c_ulong(ord(letter)))
        self.send(window, Event(key=KeyEvent(
            type=KEY_PRESS, window=window, root=self.root, keycode=keycode,
            same_screen=1)))

    def close_window(self):
        window = self.window()
        protocols, delete = (
            self.x11.XInternAtom(self.display, name, 0)
            for name in (b"WM_PROTOCOLS", b"WM_DELETE_WINDOW"))
        self.send(window, Event(message=ClientMessage(
            type=CLIENT_MESSAGE, window=window, message_type=protocols,
            format=32, data=(ctypes.c_long * 5)(delete))))


class Viewer(procs.Process):
    """p2phls-play at a terminal of its own."""

    def __init__(self, screen, uri):
        self.keyboard, end = pty.openpty()
        self.settings = termios.tcgetattr(end)
        environment = procs.element_environment(
            trackers="none", ice_servers="none")
        environment.update(DISPLAY=screen.address)
        super().__init__([PLAY, uri], environment, stdin=end,
                         start_new_session=True, preexec_fn=lambda:
                         fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.terminal = end

    def press(self, key):
        os.write(self.keyboard, key)

    def end(self):
        self.finish()
        check(self.process.returncode == 0, "it leaves without an error",
              (self.process.returncode, self.noise))
        check(termios.tcgetattr(self.terminal) == self.settings,
              "the terminal is as it was")
        os.close(self.keyboard)
        os.close(self.terminal)


def main():
    with procs.Cast() as cast, tempfile.TemporaryDirectory() as folder:
        origin = cast.add(origins.Origin(corpus.folder("ts", 20)))
        screen = cast.add(Screen(folder))
        ways = {"q in the terminal": lambda viewer: viewer.press(b"q"),
                "Control-C": lambda viewer: viewer.press(b"\x03"),
                "q in the window": lambda viewer: screen.press("q"),
                "the window is closed": lambda viewer: screen.close_window()}
        for name, leave in ways.items():
            print("--- %s" % name)
            viewer = cast.add(Viewer(screen, origin.url("master.m3u8")))
            procs.wait_for("a picture in a window", lambda: screen.window()
                           and screen.colours() >= COLOURS_MIN)
            procs.wait_for("progress", lambda: any(
                "from CDN" in line for line in viewer.words))
            leave(viewer)
            viewer.end()
            procs.wait_for("the window to go", lambda: not screen.window())


if __name__ == "__main__":
    main()
