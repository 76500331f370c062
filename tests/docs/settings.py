#!/usr/bin/env python3
# p2phlssrc: the element takes every setting that the documentation gives.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads each GST_P2PHLS="…" of README.md and docs/, and starts a source with
it. Nothing listens where it asks, and without a playlist no tracker is."""

import glob
import os
import re
import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.join(HERE, "..", "..")
GIVEN = re.compile(r'GST_P2PHLS="([^"]*)"')
NOWHERE = "http://127.0.0.1:1/"


def pages():
    return [os.path.join(TOP, "README.md"), *sorted(glob.glob(
        os.path.join(TOP, "docs", "**", "*.md"), recursive=True))]


def complaint(text):
    """What the element says about settings, or None."""
    os.environ["GST_P2PHLS"] = text
    pipeline = Gst.parse_launch("p2phlssrc location=%s ! fakesink" % NOWHERE)
    pipeline.set_state(Gst.State.PAUSED)
    message = pipeline.get_bus().timed_pop_filtered(
        Gst.CLOCK_TIME_NONE, Gst.MessageType.ERROR)
    pipeline.set_state(Gst.State.NULL)
    error = message.parse_error().gerror
    settings = error.matches(
        Gst.ResourceError.quark(), Gst.ResourceError.SETTINGS)
    return error.message if settings else None


def main():
    Gst.init(None)
    if complaint("no-such-setting=1") is None:
        sys.exit("the element takes anything")
    count = bad = 0
    for path in pages():
        with open(path, encoding="utf-8") as file:
            found = GIVEN.findall(file.read())
        for text in found:
            said = complaint(text)
            if said is not None:
                print("%s: %s" % (os.path.relpath(path, TOP), said))
                bad += 1
        count += len(found)
    print("%d settings read, %d complaints" % (count, bad))
    sys.exit(1 if bad or not count else 0)


main()
