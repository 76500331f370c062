#!/usr/bin/env python3
# p2phlssrc: p2phls-gateway as players and people meet it.
# SPDX-License-Identifier: LGPL-2.1-or-later
"""One scene each; the origin is Python's and contains none of our code.

    gateway.py SCENE [PREFIX…]      PREFIX goes in front of the program
"""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from urllib.parse import urljoin, urlsplit

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))

import corpus  # noqa: E402
import origin as origins  # noqa: E402
import procs  # noqa: E402
import trust  # noqa: E402
from check import check  # noqa: E402

PREFIX = sys.argv[2:]
ALONE = {"trackers": "none", "ice_servers": "none"}
LOCAL = r"http://127\.0\.0\.1:\d+/[0-9a-f]{32}/"


class Client:
    """One connection that is kept alive."""

    def __init__(self, url):
        self.connection = http.client.HTTPConnection(
            urlsplit(url).netloc, timeout=procs.PATIENCE)

    def ask(self, url, method="GET", **headers):
        """(status, headers, body)"""
        parts = urlsplit(url)
        path = parts.path + ("?" + parts.query if parts.query else "")
        self.connection.request(method, path, headers={
            name.replace("_", "-"): value for name, value in headers.items()})
        answer = self.connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def port(self):
        """Of our end: another one means another connection."""
        return self.connection.sock.getsockname()[1]


def links(url, body):
    """What a playlist at this address leads to."""
    return [urljoin(url, line) for line in body.decode().splitlines()
            if line and not line.startswith("#")]


def open_stream(gateway):
    """(client, address of the media playlist, its segments)"""
    client = Client(gateway.url)
    status, headers, body = client.ask(gateway.url)
    check(status == 200 and headers["Content-Type"]
          == "application/vnd.apple.mpegurl", "the playlist is there", status)
    media = links(gateway.url, body)[0]
    return client, media, links(media, client.ask(media)[2])


def file_of(folder, url):
    with open(os.path.join(folder, url.split("/")[-1]), "rb") as source:
        return source.read()


def start(cast, origin, *arguments, scheme="http", path="master.m3u8",
          **settings):
    return cast.add(procs.Gateway(
        origin.url(path, scheme), *arguments, prefix=PREFIX,
        **{**ALONE, **settings}))


def leave(gateway):
    gateway.stop()
    check(gateway.process.returncode == 0, "it leaves in peace",
          "%s %s" % (gateway.process.returncode, gateway.noise))


# --- scenes -----------------------------------------------------------------

def bytes_(cast):
    """Two lines, then every byte; ranges, HEAD, pages, kept connections."""
    folder = corpus.folder("ts", 60)
    origin = cast.add(origins.Origin(folder))
    gateway = start(cast, origin, scheme="p2phls+http")
    check(re.fullmatch(LOCAL + r"http/127\.0\.0\.1:\d+/master\.m3u8",
                       gateway.url), "the first line leads to the stream",
          gateway.url)
    check(re.fullmatch(LOCAL, gateway.status),
          "the second line to the status page", gateway.status)
    client, _, segments = open_stream(gateway)
    port = client.port()
    for url in segments:
        status, headers, body = client.ask(url)
        if (status, headers["Content-Type"], body) != (
                200, "video/mp2t", file_of(folder, url)):
            check(False, "each segment is the origin's", url)
    check(len(segments) == 30, "each segment is the origin's", segments)

    whole = file_of(folder, segments[0])
    for asked, first, end in (("bytes=100-199", 100, 200),
                              ("bytes=1000-", 1000, len(whole)),
                              ("bytes=0-0", 0, 1)):
        status, headers, body = client.ask(segments[0], Range=asked)
        check((status, body, headers["Content-Range"])
              == (206, whole[first:end], "bytes %d-%d/%d"
                  % (first, end - 1, len(whole))), asked,
              "%s %s" % (status, headers))
    status, headers, _ = client.ask(segments[0], Range="bytes=99999999-")
    check(status == 416, "what lies behind the end is refused", status)
    status, headers, body = client.ask(segments[0], "HEAD")
    check((status, int(headers["Content-Length"]), body)
          == (200, len(whole), b""), "HEAD tells the length", headers)
    status, headers, _ = client.ask(
        segments[0], "OPTIONS", Origin="http://a.example",
        Access_Control_Request_Method="GET",
        Access_Control_Request_Headers="range")
    check(status == 200 and headers["Access-Control-Allow-Origin"] == "*"
          and headers["Access-Control-Allow-Headers"] == "*",
          "web pages may come", headers)
    check(client.ask(segments[0], "POST")[0] == 405, "nobody may send")
    check(client.port() == port, "over one connection", client.port())
    check(any("shares the stream" in line for line in gateway.noise)
          and any("p2p=false" in line for line in gateway.noise),
          "it says that it shares", gateway.noise)
    leave(gateway)


def plain(cast):
    """The same bytes, and no word about sharing, without P2P."""
    folder = corpus.folder("fmp4", 60)
    origin = cast.add(origins.Origin(folder))
    gateway = start(cast, origin, "--set", "p2p=false")
    client, _, segments = open_stream(gateway)
    check(all(client.ask(url)[2] == file_of(folder, url)
              for url in segments), "each segment is the origin's")
    check(gateway.noise == [], "nothing is said about it", gateway.noise)
    leave(gateway)


def secure(cast):
    """From an origin with TLS; between the gateway and the player is none."""
    folder = corpus.folder("fmp4", 60)
    origin = cast.add(origins.Origin(folder, certificate=trust.enter()))
    gateway = start(cast, origin, scheme="p2phls+http")
    check(re.fullmatch(LOCAL + r"https/127\.0\.0\.1:\d+/master\.m3u8",
                       gateway.url), "the origin is asked over TLS",
          gateway.url)
    client, _, segments = open_stream(gateway)
    check(all(client.ask(url)[2] == file_of(folder, url)
              for url in segments), "each segment is the origin's")
    check(client.ask(segments[0].replace("/https/", "/http/"))[0] == 404,
          "and never without")
    leave(gateway)


def forged(cast):
    """Only what was given out is answered for."""
    origin = cast.add(origins.Origin(corpus.folder("ts", 60)))
    gateway = start(cast, origin)
    client, _, segments = open_stream(gateway)
    url = segments[0]
    code = url.split("/")[3]
    before = {path: count.requests for path, count in origin.counts.items()}
    for forgery in (
            url.replace(code, "0" * 32), url.replace("media-000", "media-001"),
            url.replace("/http/", "/https/"), url + "/../secret",
            url.replace(urlsplit(url).path.split("/")[3], "127.0.0.1:1"),
            urljoin(url, "/"), urljoin(url, "/" + code)):
        check(client.ask(forgery)[0] == 404, "404 for " + forgery)
    client, token = Client(gateway.status), gateway.status.split("/")[3]
    for forgery in (gateway.status.replace(token, "0" * 32),
                    urljoin(gateway.status, "/"),
                    urljoin(gateway.status, "/events"),
                    gateway.status + "secret"):
        check(client.ask(forgery)[0] == 404, "404 for " + forgery)
    check(client.ask(gateway.status, "POST")[0] == 405, "nobody may send")
    check(client.ask(gateway.status, Host="evil.example")[0] == 421,
          "nobody comes under another name")
    check({path: count.requests for path, count in origin.counts.items()}
          == before, "the origin heard nothing of it", origin.counts)
    leave(gateway)


def faults(cast):
    """What the origin does wrong reaches the player as what it is."""
    folder = corpus.folder("ts", 60)
    origin = cast.add(origins.Origin(folder))
    gateway = start(cast, origin, "--set", "retries=0", "--set",
                    "keep-alive=false")
    client, _, segments = open_stream(gateway)
    for status in (404, 403, 500):
        origin.fault("media-001", status=status)
        seen = client.ask(segments[1])[0]
        check(seen == status, "the origin's %d is the player's" % status, seen)
        origin.heal()
    origin.fault("media-002", short=5000, times=1)
    origin.fault("media-002", status=500)
    try:
        seen = len(client.ask(segments[2])[2])
    except http.client.IncompleteRead as broken:
        seen = broken
    check(isinstance(seen, http.client.IncompleteRead),
          "a body that breaks off ends the connection", seen)
    origin.heal()
    client = Client(gateway.url)
    check(client.ask(segments[2])[2] == file_of(folder, segments[2]),
          "and comes whole later")
    origin.close()
    seen = client.ask(segments[9])[0]
    check(seen == 502, "without an origin: 502", seen)
    leave(gateway)


def gone(cast):
    """A player that goes away in the middle costs nothing more."""
    folder = corpus.folder("ts", 60)
    origin = cast.add(origins.Origin(folder))
    gateway = start(cast, origin, "--set", "p2p=false")
    client, _, segments = open_stream(gateway)
    origin.fault("media-001", bytes_per_second=20000)
    parts = urlsplit(segments[1])
    leaver = socket.create_connection((parts.hostname, parts.port))
    leaver.sendall(("GET %s HTTP/1.1\r\nHost: x\r\n\r\n"
                    % parts.path).encode())
    leaver.recv(1000)
    leaver.close()

    def sent():
        return origin.counts["media-001.ts"].bytes

    # The origin's end of the connection is closed once ours is.
    seen = [sent(), -1]

    def quiet():
        seen.append(sent())
        return len(seen) > 20 and seen[-1] == seen[-20]
    procs.wait_for("the origin to be left alone", quiet)
    check(sent() < len(file_of(folder, segments[1])),
          "the rest is not fetched", sent())
    origin.heal()
    check(client.ask(segments[1])[2] == file_of(folder, segments[1]),
          "others are served")
    leave(gateway)


def live(cast):
    """A live playlist moves on, its segments with it."""
    folder = corpus.folder("ts", 60)
    origin = cast.add(origins.Origin(folder, window=4))
    origin.start()
    gateway = start(cast, origin)
    client, media, segments = open_stream(gateway)
    check(len(segments) == 4, "a window of segments", segments)
    seen = list(segments)

    def moved():
        status, _, body = client.ask(media)
        for url in links(media, body):
            if url not in seen:
                seen.append(url)
        return status == 200 and len(seen) >= 6
    procs.wait_for("the window to move", moved)
    newest = seen[-1]
    check(client.ask(newest)[2] == file_of(folder, newest),
          "the newest is there")
    check(client.ask(segments[0])[2] == file_of(folder, segments[0]),
          "so is what left the window")
    leave(gateway)


def other(cast):
    """What is no playlist is passed on, and said to be so."""
    folder = corpus.folder("ts", 60)
    origin = cast.add(origins.Origin(folder))
    gateway = start(cast, origin, path="media-000.ts")
    check(Client(gateway.url).ask(gateway.url)[2]
          == file_of(folder, gateway.url), "a file is passed on")
    check("no HLS playlist" in "".join(gateway.noise), "and said to be one",
          gateway.noise)
    leave(gateway)


def read_events(response, count):
    """The next events of an event stream, as (name, value)."""
    events, name = [], None
    while len(events) < count:
        line = response.readline().decode().rstrip("\n")
        if line.startswith("event: "):
            name = line[len("event: "):]
        elif line.startswith("data: "):
            events.append((name, json.loads(line[len("data: "):])))
        elif line:
            check(re.fullmatch(r"retry: \d+", line), "a line of an event",
                  line)
    return events


def open_events(gateway):
    connection = Client(gateway.status).connection
    connection.request("GET", urlsplit(gateway.status).path + "events")
    return connection.getresponse()


def latest(response):
    """The next snapshot."""
    while True:
        name, value = read_events(response, 1)[0]
        if name == "stats":
            return value


def page(cast):
    """The status page: its files, their policy, its events."""
    origin = cast.add(origins.Origin(corpus.folder("ts", 60)))
    gateway = start(cast, origin)
    client = Client(gateway.status)
    for name, kind in (("", "text/html"), ("status.css", "text/css"),
                       ("status.js", "text/javascript")):
        status, headers, body = client.ask(gateway.status + name)
        check(status == 200 and headers["Content-Type"].startswith(kind)
              and len(body) > 1000, "%s is there" % (name or "the page"),
              headers)
        policy = headers["Content-Security-Policy"]
        check("default-src 'none'" in policy and "unsafe" not in policy
              and headers["X-Content-Type-Options"] == "nosniff"
              and "Access-Control-Allow-Origin" not in headers,
              "with a policy", headers)
        check(b"http://" not in body.replace(b"http://www.w3.org/", b"")
              and b"https://" not in body, "and nothing from elsewhere")
    response = open_events(gateway)
    check(response.headers["Content-Type"] == "text/event-stream",
          "the events are there", response.headers)
    first, second, third = read_events(response, 3)
    check(first[0] == "history" and first[1]["address"] == gateway.url
          and len(first[1]["samples"]) >= 1, "history comes first", first)
    check(second[0] == third[0] == "stats"
          and third[1]["time-ms"] > second[1]["time-ms"], "then stats", third)
    check(set(second[1]) >= {"http-bytes", "p2p-bytes", "upload-bytes",
                             "trackers", "swarms", "peer-list"},
          "with the names of the element's", second)
    before = second[1]["http-segments"]
    stream, _, segments = open_stream(gateway)
    stream.ask(segments[0])
    procs.wait_for("the segment to be counted", lambda:
                   latest(response)["http-segments"] > before)
    leave(gateway)


def frames(url, start=0):
    """What ffmpeg reads of all tracks and variants, as a line for each frame
    with its digest. start: seconds"""
    return subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-ss", str(start), "-i", url,
         "-map", "0", "-c", "copy", "-f", "framemd5", "-"], check=True,
        capture_output=True).stdout


def ffmpeg(cast):
    """A player of another family reads the same frames, from everywhere."""
    for kind, tracks in (("ts", 2), ("audio", 3), ("variants", 6)):
        origin = cast.add(origins.Origin(corpus.folder(kind, 60)))
        gateway = start(cast, origin)
        for at in (0, 31):
            ours = frames(gateway.url, at)
            check(ours.count(b"#media_type") == tracks
                  and ours.count(b"\n") > 1000, "ffmpeg plays %s from %d s"
                  % (kind, at), ours[-500:])
            check(ours == frames(origin.url("master.m3u8", "http"), at),
                  "frame by frame the origin's")
        leave(gateway)


def shared(cast):
    """ffmpeg plays what another viewer gives, and the page counts it."""
    folder = corpus.folder("ts", 60)
    origin = cast.add(origins.Origin(folder))
    tracker = cast.add(procs.tracker())
    viewer = cast.add(procs.Viewer(
        origin.url("master.m3u8"), "--flat-out", "--linger",
        trackers=tracker.url, ice_servers="none"))
    procs.wait_for("the viewer to have all",
                   lambda: viewer.stat("segments-stored") == 30)
    expected = frames(origin.url("master.m3u8", "http"))
    before = sum(count.bytes for path, count in origin.counts.items()
                 if path.endswith(".ts"))
    gateway = start(cast, origin, trackers=tracker.url)
    client, _, segments = open_stream(gateway)
    events = open_events(gateway)
    procs.wait_for("the two to meet", lambda: latest(events)["peers"] == 1)
    check(frames(gateway.url) == expected, "frame by frame the origin's")
    check(all(client.ask(url)[2] == file_of(folder, url)
              for url in segments), "byte by byte, too")

    def counted():
        stats = latest(events)
        return stats["p2p-segments"] + stats["http-segments"] == 30 and stats
    stats = procs.wait_for("each to be counted", counted)
    after = sum(count.bytes for path, count in origin.counts.items()
                if path.endswith(".ts"))
    check(stats["p2p-segments"] > 5, "much of it from the viewer", stats)
    check(stats["http-bytes"] == after - before,
          "the rest is what the origin has sent", (stats, after - before))
    check(stats["peer-list"][0]["down-bytes"] >= stats["p2p-bytes"],
          "the viewer's row has it", stats)
    leave(gateway)


def refused(cast):
    """Status 2 and one line for what cannot work."""
    origin = cast.add(origins.Origin(corpus.folder("ts", 60)))
    taken = socket.create_server(("127.0.0.1", 0))
    port = str(taken.getsockname()[1])
    good = origin.url("master.m3u8", "http")
    for arguments, word in (
            ([], "--help"), (["a", "b"], "--help"), (["--no", good], "--no"),
            (["--port", "65536", good], "--help"),
            (["file:///etc/passwd"], "http"), (["rtsp://a/b"], "http"),
            (["http://"], "http"),
            ([origin.url("none.m3u8", "http") + "?secret"], "404"),
            (["http://127.0.0.1:%s/?secret" % unused_port()], "127.0.0.1"),
            (["--port", port, good], port),
            (["--set", "p2p=perhaps", good], "perhaps"),
            (["--set", "peers=3", good], "peers"),
            (["--set", "method=POST", good], "method"),
            (["--set", "timeout", good], "timeout"),
            (["--set", "timeout=-1", good], "timeout"),
            (["--set", "trackers=http://a", good], "trackers")):
        ended = run(arguments)
        lines = ended.stderr.strip().split("\n")
        check(ended.returncode == 2 and not ended.stdout and len(lines) == 1
              and lines[0].startswith("p2phls-gateway: ") and word in lines[0]
              and "secret" not in lines[0], " ".join(arguments) or "nothing",
              ended)
    environment = {"GST_P2PHLS": "nonsense=1"}
    ended = run([good], environment)
    check(ended.returncode == 2 and "GST_P2PHLS" in ended.stderr,
          "an environment variable", ended)
    ended = run(["--help"])
    check(ended.returncode == 0 and "max-upload-bitrate" in ended.stdout
          and "user-agent" in ended.stdout
          and max(map(len, ended.stdout.split("\n"))) < 88,
          "help lists the settings", ended.stdout)
    taken.close()


def unused_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def run(arguments, environment=None):
    return subprocess.run(
        [*PREFIX, os.path.join(procs.BUILD, "tools", "p2phls-gateway"),
         *arguments], capture_output=True, text=True,
        timeout=procs.PATIENCE, env={**os.environ, "LC_ALL": "C.UTF-8",
                                     **(environment or {})})


def settings(cast):
    """The origin is asked as the settings say; SIGINT ends it, too."""
    origin = cast.add(origins.Origin(corpus.folder("ts", 60)))
    seen = []
    handler = origin.server.RequestHandlerClass
    plain_get = handler.do_GET

    def noting_get(self, head=False):
        seen.append(self.headers)
        plain_get(self, head)
    handler.do_GET = noting_get
    gateway = start(cast, origin, "--set", "user-agent=Test/1", "--set",
                    "extra-headers=h, X-One=a", "--set",
                    "cookies=a=1;b=2", "--set", "swarm-id=a;b=c")
    open_stream(gateway)
    check(len(seen) >= 3 and all(
        headers["User-Agent"] == "Test/1" and headers["X-One"] == "a"
        and headers.get_all("Cookie") == ["a=1", "b=2"]
        and "Icy-MetaData" not in headers for headers in seen),
        "the origin sees them", [str(headers) for headers in seen])
    gateway.process.send_signal(signal.SIGINT)
    gateway.finish()
    check(gateway.process.returncode == 0, "SIGINT ends it",
          gateway.process.returncode)


SCENES = {"bytes": bytes_, "plain": plain, "secure": secure, "forged": forged,
          "faults": faults, "gone": gone, "live": live, "other": other,
          "page": page, "ffmpeg": ffmpeg, "shared": shared, "refused": refused,
          "settings": settings}


def main():
    with procs.Cast() as cast:
        SCENES[sys.argv[1]](cast)


if __name__ == "__main__":
    main()
