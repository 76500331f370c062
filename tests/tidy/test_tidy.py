#!/usr/bin/env python3
# p2phlssrc: tidy itself, on small sources that break one rule each.
# SPDX-License-Identifier: LGPL-2.1-or-later

import os
import tempfile
import unittest

import links
import subjects
import tidy


def complaints(path, text):
    return [text for _, text in tidy.check_text(path, text)]


class Includes(unittest.TestCase):
    def refused(self, path, line):
        self.assertEqual(1, len(complaints(path, line)), line)

    def taken(self, path, line):
        self.assertEqual([], complaints(path, line), line)

    def test_downwards_is_taken(self):
        self.taken("gst/p2p/engine/peer.c", '#include "policy/upload.h"\n')
        self.taken("gst/p2p/policy/upload.c", '#include "model/store.h"\n')
        self.taken("gst/p2phlssrc/worker.c", '#include "soup/souphttp.h"\n')

    def test_upwards_is_refused(self):
        self.refused("gst/p2p/base/prng.c", '#include "model/store.h"\n')
        self.refused("gst/p2p/model/store.c", '#include "policy/evict.h"\n')
        self.refused("gst/p2p/policy/fetch.c", '#include "ports/http.h"\n')
        self.refused("gst/p2p/engine/peer.c", '#include "soup/soupws.h"\n')

    def test_neighbours_are_refused(self):
        self.refused("ext/soup/soupws.c", '#include "nice/niceice.h"\n')
        self.refused("ext/openssl/dtls.c", '#include "usrsctp/assoc.h"\n')
        self.taken("ext/openssl/dtls.c", '#include "webrtc/stack.h"\n')
        self.taken("ext/webrtc/peerconn.c", '#include "openssl/dtls.h"\n')
        self.refused("ext/nice/niceice.c", '#include "webrtc/peerconn.h"\n')

    def test_libraries_stay_in_their_room(self):
        self.refused("gst/p2p/engine/engine.c", "#include <gio/gio.h>\n")
        self.refused("gst/p2p/model/store.c", "#include <gst/gst.h>\n")
        self.refused("gst/p2p/engine/peer.c", "#include <time.h>\n")
        self.refused("ext/soup/souphttp.c", "#include <nice/agent.h>\n")
        self.taken("ext/soup/souphttp.c", "#include <libsoup/soup.h>\n")
        self.taken("gst/p2p/formats/mpd.c", "#include <libxml/tree.h>\n")

    def test_spacing_does_not_hide(self):
        self.refused("gst/p2p/base/log.c", "  #  include <gio/gio.h>\n")
        self.refused("gst/p2p/base/log.c", "#include<gio/gio.h>\n")

    def test_simulator_uses_no_adapter(self):
        self.refused("tests/sim/net.c", '#include "webrtc/peerconn.h"\n')
        self.taken("tests/sim/net.c", '#include "engine/engine.h"\n')

    def test_same_folder(self):
        self.taken("gst/p2p/base/log.c", '#include "log.h"\n')

    def test_commented_include_is_no_include(self):
        self.taken("gst/p2p/base/log.c", "/*\n#include <gio/gio.h>\n*/\n")


class Calls(unittest.TestCase):
    def test_clock_and_luck(self):
        for call in ("g_get_monotonic_time ()", "g_random_int ()",
                     "g_timeout_add (1, f, 0)", "g_usleep(1)", "time (0)"):
            self.assertEqual(1, len(complaints(
                "gst/p2p/engine/engine.c", "x = %s;\n" % call)), call)

    def test_adapters_may(self):
        self.assertEqual([], complaints(
            "ext/nice/niceice.c", "x = g_get_monotonic_time ();\n"))

    def test_talk_about_it(self):
        for line in ("/* not g_random_int () */\n", 's = "time (0)";\n',
                     "at = deadline_time (x);\n"):
            self.assertEqual([], complaints("gst/p2p/base/log.c", line))


class Headers(unittest.TestCase):
    def test_once_and_threads(self):
        good = "/* Threads: worker. */\n#pragma once\n"
        self.assertEqual([], complaints("gst/p2p/base/a.h", good))
        self.assertEqual(2, len(complaints("gst/p2p/base/a.h", "int a;\n")))


class Subjects(unittest.TestCase):
    def test_good(self):
        for subject in ("ext/soup: fetch byte ranges",
                        "policy: a late segment goes to HTTP",
                        "p2p-demo, docs: say it"):
            self.assertIsNone(subjects.complaint(subject), subject)

    def test_bad(self):
        for subject in ("Fetch byte ranges", "soup:fetch", "soup: ",
                        "fixup! soup: fetch", "soup: fetch.",
                        "soup: " + "x" * 90):
            self.assertIsNotNone(subjects.complaint(subject), subject)


class Links(unittest.TestCase):
    def complaints(self, text):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "page.md")
            with open(path, "w", encoding="utf-8") as file:
                file.write("# One `two`, three\n\n" + text)
            return links.complaints(path)

    def test_good(self):
        for text in ("[a](page.md)", "[a](page.md#one-two-three)",
                     "[a](#one-two-three)", "![a](https://example.org/x)",
                     "`[a](nothing.md)`", "```\n[a](nothing.md)\n```"):
            self.assertEqual([], self.complaints(text), text)

    def test_bad(self):
        for text in ("[a](nothing.md)", "![a](nothing.png)", "[a](#four)",
                     "[a](page.md#four)", "[`a`](nothing.md \"title\")"):
            self.assertEqual(1, len(self.complaints(text)), text)


if __name__ == "__main__":
    unittest.main()
