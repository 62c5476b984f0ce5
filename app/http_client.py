"""A small HTTP/1.1 client on gevent sockets: one pool, one TLS context, no threads.

Perch talks to two servers all day, the model's and Convex's. A general
client spends 0.3 to 5 ms of CPU on each call and switches greenlets for every
network read; this one parses with llhttp (``httptools``), keeps connections
alive, and can move a response's bytes inside gevent's hub (``Exchange.pump``)
while the calling greenlet sleeps. See ``docs/adr/0002-own-http-client.md``.

It speaks what those servers speak: no redirects, cookies, proxies or
compression (it asks for ``identity``).
"""

import ssl
import time
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import gevent
import httptools
from gevent import socket
from gevent.event import AsyncResult
from gevent.ssl import PROTOCOL_TLS_CLIENT, SSLContext

_READ_BYTES = 65_536
_MAX_HEAD_BYTES = 65_536
_MAX_BODY_BYTES = 32 * 1024 * 1024
# How many TLS records one wake-up may take, so that one fast server cannot
# keep the hub from the other streams.
_MAX_READS_A_WAKE = 16
_TCP_USER_TIMEOUT_MS = 20_000
_LINGER_S = 1.0

Headers = Sequence[tuple[str, str]]


class HttpFailure(Exception):
    """No usable response."""


class HttpConnectFailed(HttpFailure):
    """No connection could be made: nothing was sent, repeating is safe."""


class HttpTimeout(HttpFailure):
    """The server was silent too long; it may have acted on the request."""


class HttpBroken(HttpFailure):
    """The connection broke or spoke nonsense; the request may have been acted on."""


class Response:
    """A response whose body was read whole.

    ``resent`` tells that an idle connection was closed under the request,
    which was then sent again: a server that died of it may have acted on it.
    """

    __slots__ = ("_headers", "body", "resent", "status")

    def __init__(
        self,
        status: int,
        headers: Sequence[tuple[str, str]],
        body: bytes,
        resent: bool = False,
    ) -> None:
        self.resent = resent
        self.status = status
        self._headers = headers
        self.body = body

    def header(self, name: str) -> str | None:
        """Return the first header of this name, in any case."""
        return _find(self._headers, name)


def make_tls_context() -> ssl.SSLContext:
    """Return a verifying context whose sockets wait in gevent, patched process or not."""
    context = SSLContext(PROTOCOL_TLS_CLIENT)
    context.load_default_certs()
    return context


class HttpClient:
    """Requests to one server over kept-alive connections.

    Safe for any number of greenlets of one hub. Make it after the fork.
    """

    def __init__(
        self,
        base_url: str,
        *,
        connect_timeout_s: float = 3.0,
        read_timeout_s: float = 30.0,
        max_idle: int = 64,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"not an http(s) URL: {base_url!r}")
        self._host = parts.hostname
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._prefix = parts.path.rstrip("/")
        self._authority = parts.netloc.rpartition("@")[2]
        self._tls = None
        if parts.scheme == "https":
            self._tls = ssl_context or make_tls_context()
        self._connect_timeout_s = connect_timeout_s
        self._read_timeout_s = read_timeout_s
        self._max_idle = max_idle
        self._idle: deque[_Connection] = deque()
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
        with self.open(method, path, body=body, headers=headers, deadline_s=deadline_s) as exchange:
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
    ) -> "Exchange":
        """Send a request and read the response's head.

        The caller leaves the exchange's context, which keeps the connection
        when the body was read to its end and closes it otherwise.

        Raises:
            HttpFailure: no head came.
        """
        head = self._head(method, path, body, headers)
        deadline = time.monotonic() + deadline_s if deadline_s is not None else None
        resent = False
        while True:
            connection = self._take_idle()
            kept = connection is not None
            connection = connection or self._connect(deadline)
            exchange = Exchange(self, connection, self._read_timeout_s, deadline)
            try:
                exchange.start(head + body)
            except _ClosedWhileIdle:
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

    def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            self._idle.pop().close()

    def _head(self, method: str, path: str, body: bytes, headers: Headers) -> bytes:
        lines = [f"{method} {self._prefix}{path} HTTP/1.1\r\nHost: {self._authority}"]
        lines += [f"{name}: {value}" for name, value in headers]
        lines.append(f"Accept-Encoding: identity\r\nContent-Length: {len(body)}\r\n\r\n")
        return "\r\n".join(lines).encode("latin-1")

    def _take_idle(self) -> "_Connection | None":
        while self._idle:
            connection = self._idle.pop()
            if connection.wake():
                return connection
        return None

    def give_back(self, connection: "_Connection") -> None:
        """Keep a connection for the next request."""
        if len(self._idle) >= self._max_idle:
            connection.close()
            return
        self._idle.append(connection)
        connection.rest(self._forget)

    def _forget(self, connection: "_Connection") -> None:
        if connection in self._idle:
            self._idle.remove(connection)
        connection.close()

    def _connect(self, deadline: float | None) -> "_Connection":
        wait_s = self._connect_timeout_s
        if deadline is not None:
            wait_s = min(wait_s, max(0.001, deadline - time.monotonic()))
        # gevent's own timer, because a name lookup obeys no socket timeout.
        with gevent.Timeout(wait_s, HttpConnectFailed("connecting took too long")):
            try:
                sock = socket.create_connection((self._host, self._port), timeout=wait_s)
            except OSError as error:
                raise HttpConnectFailed(str(error)) from error
            try:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if hasattr(socket, "TCP_USER_TIMEOUT"):
                    sock.setsockopt(
                        socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _TCP_USER_TIMEOUT_MS
                    )
                if self._tls is not None:
                    sock = self._tls.wrap_socket(sock, server_hostname=self._host)
            except BaseException as error:
                sock.close()
                if isinstance(error, OSError):
                    raise HttpConnectFailed(str(error)) from error
                raise
        self.connections_made += 1
        return _Connection(sock)


class _Connection:
    """A connected socket that never blocks, and its one read watcher."""

    __slots__ = ("_hub", "sock", "watcher")

    def __init__(self, sock: Any) -> None:
        sock.settimeout(0)
        self.sock = sock
        self._hub = gevent.get_hub()
        self.watcher = self._hub.loop.io(sock.fileno(), 1)

    def rest(self, forget: Callable[["_Connection"], None]) -> None:
        # An idle server that says anything at all is about to close.
        self.watcher.start(forget, self)

    def wake(self) -> bool:
        self.watcher.stop()
        return self._hub is gevent.get_hub()

    def wait_readable(self, timeout_s: float) -> None:
        socket.wait(self.watcher, timeout_s, HttpTimeout("the server is silent"))

    def send_all(self, data: bytes, timeout_s: float) -> None:
        view = memoryview(data)
        while view:
            try:
                view = view[self.sock.send(view) :]
            except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
                socket.wait_write(
                    self.sock.fileno(), timeout_s, HttpTimeout("the server takes no data")
                )

    def receive(self) -> bytes | None:
        """Return what one read brings: ``b""`` at the end, ``None`` when nothing is there."""
        try:
            data: bytes = self.sock.recv(_READ_BYTES)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None
        except ssl.SSLEOFError:
            return b""
        return data

    def has_buffered(self) -> bool:
        pending = getattr(self.sock, "pending", None)
        return pending is not None and pending() > 0

    def close(self) -> None:
        self.watcher.stop()
        self.watcher.close()
        self.sock.close()


class _ClosedWhileIdle(Exception):
    """The kept connection was dead before it brought a byte."""


class Exchange:
    """One request on its connection, and the response as it comes in."""

    __slots__ = (
        "_body",
        "_client",
        "_connection",
        "_deadline",
        "_ended",
        "_framed",
        "_got_bytes",
        "_head_bytes",
        "_lingers",
        "_parser",
        "_read_timeout_s",
        "_reusable",
        "headers",
        "resent",
        "status",
    )

    def __init__(
        self,
        client: HttpClient,
        connection: _Connection,
        read_timeout_s: float,
        deadline: float | None,
    ) -> None:
        self._client = client
        self._connection: _Connection | None = connection
        self._read_timeout_s = read_timeout_s
        self._deadline = deadline
        self._parser = httptools.HttpResponseParser(self)
        self._body: list[bytes] = []
        self._ended = False
        self._framed = False
        self._got_bytes = False
        self._head_bytes = 0
        self._reusable = False
        self._lingers = False
        self.resent = False
        self.status = 0
        self.headers: list[tuple[str, str]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Keep the connection if the response was read whole, else close it."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self._ended and self._reusable:
            self._client.give_back(connection)
        elif self._lingers and not self._ended:
            self._connection = connection
            _Linger(self, connection)
        else:
            connection.close()

    def header(self, name: str) -> str | None:
        """Return the first header of this name, in any case."""
        return _find(self.headers, name)

    def start(self, request: bytes) -> None:
        """Send the request and wait for the response's head."""
        connection = self._connected()
        try:
            connection.send_all(request, self._patience_s())
        except OSError as error:
            raise _ClosedWhileIdle from error
        while not self.status:
            self._read_once()

    def read_all(self) -> bytes:
        """Wait for the rest of the body and return it.

        Raises:
            HttpFailure: it did not come whole, or is larger than 32 MiB.
        """
        size = sum(map(len, self._body))
        while not self._ended:
            before = len(self._body)
            self._read_once()
            size += sum(map(len, self._body[before:]))
            if size > _MAX_BODY_BYTES:
                raise HttpBroken("the response is too large")
        return b"".join(self._body)

    def read(self) -> bytes:
        """Wait for the next piece of the body; ``b""`` is its end.

        Raises:
            HttpFailure: no more will come.
        """
        while not self._body and not self._ended:
            self._read_once()
        return self._take_body()

    def forget_lingering(self) -> None:
        """Let ``close`` close at once again."""
        self._lingers = False

    def linger(self) -> None:
        """Let ``close`` wait a second, in the hub, for an end that is all but here."""
        self._lingers = True

    def pump(self, consume: Callable[[bytes], bool], silence_s: float | None = None) -> bool:
        """Hand the body over, piece by piece, from gevent's hub.

        ``consume`` must neither block nor raise; a false answer pauses the
        pump. The calling greenlet sleeps meanwhile: a token costs no switch.
        ``silence_s`` replaces the read timeout. Returns true at the end of
        the body, false when paused.

        Raises:
            HttpFailure: no more will come.
        """
        if self._body and not consume(self._take_body()):
            return False
        if self._ended:
            return True
        return _Pump(self, self._connected(), consume, silence_s or self._read_timeout_s).run()

    def feed_once(self) -> bool:
        """Parse what one read brings; false when nothing was there.

        Raises:
            HttpBroken: the connection was cut, or what came is not HTTP.
        """
        try:
            data = self._connected().receive()
        except OSError as error:
            raise self._cut() from error
        if data is None:
            return False
        if not data:
            self._on_end_of_stream()
            return True
        self._got_bytes = True
        if not self.status:
            self._head_bytes += len(data)
            if self._head_bytes > _MAX_HEAD_BYTES:
                raise HttpBroken("the response's head is too large")
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            raise HttpBroken("what came is not HTTP") from error
        return True

    def take(self) -> bytes:
        """Return the body's bytes that were parsed and not yet taken."""
        return self._take_body()

    @property
    def ended(self) -> bool:
        """Whether the response is complete."""
        return self._ended

    def _take_body(self) -> bytes:
        body = self._body
        if not body:
            return b""
        data = body[0] if len(body) == 1 else b"".join(body)
        body.clear()
        return data

    def _connected(self) -> _Connection:
        if self._connection is None:
            raise HttpBroken("the exchange is closed")
        return self._connection

    def _read_once(self) -> None:
        while not self.feed_once():
            self._connected().wait_readable(self._patience_s())

    def _patience_s(self) -> float:
        if self._deadline is None:
            return self._read_timeout_s
        left_s = self._deadline - time.monotonic()
        if left_s <= 0:
            raise HttpTimeout("the deadline has passed")
        return min(self._read_timeout_s, left_s)

    def _on_end_of_stream(self) -> None:
        if self.status and not self._framed:
            self._ended = True  # RFC 9112 §6.3: such a body ends with the connection
            return
        raise self._cut()

    def _cut(self) -> Exception:
        if not self._got_bytes:
            return _ClosedWhileIdle()
        return HttpBroken("the connection was cut")

    # Called by the parser, in this order.

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a header."""
        self.headers.append((name.decode("latin-1").lower(), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        """Note how the body is framed."""
        status = self._parser.get_status_code()
        if status < 200:
            self.headers.clear()
            return
        self.status = status
        self._framed = (
            status in (204, 304)
            or self.header("content-length") is not None
            or self.header("transfer-encoding") is not None
        )

    def on_body(self, data: bytes) -> None:
        """Collect a piece of the body."""
        self._body.append(data)

    def on_message_complete(self) -> None:
        """Note the end of the response."""
        if self.status:
            self._ended = True
            self._reusable = self._parser.should_keep_alive()


class _Linger:
    """Waits for the last bytes of a response whose content is known already."""

    __slots__ = ("_connection", "_exchange", "_timer")

    def __init__(self, exchange: Exchange, connection: _Connection) -> None:
        self._exchange = exchange
        self._connection = connection
        self._timer = gevent.get_hub().loop.timer(_LINGER_S)
        self._timer.start(self._leave)
        connection.watcher.start(self._on_readable)
        if connection.has_buffered():
            self._on_readable()

    def _on_readable(self) -> None:
        try:
            self._exchange.feed_once()
        except Exception:
            self._leave()
            return
        if self._exchange.ended:
            self._leave()

    def _leave(self) -> None:
        self._timer.stop()
        self._timer.close()
        self._connection.watcher.stop()
        self._exchange.forget_lingering()
        self._exchange.close()


class _Pump:
    """Moves one response's bytes in the hub while its greenlet sleeps."""

    __slots__ = ("_connection", "_consume", "_done", "_exchange", "_heard_at", "_hub", "_silence_s",
                 "_timer")  # fmt: skip

    def __init__(
        self,
        exchange: Exchange,
        connection: _Connection,
        consume: Callable[[bytes], bool],
        silence_s: float,
    ) -> None:
        self._exchange = exchange
        self._connection = connection
        self._consume = consume
        self._silence_s = silence_s
        self._done: AsyncResult[bool] = AsyncResult()
        self._hub = gevent.get_hub()
        self._heard_at = self._hub.loop.now()

    def run(self) -> bool:
        watcher = self._connection.watcher
        self._timer = self._hub.loop.timer(self._silence_s)
        watcher.start(self._on_readable)
        self._timer.start(self._on_silence)
        try:
            if self._connection.has_buffered():
                self._hub.loop.run_callback(self._on_readable)
            return bool(self._done.get())
        finally:
            watcher.stop()
            self._timer.close()

    def _on_readable(self) -> None:
        if self._done.ready():
            return
        try:
            for _ in range(_MAX_READS_A_WAKE):
                if not self._exchange.feed_once():
                    return
                self._heard_at = self._hub.loop.now()
                data = self._exchange.take()
                if data and not self._consume(data):
                    self._end(False)
                    return
                if self._exchange.ended:
                    self._end(True)
                    return
                # TLS decrypts whole records: what is left in its buffer
                # makes no socket readable.
                if not self._connection.has_buffered():
                    return
            self._hub.loop.run_callback(self._on_readable)
        except Exception as error:  # handed to the greenlet that waits
            self._fail(error)

    def _on_silence(self) -> None:
        # The timer is not restarted at each read: that would cost more than
        # the read. It looks once a period how long the silence has been.
        left_s = self._silence_s - (self._hub.loop.now() - self._heard_at)
        if left_s <= 0.001:
            self._fail(HttpTimeout("the server is silent"))
            return
        self._timer.stop()
        self._timer.close()
        self._timer = self._hub.loop.timer(left_s)
        self._timer.start(self._on_silence)

    def _end(self, ended: bool) -> None:
        self._connection.watcher.stop()
        self._done.set(ended)

    def _fail(self, error: Exception) -> None:
        self._connection.watcher.stop()
        if isinstance(error, _ClosedWhileIdle):
            error = HttpBroken("the connection was cut")
        self._done.set_exception(error)


def _find(headers: Sequence[tuple[str, str]], name: str) -> str | None:
    name = name.lower()
    for key, value in headers:
        if key == name:
            return value
    return None
