"""A model and a Convex that cost next to nothing: one loop, one write a token.

    python -m bench.upstream [--certificate PEM]     prints its ports as JSON

It speaks just enough: ``POST …/chat/completions`` is answered with a stream as
``Pace`` says, ``POST /api/…`` as our Convex functions would, ``POST /_pace`` sets
the pace, ``GET /_open`` tells how many streams are open. A token carries the
microsecond at which it was written (``CLOCK_MONOTONIC``, so the load generator
can subtract), the first one also when its request came.
"""

import argparse
import contextlib
import json
import os
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from bench.loop import Loop
from bench.wire import END, HEAD, ROLE, convex_reply, token_event

BACKLOG = 4096
READ_BYTES = 65_536


def microseconds() -> int:
    return time.monotonic_ns() // 1000


@dataclass
class Pace:
    """How answers come from now on."""

    tokens: int = 20
    first_ms: float = 0.0  # request → first token
    gap_ms: float = 0.0  # between tokens; 0: all of them in one write
    storage_ms: float = 0.0  # of every call of Convex
    history: int = 2  # messages that Convex returns as the prompt


class Upstream:
    """What all connections share."""

    def __init__(self) -> None:
        self.loop = Loop()
        self.pace = Pace()
        self.open_streams = 0

    def listen(self, context: ssl.SSLContext | None = None) -> int:
        server = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
        server.setblocking(False)
        self.loop.watch(server.fileno(), partial(self._accept, server, context))
        port: int = server.getsockname()[1]
        return port

    def _accept(self, server: socket.socket, context: ssl.SSLContext | None) -> None:
        try:
            link, _ = server.accept()
        except BlockingIOError:
            return
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context is not None:
            link.settimeout(5)  # the handshake, with a peer that is at it as well
            try:
                link = context.wrap_socket(link, server_side=True)
            except OSError:
                return
        link.setblocking(False)
        Connection(self, link)


class Connection:
    """One connection: requests in, answers out."""

    def __init__(self, upstream: Upstream, link: socket.socket) -> None:
        self._upstream = upstream
        self._link = link
        self._fd = link.fileno()
        self._is_tls = isinstance(link, ssl.SSLSocket)
        self._received = b""
        self._left = 0  # tokens of the stream that is being sent
        self._due = 0.0
        self._is_open = True
        upstream.loop.watch(self._fd, self._read)

    def _read(self) -> None:
        try:
            data = self._link.recv(READ_BYTES)
            while isinstance(self._link, ssl.SSLSocket) and self._link.pending():
                data += self._link.recv(READ_BYTES)
        except (BlockingIOError, ssl.SSLWantReadError):
            return
        except OSError:
            data = b""
        if not data:
            self._close()
            return
        self._received += data
        while self._take_request():
            pass

    def _take_request(self) -> bool:
        head, blank, rest = self._received.partition(b"\r\n\r\n")
        if not blank:
            return False
        length = 0
        at = head.lower().find(b"\r\ncontent-length:")
        if at >= 0:
            length = int(head[at + 17 :].split(b"\r\n", 1)[0])
        if len(rest) < length:
            return False
        self._received = rest[length:]
        self._answer(head.split(b" ", 2)[1], rest[:length])
        return True

    def _answer(self, path: bytes, body: bytes) -> None:
        came_at = microseconds()
        upstream, pace = self._upstream, self._upstream.pace
        if path.endswith(b"/chat/completions"):
            upstream.open_streams += 1
            self._left = pace.tokens
            self._later(pace.first_ms, partial(self._begin_stream, came_at))
        elif path.startswith(b"/api/"):
            self._later(pace.storage_ms, partial(self._reply, convex_reply(body, pace.history)))
        elif path == b"/_pace":
            upstream.pace = Pace(**json.loads(body))
            self._reply(asdict(upstream.pace))
        else:
            self._reply({"open": upstream.open_streams})

    def _later(self, delay_ms: float, call: Callable[[], None]) -> None:
        if delay_ms:
            self._upstream.loop.after(delay_ms / 1000, call)
        else:
            call()

    def _begin_stream(self, came_at: int) -> None:
        if not self._is_open:
            return
        first = token_event(b"%d,%d" % (came_at, microseconds()))
        gap_s = self._upstream.pace.gap_ms / 1000
        self._left -= 1
        if gap_s and self._left:
            self._write(HEAD + ROLE + first)
            self._due = self._upstream.loop.after(gap_s, self._send_token)
        else:
            rest = b"".join(token_event(b"%d" % microseconds()) for _ in range(self._left))
            self._write(HEAD + ROLE + first + rest + END)
            self._end_stream()

    def _send_token(self) -> None:
        if not self._is_open:
            return
        event = token_event(b"%d" % microseconds())
        self._left -= 1
        if self._left:
            self._write(event)
            loop, gap_s = self._upstream.loop, self._upstream.pace.gap_ms / 1000
            self._due = loop.after(gap_s, self._send_token, since=self._due)
        else:
            self._write(event + END)
            self._end_stream()

    def _end_stream(self) -> None:
        self._left = 0
        self._upstream.open_streams -= 1

    def _reply(self, answer: Any) -> None:
        body = json.dumps(answer).encode()
        self._write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
            % (len(body), body)
        )

    def _write(self, data: bytes) -> None:
        try:
            sent = self._link.send(data) if self._is_tls else os.write(self._fd, data)
        except (BlockingIOError, ssl.SSLWantWriteError):
            sent = 0
        except OSError:
            self._close()
            return
        if sent < len(data):  # the server under test is far behind: wait for it
            self._link.setblocking(True)
            with contextlib.suppress(OSError):
                self._link.sendall(data[sent:])
            self._link.setblocking(False)

    def _close(self) -> None:
        if self._is_open:
            self._is_open = False
            self._upstream.loop.forget(self._fd)
            self._link.close()
            if self._left:
                self._end_stream()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--certificate", help="a PEM file with key and certificate")
    options = parser.parse_args()
    upstream = Upstream()
    ports = {"http": upstream.listen()}
    if options.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.certificate)
        ports["https"] = upstream.listen(context)
    print(json.dumps(ports), flush=True)
    upstream.loop.run()


if __name__ == "__main__":
    main()
