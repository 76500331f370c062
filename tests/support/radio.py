# p2phlssrc: a radio as Icecast sends it.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sends a file at the pace of its bit rate, to each listener from its
beginning, with titles between the bytes for those who ask for them."""

import http.server
import os
import threading
import time

import origin

METAINT = 4096  # bytes of sound between two titles
TYPES = {".mp3": "audio/mpeg", ".ogg": "application/ogg"}
BURST = 64 * 1024  # bytes that come at once, as Icecast sends them


class Radio:
    """close () ends it, and what it sends ends with the file."""

    def __init__(self, path, bytes_per_second, titles=()):
        self.path, self.rate, self.titles = path, bytes_per_second, titles
        self.asked = []  # whether each listener asked for titles
        self.server = origin.Server(
            ("127.0.0.1", 0), type("Handler", (Handler,), {"radio": self}))
        threading.Thread(target=self.server.serve_forever, args=(0.05,),
                         daemon=True).start()

    def url(self, scheme="p2phls+http"):
        return "%s://127.0.0.1:%d/%s" % (
            scheme, self.server.server_address[1], os.path.basename(self.path))

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def title_block(title):
    """A length in units of 16 bytes, and the text filled up to it."""
    text = ("StreamTitle='%s';" % title).encode()
    units = -(-len(text) // 16)
    return bytes([units]) + text.ljust(units * 16, b"\0")


def with_titles(data, titles):
    """Each title is told once, at even distances."""
    blocks = range(0, len(data), METAINT)
    every = max(1, len(blocks) // max(1, len(titles)))
    out = []
    for number, at in enumerate(blocks):
        piece = data[at:at + METAINT]
        out.append(piece)
        if len(piece) == METAINT:
            which, rest = divmod(number, every)
            out.append(title_block(titles[which]) if rest == 0
                       and which < len(titles) else b"\0")
    return b"".join(out)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"
    radio = None

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        radio = self.radio
        with open(radio.path, "rb") as file:
            data = file.read()
        wants = self.headers.get("icy-metadata") == "1"
        radio.asked.append(wants)
        self.send_response(200)
        self.send_header("Content-Type", TYPES[os.path.splitext(
            radio.path)[1]])
        self.send_header("icy-name", "Radio Sine")
        self.send_header("icy-genre", "tones")
        if wants and radio.titles:
            self.send_header("icy-metaint", str(METAINT))
            data = with_titles(data, radio.titles)
        self.end_headers()
        try:
            self.send(data)
        except ConnectionError:
            pass

    def send(self, data):
        began = time.monotonic()
        at = 0
        while at < len(data):
            due = BURST + (time.monotonic() - began) * self.radio.rate
            end = min(len(data), int(due))
            if end > at:
                self.wfile.write(data[at:end])
                at = end
            time.sleep(0.05)
