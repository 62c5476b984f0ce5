"""Requests to one server over kept-alive connections."""

import ssl
import time
from collections import deque
from collections.abc import Sequence
from urllib.parse import urlsplit

from app.http_client.connection import Connection, make_tls_context
from app.http_client.exchange import Exchange, find_header
from app.http_client.failures import ClosedWhileIdle, HttpBroken
from app.http_client.happy_eyeballs import Vet
from app.http_client.parser import ResponseParser
from app.http_client.proxies import NO_PROXIES, Proxies
from app.http_client.route import Route
from app.http_client.shortcut import ChunkParser

Headers = Sequence[tuple[str, str]]


class Response:
    """A response whose body was read whole.

    ``resent`` tells that an idle connection was closed under the request,
    which was then sent again: a server that died of it may have acted on it.
    """

    __slots__ = ("_headers", "body", "resent", "status")

    def __init__(
        self,
        status: int,
        headers: Sequence[tuple[bytes, bytes]],
        body: bytes,
        resent: bool = False,
    ) -> None:
        self.resent = resent
        self.status = status
        self._headers = headers
        self.body = body

    def header(self, name: str) -> str | None:
        """Return the first header of this name, in any case."""
        return find_header(self._headers, name)


class HttpClient:
    """Requests to one server over kept-alive connections, all with ``headers``.

    ``head_timeout_s`` is how long the server may think before it answers at
    all: without it, no longer than between two reads. ``vet`` tells which of
    its addresses may be connected to, see ``Route``.
    Safe for any number of greenlets of one hub. Make it after the fork.
    """

    def __init__(
        self,
        base_url: str,
        *,
        connect_timeout_s: float = 3.0,
        read_timeout_s: float = 30.0,
        head_timeout_s: float | None = None,
        max_idle: int = 64,
        headers: Headers = (),
        ssl_context: ssl.SSLContext | None = None,
        proxies: Proxies = NO_PROXIES,
        vet: Vet | None = None,
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"not an http(s) URL: {base_url!r}")
        authority = parts.netloc.rpartition("@")[2]
        proxy = proxies.of(base_url)
        is_tls = parts.scheme == "https"
        # RFC 9112, section 3.2.2: a proxy that opens no tunnel is told the whole address.
        origin = f"http://{authority}" if proxy and not is_tls else ""
        self._prefix = origin + parts.path.rstrip("/")
        always = [("Host", authority), ("Accept-Encoding", "identity"), *headers]
        if proxy and proxy.authorization and not is_tls:
            always.append(("Proxy-Authorization", proxy.authorization))
        self._head_end = _lines(always)
        proxy_is_tls = proxy is not None and proxy.scheme == "https"
        tls = ssl_context or make_tls_context() if is_tls or proxy_is_tls else None
        port = parts.port or (443 if is_tls else 80)
        self._route = Route(parts.hostname, port, tls if is_tls else None, proxy, tls, vet)
        self._connect_timeout_s = connect_timeout_s
        self._read_timeout_s = read_timeout_s
        self._head_timeout_s = head_timeout_s or read_timeout_s
        self._max_idle = max_idle
        self._idle: deque[Connection] = deque()
        self.connections_made = 0

    def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        headers: Headers = (),
        deadline_s: float | None = None,
    ) -> Response:
        """Send a request and read the whole response.

        Raises:
            HttpFailure: within ``deadline_s``, and within the read timeout
                after the last byte.
        """
        head = self._head(method, path, body, headers)
        with self._open(head + body, deadline_s, ResponseParser) as exchange:
            body = exchange.read_all()
            return Response(exchange.status, exchange.headers, body, exchange.resent)

    def open(
        self,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        headers: Headers = (),
        deadline_s: float | None = None,
    ) -> Exchange:
        """Send a request and read the response's head.

        The caller leaves the exchange's context, which keeps the connection
        when the body was read to its end and closes it otherwise.

        Raises:
            HttpFailure: no head came.
        """
        head = self._head(method, path, body, headers)
        return self._open(head + body, deadline_s, ChunkParser)

    def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            self._idle.pop().close()

    def _open(
        self, request: bytes, deadline_s: float | None, parser: type[ResponseParser]
    ) -> Exchange:
        deadline = time.monotonic() + deadline_s if deadline_s is not None else None
        resent = False
        while True:
            # The second time over a new one, so that a request that kills
            # servers does not meet them all.
            connection = None if resent else self._take_idle()
            kept = connection is not None
            connection = connection or self._connect(deadline)
            exchange = Exchange(
                self._give_back,
                connection,
                self._read_timeout_s,
                self._head_timeout_s,
                deadline,
                parser(),
            )
            try:
                exchange.start(request)
            except ClosedWhileIdle:
                exchange.close()
                # The server closed it while the request was on its way and sent
                # not one byte: hardly ever has a server acted on a request then.
                if kept:
                    resent = True
                    continue
                raise HttpBroken("the server closed the connection without an answer") from None
            except BaseException:
                exchange.close()
                raise
            exchange.resent = resent
            return exchange

    def _head(self, method: str, path: str, body: bytes, headers: Headers) -> bytes:
        first = f"{method} {self._prefix}{path} HTTP/1.1"
        more = _lines(headers) if headers else ""
        head = f"{first}{self._head_end}{more}\r\nContent-Length: {len(body)}\r\n\r\n"
        return head.encode("latin-1")

    def _take_idle(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.wake():
                return connection
        return None

    def _give_back(self, connection: Connection) -> None:
        if len(self._idle) >= self._max_idle:
            connection.close()
            return
        self._idle.append(connection)
        connection.rest(self._forget)

    def _forget(self, connection: Connection) -> None:
        if connection in self._idle:
            self._idle.remove(connection)
        connection.close()

    def _connect(self, deadline: float | None) -> Connection:
        wait_s = self._connect_timeout_s
        if deadline is not None:
            wait_s = min(wait_s, max(0.001, deadline - time.monotonic()))
        connection = self._route.connect(wait_s)
        self.connections_made += 1
        return connection


def _lines(headers: Headers) -> str:
    return "".join(f"\r\n{name}: {value}" for name, value in headers)
