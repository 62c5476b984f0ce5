"""The way to one server: its addresses, a proxy before it, and TLS."""

import ssl

import gevent
import httptools
from gevent import socket

from app.http_client.connection import WOULD_BLOCK, Connection, TlsConnection
from app.http_client.failures import HttpConnectFailed, HttpProxyRefused
from app.http_client.happy_eyeballs import Vet, connect_first
from app.http_client.proxies import Proxy

_TCP_USER_TIMEOUT_MS = 20_000
_MAX_HEAD_BYTES = 16_384
# What only the owner can mend: who may pass, and where to.
_REFUSALS = (403, 405, 407)


class Route:
    """The way to one server; ``tls`` where it speaks TLS, ``proxy_tls`` where its proxy does.

    ``vet`` is asked about the server's addresses. Over a proxy it is not: the proxy looks
    the name up, and decides.
    """

    def __init__(
        self,
        host: str,
        port: int,
        tls: ssl.SSLContext | None,
        proxy: Proxy | None = None,
        proxy_tls: ssl.SSLContext | None = None,
        vet: Vet | None = None,
    ) -> None:
        self._host = host
        self._port = port
        self._tls = tls
        self._proxy = proxy
        self._proxy_tls = proxy_tls
        self._vet = None if proxy else vet
        # Of the address that answered last: the next connection begins with it.
        self._family: int | None = None

    def connect(self, timeout_s: float) -> Connection:
        """Open a connection, TLS handshakes included, within ``timeout_s``.

        Raises:
            HttpConnectFailed: there is none.
        """
        # gevent's own timer, because a name lookup obeys no socket timeout.
        with gevent.Timeout(timeout_s, HttpConnectFailed("connecting took too long")):
            try:
                return self._connect()
            except OSError as error:
                raise HttpConnectFailed(self._in_words(error)) from error

    def _connect(self) -> Connection:
        connection = self._connect_plainly()
        try:
            if self._proxy is not None and self._proxy.scheme == "https":
                connection = TlsConnection(connection, self._proxy_tls, self._proxy.host)
                connection.shake_hands()
            if self._tls is not None:
                if self._proxy is not None:
                    _ask_for_tunnel(connection, self._host, self._port, self._proxy)
                connection = TlsConnection(connection, self._tls, self._host)
                connection.shake_hands()
        except BaseException:
            connection.close()
            raise
        return connection

    def _connect_plainly(self) -> Connection:
        host, port = self._host, self._port
        if self._proxy is not None:
            host, port = self._proxy.host, self._proxy.port
        sock, self._family = connect_first(host, port, self._family, self._vet)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if hasattr(socket, "TCP_USER_TIMEOUT"):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _TCP_USER_TIMEOUT_MS)
            return Connection(sock)
        except BaseException:
            sock.close()
            raise

    def _in_words(self, error: OSError) -> str:
        return f"{error} (over the proxy {self._proxy})" if self._proxy else str(error)


class _TunnelHead:
    """What a proxy answers to ``CONNECT``."""

    def __init__(self) -> None:
        self.is_whole = False
        self.parser = httptools.HttpResponseParser(self)

    def on_headers_complete(self) -> None:
        self.is_whole = self.parser.get_status_code() >= 200


def _ask_for_tunnel(connection: Connection, host: str, port: int, proxy: Proxy) -> None:
    """Let a proxy connect us through (RFC 9110, section 9.3.6)."""
    authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {authority} HTTP/1.1", f"Host: {authority}"]
    if proxy.authorization:
        lines.append(f"Proxy-Authorization: {proxy.authorization}")
    connection.send_all("\r\n".join([*lines, "", ""]).encode("latin-1"), None)
    head, size = _TunnelHead(), 0
    while not head.is_whole:
        data = _read(connection)
        size += len(data)
        if not data or size > _MAX_HEAD_BYTES:
            raise HttpConnectFailed(f"the proxy {proxy} ended the connection")
        try:
            # Whoever speaks TLS waits for us: nothing of the server's follows the head.
            head.parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            raise HttpConnectFailed(f"the proxy {proxy} does not speak HTTP") from error
    status = head.parser.get_status_code()
    if 200 <= status < 300:
        return
    sentence = f"the proxy {proxy} answers {status} for {authority}"
    raise (HttpProxyRefused if status in _REFUSALS else HttpConnectFailed)(sentence)


def _read(connection: Connection) -> bytes:
    while True:
        try:
            return connection.read()
        except WOULD_BLOCK:
            socket.wait(connection.watcher)
