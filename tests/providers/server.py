"""All providers' hosts behind one proxy, so that their rows' settings are tried as they stand.

with ProviderServer(certificate) as server:
    server.provider = OpenAI()
    environment = {**server.provider.environment, **server.proxies}
    server.requests                                # what came, in order

The proxy leads nowhere: it answers in the place of whatever host is asked.
"""

import contextlib
import json
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from tests.providers.provider import HOLD, Provider, Request

WAIT_S = 20.0


class ProviderServer:
    """The server; what it plays is ``provider``, and may be changed at any time."""

    def __init__(self, provider: Provider, certificate: Path) -> None:
        self.provider = provider
        self.requests: list[Request] = []
        self.left = threading.Event()
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(certificate)
        self._listener = _Listener(self._handle)

    def __enter__(self) -> Self:
        threading.Thread(target=self._listener.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listener.shutdown()
        self._listener.server_close()

    @property
    def proxies(self) -> dict[str, str]:
        """The variables that lead every request here."""
        url = f"http://127.0.0.1:{self._listener.server_address[1]}"
        return {"HTTPS_PROXY": url, "HTTP_PROXY": url}

    @property
    def asked(self) -> list[Request]:
        """The requests for an answer."""
        return [request for request in self.requests if request.method == "POST"]

    def _handle(self, sock: Any) -> None:
        sock.settimeout(WAIT_S)
        host = ""
        with contextlib.suppress(OSError):
            while (head := _read_head(sock)) is not None:
                method, target, _ = head.split("\r\n", 1)[0].split(" ", 2)
                if method == "CONNECT":
                    host = target.rpartition(":")[0]
                    sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    sock = self._tls.wrap_socket(sock, server_side=True)
                    sock.settimeout(WAIT_S)
                else:
                    self._respond(sock, _request(sock, method, host, target, head))
        sock.close()

    def _respond(self, sock: Any, request: Request) -> None:
        self.requests.append(request)
        for step in self.provider.respond(request):
            if step is HOLD:
                with contextlib.suppress(OSError):
                    while sock.recv(1024):
                        pass
                self.left.set()
                raise ConnectionAbortedError
            sock.sendall(step)


class _Listener(socketserver.ThreadingTCPServer):
    """Runs a function for each connection, in a thread of its own."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, handle: Callable[[Any], None]) -> None:
        super().__init__(("127.0.0.1", 0), socketserver.BaseRequestHandler)
        self._handle_one = handle

    def finish_request(self, request: Any, client_address: Any) -> None:
        self._handle_one(request)


def _read_head(sock: Any) -> str | None:
    head = bytearray()
    while not head.endswith(b"\r\n\r\n"):
        byte = sock.recv(1)
        if not byte:
            return None
        head += byte
    return head.decode("latin-1")


def _request(sock: Any, method: str, host: str, target: str, head: str) -> Request:
    url = urlsplit(target)
    lines = [line.partition(":") for line in head.split("\r\n")[1:] if line]
    headers = {name.lower(): value.strip() for name, _, value in lines}
    body = b""
    while len(body) < int(headers.get("content-length", 0)):
        body += sock.recv(65_536)
    path = f"{url.path}?{url.query}" if url.query else url.path
    told = json.loads(body) if body else {}
    return Request(method, host or url.hostname or "", path, headers, told)


def make_certificate(directory: Path, hosts: Sequence[str]) -> Path:
    """Make a key and its self-signed certificate for these hosts, in one file."""
    path, key = directory / "providers.pem", directory / "providers.key"
    names = ",".join(f"DNS:{host}" for host in hosts)
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
    more = ["-subj", "/CN=providers", "-addext", f"subjectAltName={names}"]
    files = ["-keyout", str(key), "-out", str(path)]
    subprocess.run([*command.split(), *more, *files], check=True, capture_output=True)
    path.write_bytes(key.read_bytes() + path.read_bytes())
    return path
