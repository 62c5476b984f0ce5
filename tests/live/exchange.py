"""One HTTP exchange over a plain socket: what a client sends, sees, and when."""

import json
import socket
import ssl
import struct
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPMessage, HTTPResponse
from typing import Any

TIMEOUT_S = 20.0

Address = tuple[str, int]


@dataclass(frozen=True)
class Line:
    """One line of a stream: its event, or ``None`` for a heartbeat."""

    event: dict[str, Any] | None
    came_at: float

    @property
    def type(self) -> str:
        return "heartbeat" if self.event is None else str(self.event["type"])


@dataclass(frozen=True)
class Answer:
    """A whole response."""

    status: int
    headers: HTTPMessage
    body: bytes
    took_s: float = 0.0

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Exchange:
    """A request that was sent, and its response as it comes.

    ``answer()`` reads all of it; ``lines()`` reads a stream line by line.
    Leaving the context closes the socket, as a visitor does who goes away.
    """

    def __init__(
        self,
        address: Address,
        request: bytes,
        timeout_s: float = TIMEOUT_S,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._socket = socket.create_connection(address, timeout_s)
        if tls is not None:
            self._socket = tls.wrap_socket(self._socket, server_hostname="localhost")
        self.sent_at = time.monotonic()
        self._socket.sendall(request)
        method = request.partition(b" ")[0].decode("latin-1")
        self._response = HTTPResponse(self._socket, method=method)

    def __enter__(self) -> "Exchange":
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    def begin(self) -> "Exchange":
        """Read the status and the headers."""
        self._response.begin()
        return self

    @property
    def status(self) -> int:
        return self._response.status

    @property
    def headers(self) -> HTTPMessage:
        return self._response.headers

    def answer(self) -> Answer:
        """Read the whole response and close."""
        if self._response.headers is None:
            self.begin()
        with self:
            body = self._response.read()
            return Answer(self.status, self.headers, body, time.monotonic() - self.sent_at)

    def next_line(self) -> Line:
        """Return the next line, whatever it is; the end of the stream is an error."""
        text = self._response.readline()
        assert text.endswith(b"\n"), f"the stream ended with {text!r}"
        return Line(json.loads(text) if text.strip() else None, time.monotonic())

    def next_bytes(self) -> bytes:
        """Return the next line as it is, of a stream that is no NDJSON."""
        return self._response.readline()

    def next_event(self) -> dict[str, Any]:
        """Return the next event, skipping heartbeats as clients do."""
        while (line := self.next_line()).event is None:
            pass
        return line.event

    def until(self, kind: str) -> list[Line]:
        """Return the lines up to and including the first of this type."""
        lines = [self.next_line()]
        while lines[-1].type != kind:
            lines.append(self.next_line())
        return lines

    def lines(self) -> Iterator[Line]:
        """Yield the lines that are left, to the clean end of the body."""
        while text := self._response.readline():
            assert text.endswith(b"\n"), f"half a line: {text!r}"
            yield Line(json.loads(text) if text.strip() else None, time.monotonic())

    def events(self) -> list[dict[str, Any]]:
        """Return the events that are left, without heartbeats."""
        with self:
            return [line.event for line in self.lines() if line.event is not None]

    def leave(self) -> None:
        """Close the connection with FIN; more than once does no harm."""
        self._response.close()
        self._socket.close()

    def reset(self) -> None:
        """Close the connection with RST."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.leave()


def request_bytes(
    method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
) -> bytes:
    """Write one HTTP/1.1 request; ``Host`` and ``Content-Length`` unless they are given."""
    fields = {"Host": "perch.test", "Connection": "close", **(headers or {})}
    if body is not None:
        fields.setdefault("Content-Length", str(len(body)))
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "surrogateescape") + (body or b"")
