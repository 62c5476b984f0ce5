"""A server whose every byte the test decides, in the same hub as the client.

def handle(link):
    link.request()                          # wait for a whole request
    link.send(b"HTTP/1.1 200 OK\\r\\n…")

with Peer(handle) as peer:                  # a handler for each connection; the last for the rest
    HttpClient(peer.url)
"""

import contextlib
import re
import struct
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from gevent import socket
from gevent.event import Event
from gevent.server import StreamServer
from gevent.ssl import PROTOCOL_TLS_SERVER, SSLContext

WAIT_S = 20.0
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


class Link:
    """One connection, from the server's side."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._received = bytearray()
        sock.settimeout(WAIT_S)
        # Else what is sent in pieces waits for the client's kernel to acknowledge the first: 40 ms.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def request(self) -> bytes:
        """Return the next request, body included; ``b""`` when the client left."""
        while (end := self._received.find(b"\r\n\r\n")) < 0:
            if not self._more():
                return b""
        found = _LENGTH.search(self._received, 0, end)
        size = end + 4 + (int(found[1]) if found else 0)
        while len(self._received) < size:
            if not self._more():
                return b""
        request = bytes(self._received[:size])
        del self._received[:size]
        return request

    def send(self, data: bytes) -> None:
        self._sock.sendall(data)

    def wait_left(self) -> None:
        """Return when the client has closed."""
        with contextlib.suppress(ConnectionResetError):
            while self._sock.recv(65_536):
                pass

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()

    def reset(self) -> None:
        """Close with RST."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._sock.close()

    def _more(self) -> bytes:
        received: bytes = self._sock.recv(65_536)
        self._received += received
        return received


Handler = Callable[[Link], object]


class HubServer:
    """A server on this machine and in this hub; who inherits handles its connections."""

    def __init__(self, certificate: Path | None = None) -> None:
        tls = {}
        if certificate is not None:
            context = SSLContext(PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            tls = {"ssl_context": context}
        self._server = StreamServer(("127.0.0.1", 0), self._handle, **tls)
        self._scheme = "https" if certificate else "http"

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.stop(timeout=0)

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_port}"

    def _handle(self, client: Any, address: object) -> None:
        raise NotImplementedError


class Peer(HubServer):
    """The server; ``connections`` counts what it accepted, ``ended`` waits for a handler."""

    def __init__(self, *handlers: Handler, certificate: Path | None = None) -> None:
        super().__init__(certificate)
        self.connections = 0
        self._handlers = handlers
        self._ended = [Event() for _ in handlers]

    def wait_ended(self, number: int = 0) -> None:
        """Return when the handler has served a connection to its end."""
        assert self._ended[number].wait(WAIT_S), f"handler {number} goes on"

    def _handle(self, sock: Any, _address: object) -> None:
        number = min(self.connections, len(self._handlers) - 1)
        self.connections += 1
        link = Link(sock)
        try:
            self._handlers[number](link)
        finally:
            link.close()
            self._ended[number].set()


def whole(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    """A response with a ``Content-Length``."""
    fields = "".join(f"{header}\r\n" for header in headers)
    return f"HTTP/1.1 {status}\r\n{fields}Content-Length: {len(body)}\r\n\r\n".encode() + body


CHUNKED_HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def answer_each(link: Link) -> None:
    """Answer each request with its first line."""
    while request := link.request():
        link.send(whole(request.split(b"\r\n")[0]))
