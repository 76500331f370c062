#!/usr/bin/python3
"""Plays a stream, and prints each second what sharing does for it.

apt install python3-gi gir1.2-gstreamer-1.0"""

import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402


def print_stats(when, stats):
    def kilobytes(name):
        return stats.get_uint64(name).value / 1e3

    print("%s: origin %.0f kB, peers %.0f kB, given %.0f kB, connected %d"
          % (when, kilobytes("http-bytes"), kilobytes("p2p-bytes"),
             kilobytes("upload-bytes"), stats.get_uint("peers").value),
          flush=True)


def on_source_setup(playbin, source, kept):
    # playbin makes the source; what is no http: URI has another one.
    if source.__gtype__.name == "GstP2pHlsSrc":
        source.set_property("stats-interval", 1000)
        kept.append(source)


def main(uri):
    kept = []
    playbin = Gst.ElementFactory.make("playbin", None)
    playbin.set_property("uri", uri)  # p2phls+https://…
    playbin.connect("source-setup", on_source_setup, kept)
    playbin.set_state(Gst.State.PLAYING)

    bus = playbin.get_bus()
    playing = True
    while playing:
        message = bus.timed_pop(Gst.CLOCK_TIME_NONE)
        if message.has_name("p2phls-stats"):
            print_stats("now", message.get_structure())
        if message.type == Gst.MessageType.ERROR:
            print(*message.parse_error(), file=sys.stderr)
        playing = message.type not in (Gst.MessageType.EOS,
                                       Gst.MessageType.ERROR)

    for source in kept:
        print_stats("in the end", source.get_property("stats"))
    playbin.set_state(Gst.State.NULL)


Gst.init(None)
main(sys.argv[1])
