"""A small HTTP proxy with the client in one hub: CONNECT, and requests in absolute form.

with HttpProxy() as proxy:                       # or (certificate=…, user="me:secret")
    HttpClient(url, proxies=Proxies({"all": Proxy.parse(proxy.url)}))
    proxy.heads                                  # of each request that it was sent
"""

import base64
import contextlib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import gevent
from gevent import socket

from tests.servers.peer import HubServer, whole

WAIT_S = 20.0


class HttpProxy(HubServer):
    """The proxy; it sends every name to ``127.0.0.1``, where the tests' servers are."""

    def __init__(
        self, *, certificate: Path | None = None, user: str = "", status: str = ""
    ) -> None:
        super().__init__(certificate)
        self.heads: list[str] = []
        self._user = user
        self._status = status

    @property
    def url(self) -> str:
        return super().url.replace("://", f"://{self._user}@") if self._user else super().url

    def _handle(self, client: Any, _address: object) -> None:
        client.settimeout(WAIT_S)
        received = b""
        while b"\r\n\r\n" not in received:
            data = client.recv(65_536)
            if not data:
                return
            received += data
        head, _, rest = received.partition(b"\r\n\r\n")
        self.heads.append(head.decode("latin-1"))
        method, target, _ = self.heads[-1].split(" ", 2)
        if not self._lets_in(self.heads[-1]):
            client.sendall(whole(b"", "407 Proxy Authentication Required"))
        elif self._status:
            client.sendall(whole(b"no", self._status))
        else:
            self._pass_on(client, method, target, head, rest)
        client.close()

    def _lets_in(self, head: str) -> bool:
        basic = base64.b64encode(self._user.encode()).decode()
        return not self._user or f"Proxy-Authorization: Basic {basic}" in head

    def _pass_on(self, client: Any, method: str, target: str, head: bytes, rest: bytes) -> None:
        parts = urlsplit(f"//{target}" if method == "CONNECT" else target)
        with socket.create_connection(("127.0.0.1", parts.port or 80), WAIT_S) as server:
            if method == "CONNECT":
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                server.sendall(head + b"\r\n\r\n" + rest)
            ways = [gevent.spawn(_pump, client, server), gevent.spawn(_pump, server, client)]
            gevent.joinall(ways, count=1)
            gevent.killall(ways)


def _pump(source: Any, sink: Any) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            sink.sendall(data)
