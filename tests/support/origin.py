# p2phlssrc: an HTTP origin that counts, goes live, and misbehaves on demand.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Serves a folder of HLS as it is, or as a live stream whose window slides
over the same segments. Counts what leaves for each path. Faults are put in
front of paths by the tests: no product code here, on purpose, so that a bug
of ours cannot hide on both sides."""

import http.server
import os
import re
import socket
import ssl
import threading
import time

TYPES = {".m3u8": "application/vnd.apple.mpegurl", ".ts": "video/mp2t",
         ".mp4": "video/mp4", ".m4s": "video/iso.segment",
         ".m4a": "audio/mp4", ".mpd": "application/dash+xml",
         ".key": "application/octet-stream",
         ".jpg": "image/jpeg", ".png": "image/png"}


def absolute(text, base):
    """A playlist whose URIs, all relative, follow base instead."""
    text = re.sub(r'URI="([^"]*)"', r'URI="%s\1"' % base, text)
    return re.sub(r"(?m)^([^#\s].*)$", r"%s\1" % base, text)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # many players may begin at once


class Server6(Server):
    address_family = socket.AF_INET6


class Count:
    """What has left for one path."""

    def __init__(self):
        self.requests = self.bytes = 0
        self.resumed = 0  # requests for the end of a file alone
        self.asked = []  # the moments of the requests


class Fault:
    """One way to misbehave, for paths that match, `times` times.

    delay: let so many seconds pass before looking what there is;
    status: answer with this instead; bytes_per_second: trickle;
    short: close after this many bytes; cut: close at this byte of the file,
    whatever was asked; longer: claim this many bytes more than there are;
    ranges: what becomes of a Range that begins after the first byte:
    "ignored", "refused" (416), or "misnamed" in the answer;
    hang: send headers, then nothing.
    """

    def __init__(self, pattern, times=None, delay=0, status=None,
                 bytes_per_second=None, short=None, cut=None, longer=0,
                 ranges=None, hang=False):
        self.pattern, self.times = re.compile(pattern), times
        self.delay = delay
        self.status, self.bytes_per_second = status, bytes_per_second
        self.short, self.cut, self.longer = short, cut, longer
        self.ranges, self.hang = ranges, hang


class Playlist:
    """A media playlist as a head and one text for each segment."""

    def __init__(self, text):
        self.head, self.segments, self.durations, self.uris = [], [], [], []
        pending, keep = [], []
        for line in text.split("\n"):
            if line.startswith(("#EXT-X-KEY", "#EXT-X-MAP")):
                # In force from here on: every window repeats it.
                keep = [k for k in keep
                        if k.split(":")[0] != line.split(":")[0]] + [line]
            elif line.startswith("#EXTINF"):
                self.durations.append(float(line.split(":")[1].split(",")[0]))
                pending.append(line)
            elif line.startswith("#EXT-X-BYTERANGE"):
                pending.append(line)
            elif line.startswith("#EXT"):
                if not line.startswith(("#EXT-X-ENDLIST", "#EXT-X-PLAYLIST",
                                        "#EXT-X-MEDIA-SEQ")):
                    self.head.append(line)
            elif line:
                self.segments.append((list(keep), pending + [line]))
                self.uris.append(line)
                pending = []

    def window(self, published, length):
        """The text while segments [0, published) exist."""
        first = max(0, published - length)
        lines = list(self.head) + ["#EXT-X-MEDIA-SEQUENCE:%d" % first]
        last_keep = None
        for keep, segment in self.segments[first:published]:
            if keep != last_keep:
                lines += keep
                last_keep = keep
            lines += segment
        if published >= len(self.segments):
            lines.append("#EXT-X-ENDLIST")
        return "\n".join(lines) + "\n"


class Origin:
    def __init__(self, folder, window=None, begin=None, address="127.0.0.1",
                 host=None, certificate=None):
        """window: segments in the live playlist, None for VOD; begin:
        segments that exist at start () (default: a full window); host: its
        name in URLs, if not the address; certificate: a file with its key,
        for TLS."""
        self.folder, self.window = folder, window
        self.host = host or (
            "[%s]" % address if ":" in address else address)
        self.begin = begin if begin is not None else window
        self.elsewhere = None  # the origin that playlists send players to
        self.base = None  # what comes before each URI in playlists
        self.lock = threading.Lock()
        self.counts, self.faults, self.live = {}, [], {}
        self.started = None
        self.server = (Server6 if ":" in address else Server)(
            (address, 0), type("Handler", (Handler,), {"origin": self}))
        self.address, self.port = self.server.server_address[:2]
        self.is_secure = certificate is not None
        if self.is_secure:
            self.secure(certificate)
        self.thread = threading.Thread(
            target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def secure(self, certificate):
        """Each connection's own thread shakes hands."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self.server.socket = context.wrap_socket(
            self.server.socket, server_side=True,
            do_handshake_on_connect=False)

    def url(self, path, scheme="p2phls+http"):
        """scheme: that of an origin without TLS."""
        return "%s%s://%s:%d/%s" % (scheme, "s" if self.is_secure else "",
                                    self.host, self.port, path)

    def start(self):
        """Live time begins."""
        self.started = time.monotonic()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def fault(self, pattern, **how):
        fault = Fault(pattern, **how)
        with self.lock:
            self.faults.append(fault)
        return fault

    def heal(self):
        with self.lock:
            self.faults.clear()

    def take_fault(self, path):
        with self.lock:
            for fault in self.faults:
                if fault.pattern.search(path) and fault.times != 0:
                    if fault.times is not None:
                        fault.times -= 1
                    return fault
        return None

    def reset(self):
        """Forgets what has left so far."""
        with self.lock:
            self.counts.clear()

    def add(self, path, requests, count, resumed=0):
        with self.lock:
            entry = self.counts.setdefault(path, Count())
            entry.requests += requests
            entry.asked += [time.monotonic()] * requests
            entry.bytes += count
            entry.resumed += resumed

    # --- live ---------------------------------------------------------------

    def playlist(self, path):
        with self.lock:
            if path not in self.live:
                with open(os.path.join(self.folder, path)) as text:
                    self.live[path] = Playlist(text.read())
            return self.live[path]

    def published(self, playlist, now=None):
        """How many segments exist now."""
        if self.started is None:
            return self.begin
        left = (now or time.monotonic()) - self.started
        count = self.begin
        while count < len(playlist.segments):
            left -= playlist.durations[count]
            if left < 0:
                break
            count += 1
        return count

    def segment_times(self, path):
        """uri: the moment it was published, of one media playlist."""
        playlist = self.playlist(path)
        at, times = self.started, {}
        for index, uri in enumerate(playlist.uris):
            if index >= self.begin:
                at += playlist.durations[index]
            times[uri] = at
        return times

    def body(self, path):
        with open(os.path.join(self.folder, path), "rb") as source:
            data = source.read()
        if self.window and path.endswith(".m3u8") and b"#EXTINF" in data:
            playlist = self.playlist(path)
            data = playlist.window(
                self.published(playlist), self.window).encode()
        if self.elsewhere and path.endswith(".m3u8"):
            base = self.elsewhere.url(os.path.dirname(path), "http")
            data = absolute(
                data.decode(), base.rstrip("/") + "/").encode()
        if self.base and path.endswith(".m3u8"):
            data = absolute(data.decode(), self.base).encode()
        return data

    def copies(self, paths):
        """Bytes that left for these paths, over the bytes they have."""
        size = sum(os.path.getsize(os.path.join(self.folder, path))
                   for path in paths)
        with self.lock:
            left = sum(self.counts[path].bytes
                       for path in paths if path in self.counts)
        return left / size if size else 0.0


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    origin = None

    def setup(self):
        super().setup()
        self.connection.setsockopt(
            socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def handle(self):
        # Players leave in the middle of things, as they may.
        try:
            super().handle()
        except (ConnectionError, ssl.SSLError):
            pass

    def log_message(self, *arguments):
        pass

    def do_OPTIONS(self):
        self.send_response(204)
        self.cors()
        self.end_headers()

    def do_HEAD(self):
        self.do_GET(head=True)

    def cors(self):
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Access-Control-Allow-Headers", "*")
        self.send_header("Access-Control-Expose-Headers", "*")

    def refuse(self, status):
        self.send_response(status)
        self.cors()
        self.send_header("Content-Length", "0")
        self.end_headers()

    def span(self, size):
        """(first, end, partial) of the Range header."""
        match = re.match(r"bytes=(\d+)-(\d*)$", self.headers.get("Range", ""))
        if not match:
            return 0, size, False
        end = int(match.group(2)) + 1 if match.group(2) else size
        return int(match.group(1)), min(end, size), True

    def do_GET(self, head=False):
        path = self.path.split("?")[0].lstrip("/")
        path = os.path.normpath(path)
        self.origin.add(path, 1, 0)
        fault = self.origin.take_fault(path)
        if fault:
            time.sleep(fault.delay)
        try:
            data = self.origin.body(path)
        except (OSError, ValueError):
            return self.refuse(404)
        first, end, partial = self.span(len(data))
        self.origin.add(path, 0, 0, first > 0 and end == len(data))
        if fault and fault.status:
            return self.refuse(fault.status)
        ranges = fault.ranges if fault and first > 0 else None
        if ranges == "ignored":
            first, end, partial = 0, len(data), False
        if partial and (first >= len(data) or ranges == "refused"):
            return self.refuse(416)
        self.send_response(206 if partial else 200)
        self.cors()
        self.send_header("Content-Type", TYPES.get(
            os.path.splitext(path)[1], "application/octet-stream"))
        longer = fault.longer if fault else 0
        self.send_header("Content-Length", str(end - first + longer))
        self.send_header("Accept-Ranges", "bytes")
        if path.endswith(".m3u8"):
            self.send_header("Cache-Control", "no-cache")
        if partial:
            off = 1 if ranges == "misnamed" else 0
            self.send_header("Content-Range", "bytes %d-%d/%d" % (
                first - off, end - 1 - off, len(data)))
        self.end_headers()
        if not head:
            if fault and fault.cut is not None:
                end = max(first, min(end, fault.cut))
            try:
                self.send(path, data[first:end], fault)
            except OSError:
                self.close_connection = True

    def send(self, path, data, fault):
        if fault and fault.hang:
            self.wfile.flush()
            while fault in self.origin.faults:
                time.sleep(0.05)
            data = b""
        if fault and fault.short is not None:
            data = data[:fault.short]
        rate = fault.bytes_per_second if fault else None
        step = max(1, int(rate / 20)) if rate else 64 * 1024
        for at in range(0, len(data), step):
            self.wfile.write(data[at:at + step])
            # Counted as it leaves: an aborted transfer costs what it cost.
            self.origin.add(path, 0, len(data[at:at + step]))
            if rate:
                time.sleep(step / rate)
        if fault and (fault.short is not None or fault.cut is not None
                      or fault.longer or fault.hang):
            self.close_connection = True
