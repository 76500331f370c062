#!/usr/bin/env python3
# p2phlssrc: holds the borders between the layers.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads every #include and every call that the pure core must not make.

The link line of each layer already refuses most wrong turns; what it cannot
see is a header that happens to be on the compiler's path (<gio/gio.h> is,
wherever GLib is). docs/hacking.md draws the table that this file enforces.

    tidy.py [root]      all sources below root; prints file:line: what
"""

import os
import re
import sys

C_LIBRARY = {
    "arpa/inet.h", "assert.h", "ctype.h", "errno.h", "fcntl.h", "ifaddrs.h",
    "inttypes.h", "limits.h", "math.h", "net/if.h", "netdb.h",
    "netinet/in.h", "netinet/tcp.h", "poll.h", "pthread.h", "signal.h",
    "stdarg.h",
    "stdbool.h", "stddef.h", "stdint.h", "stdio.h", "stdlib.h", "string.h",
    "sys/ioctl.h", "sys/mman.h", "sys/prctl.h", "sys/resource.h",
    "sys/socket.h", "sys/stat.h", "sys/time.h", "sys/types.h", "sys/wait.h", "time.h",
    "unistd.h",
}
# What the core may take from C: nothing that knows files, sockets or time.
C_CORE = {
    "ctype.h", "errno.h", "inttypes.h", "limits.h", "math.h", "stdarg.h",
    "stdbool.h", "stddef.h", "stdint.h", "stdlib.h", "string.h", "stdio.h",
}

GLIB = ("glib.h", "glib-object.h", "glib/")
GIO = GLIB + ("gio/",)
GST = GIO + ("gst/",)

CORE = ("base", "formats", "model", "policy", "ports", "engine")


class Room:
    """One folder: which rooms and which outside headers it may include."""

    def __init__(self, path, rooms, outside, core=False):
        self.path, self.rooms, self.outside = path, set(rooms), outside
        self.core = core


# The house table, top to bottom. The first match wins.
ROOMS = [
    Room("gst/p2p/base", ["base"], GLIB, core=True),
    Room("gst/p2p/formats", ["base", "formats"],
         GLIB + ("json-glib/", "libxml/"), core=True),
    Room("gst/p2p/model", ["base", "formats", "model"], GLIB, core=True),
    # ports is a row further down: policy answers, the engine calls.
    Room("gst/p2p/policy", ["base", "model", "policy"], GLIB, core=True),
    Room("gst/p2p/ports", ["base", "ports"], GLIB, core=True),
    Room("gst/p2p/engine", CORE, GLIB, core=True),
    Room("ext/soup", ["base", "formats", "ports", "soup"],
         GIO + ("libsoup/",)),
    Room("ext/nice", ["base", "formats", "ports", "nice", "webrtc/stack.h"],
         GIO + ("nice/",)),
    Room("ext/openssl",
         ["base", "formats", "ports", "openssl", "webrtc/stack.h"],
         GLIB + ("openssl/",)),
    Room("ext/usrsctp",
         ["base", "formats", "ports", "usrsctp", "webrtc/stack.h"],
         GLIB + ("usrsctp.h",)),
    Room("ext/webrtc",
         ["base", "formats", "ports", "webrtc", "nice", "openssl", "usrsctp"],
         GIO + ("gst/sdp/", "gst/gst.h")),
    Room("gst/p2phlssrc",
         ["base", "ports", "engine", "soup", "webrtc", "p2phlssrc"], GST),
    # The simulator stands where the adapters and the element stand.
    Room("tests/sim", CORE + ("sim",), GLIB + ("json-glib/",)),
]
ROOM_NAMES = set(CORE) | {
    "soup", "nice", "openssl", "usrsctp", "webrtc", "p2phlssrc", "sim"}

# The core has no clock, no luck and no main loop of its own.
BANNED_CALL = re.compile(
    r"\b(g_timeout_\w+|g_idle_\w+|g_usleep|g_get_(?:monotonic|real|current)"
    r"_time|g_date_time_new_now\w*|g_random_\w+|g_main_context_\w+|"
    r"g_main_loop_\w+|g_thread_new|clock_gettime|gettimeofday|"
    r"time|rand|random|usleep|nanosleep|sleep|fopen)\s*\(")

INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')
PROMISE = re.compile(r"\b(TODO|FIXME|XXX)\b")


def without_comments_and_strings(text):
    """The code alone, line numbers kept."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    return re.sub(
        r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'",
        blank, text, flags=re.S)


def room_of(path):
    for room in ROOMS:
        if path.startswith(room.path + "/"):
            return room
    return None


def is_own(room, name):
    """Is the quoted name one that this room may include?"""
    folder = name.split("/")[0] if "/" in name else None
    if folder is None:
        return True  # same folder
    return folder in room.rooms or name in room.rooms


def is_outside(room, name):
    if name in (C_CORE if room.core else C_LIBRARY):
        return True
    return any(name == allowed or (allowed.endswith("/")
               and name.startswith(allowed)) for allowed in room.outside)


def check_include(room, kind, name):
    if kind == '"':
        if is_own(room, name):
            return None
        if name.split("/")[0] in ROOM_NAMES:
            return "%s must not include \"%s\": a room further down the " \
                "table, or a neighbour" % (room.path, name)
        return "\"%s\" is no header of ours; libraries go in <>" % name
    if is_outside(room, name):
        return None
    return "%s must not include <%s>" % (room.path, name)


def check_text(path, text):
    """Yields (line, complaint) for one source."""
    if path.endswith(".h"):
        if "#pragma once" not in text:
            yield 1, "a header begins with #pragma once"
        if "Threads:" not in text and not path.startswith("tests/"):
            yield 1, "a header says who may call it: \"Threads: worker.\""
    room = room_of(path)
    raw = text.split("\n")
    code = without_comments_and_strings(text).split("\n")
    for number, line in enumerate(code, 1):
        if PROMISE.search(raw[number - 1]):
            yield number, "a promise is not code: finish it or leave it out"
        if room is None:
            continue
        # Strings are blanked in the code, and an include's name with them.
        include = INCLUDE.match(raw[number - 1]) if "include" in line else None
        if include:
            complaint = check_include(room, include.group(1), include.group(2))
            if complaint:
                yield number, complaint
        banned = BANNED_CALL.search(line) if room.core else None
        if banned:
            yield number, "%s () below the adapters: time and luck come in " \
                "as arguments" % banned.group(1)


def sources(root):
    for top in ("gst", "ext", "tools", "tests", "docs"):
        for folder, folders, names in os.walk(os.path.join(root, top)):
            folders[:] = sorted(f for f in folders if f != "node_modules")
            for name in sorted(names):
                if name.endswith((".c", ".h")):
                    yield os.path.relpath(os.path.join(folder, name), root)


def main(arguments):
    root = arguments[1] if len(arguments) > 1 else os.path.join(
        os.path.dirname(os.path.abspath(__file__)), "..", "..")
    complaints = count = 0
    for path in sources(root):
        count += 1
        with open(os.path.join(root, path), encoding="utf-8") as source:
            for line, complaint in check_text(path, source.read()):
                print("%s:%d: %s" % (path, line, complaint))
                complaints += 1
    print("%d sources read, %d complaints" % (count, complaints))
    return 1 if complaints or not count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
