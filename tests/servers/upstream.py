"""A scripted OpenAI-compatible server, for every test that needs a model behind a socket.

    with Upstream() as upstream:
        upstream.script(tokens=3, gap_ms=50)          # how requests are answered from now on
        upstream.next(status=429, headers={"Retry-After": "7"})   # how one request is answered
        server = Server(OPENAI_BASE_URL=upstream.url, OPENAI_API_KEY="sk-test")
        ...
        request = upstream.wait_for_request()         # the first one; (2) for the second
        request.body["messages"], request.headers["authorization"]
        assert request.left(within_s=1)               # the client closed before the answer ended

A visitor's message can carry its own script, which wins over both:

    Hello [[upstream {"tokens": 5, "fault": "cut", "at": 3}]]

``Script`` (``tests/servers/upstream_script.py``) lists the fields, ``FAULTS`` the faults. A
``stall`` goes on after ``upstream.release()``, so that a test decides when, not a clock.
``Upstream(tls=True)`` serves TLS with a certificate made on the spot: run the server with
``SSL_CERT_FILE=upstream.ca_file``. What a listening server cannot do stands beside it:
``refused_url()`` and ``black_hole_url()``.

It runs in a thread with its own event loop. ``python -m tests.servers.upstream --port 9100``
runs it alone; then ``POST /_script`` and ``/_next`` take a script, ``POST /_release`` releases,
and ``GET /_requests`` tells what came.
"""

import argparse
import asyncio
import contextlib
import json
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.servers.upstream_script import (
    Close,
    Hold,
    Script,
    Send,
    Wait,
    changed,
    marked,
    response_head,
    steps,
)

WAIT_S = 10.0


@dataclass
class Request:
    """One request as it came, and what became of it; times are monotonic seconds."""

    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    connection: int
    came_at: float = field(default_factory=time.monotonic)
    token_times: list[float] = field(default_factory=list)
    ended_at: float | None = None
    client_left: bool = False
    _over: threading.Event = field(default_factory=threading.Event)

    def end(self, *, client_left: bool) -> None:
        if not self._over.is_set():
            self.client_left, self.ended_at = client_left, time.monotonic()
            self._over.set()

    def wait(self, timeout_s: float = WAIT_S) -> bool:
        """Return whether the exchange is over, one way or the other, by then."""
        return self._over.wait(timeout_s)

    def left(self, *, within_s: float) -> bool:
        """Return whether the client closes before the answer ends, by then."""
        return self.wait(within_s) and self.client_left

    @property
    def prompt(self) -> list[tuple[str, str]]:
        return [(message["role"], message["content"]) for message in self.body["messages"]]


class Upstream:
    """The server: a context manager with a ``url`` for ``OPENAI_BASE_URL``."""

    def __init__(self, *, tls: bool = False, port: int = 0) -> None:
        self.requests: list[Request] = []
        self.connections = 0
        self._default = Script()
        self._queue: deque[Script] = deque()
        self._news = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._release = asyncio.Event()
        self._socket = socket.create_server(("127.0.0.1", port), backlog=2048)
        self._directory = tempfile.TemporaryDirectory(prefix="upstream-")
        self.ca_file = str(_make_certificate(Path(self._directory.name))) if tls else None
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self._socket.getsockname()[1]}/v1"

    def __enter__(self) -> Self:
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        ready.wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._directory.cleanup()

    def script(self, **fields: Any) -> None:
        """Answer every request from now on like this."""
        self._default = changed(Script(), fields)

    def next(self, **fields: Any) -> None:
        """Answer the next request that has no script of its own like this."""
        self._queue.append(changed(Script(), fields))

    def release(self) -> None:
        """Let every request that has come by now go on past its stall."""
        self._loop.call_soon_threadsafe(self._release_now)

    def reset(self) -> None:
        """Forget scripts and requests; what is open stays open."""
        self._default = Script()
        self._queue.clear()
        self.requests.clear()

    def wait_for_request(self, number: int = 1, timeout_s: float = WAIT_S) -> Request:
        """Return the nth chat request since the last reset, when it has come."""
        with self._news:
            came = self._news.wait_for(lambda: len(self.requests) >= number, timeout_s)
        assert came, f"{len(self.requests)} of {number} requests reached the upstream"
        return self.requests[number - 1]

    def wait_for_token(self, request: Request, count: int = 1, timeout_s: float = WAIT_S) -> None:
        """Return when the request has been sent that many tokens."""
        with self._news:
            sent = self._news.wait_for(lambda: len(request.token_times) >= count, timeout_s)
        assert sent, f"{len(request.token_times)} of {count} tokens were sent"

    @property
    def open_requests(self) -> int:
        return sum(request.ended_at is None for request in self.requests)

    def _release_now(self) -> None:
        self._release.set()
        self._release = asyncio.Event()

    def _run(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        context = None
        if self.ca_file:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.ca_file)
        server = self._loop.run_until_complete(
            self._loop.create_server(lambda: _Connection(self), sock=self._socket, ssl=context)
        )
        ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def _note(self, change: Any, *values: Any) -> None:
        with self._news:
            change(*values)
            self._news.notify_all()


class _Connection(asyncio.Protocol):
    """One connection: requests in, scripted answers out, an eye on the client."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._buffer = b""
        self._request: Request | None = None
        self._task: asyncio.Task[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._upstream.connections += 1
        self._number = self._upstream.connections

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._request is None:
            self._take()

    def eof_received(self) -> None:
        self._gone()

    def connection_lost(self, error: Exception | None) -> None:
        self._gone()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def _gone(self) -> None:
        if self._request is not None:
            self._upstream._note(lambda r: r.end(client_left=True), self._request)
        if self._task is not None:
            self._task.cancel()

    def _take(self) -> None:
        head, blank, rest = self._buffer.partition(b"\r\n\r\n")
        if not blank:
            return
        line, *fields = head.decode("latin-1").split("\r\n")
        method, path, _ = line.split(" ", 2)
        headers = {k.lower(): v.strip() for k, _, v in (field.partition(":") for field in fields)}
        length = int(headers.get("content-length", 0))
        if len(rest) < length:
            return
        self._buffer = rest[length:]
        body = json.loads(rest[:length] or b"{}")
        if method == "POST" and path.endswith("/chat/completions"):
            self._chat(Request(method, path, headers, body, self._number))
        else:
            self._transport.write(_control(self._upstream, method, path, body))

    def _chat(self, request: Request) -> None:
        upstream = self._upstream
        self._request = request
        upstream._note(upstream.requests.append, request)
        base = upstream._default
        if "[[upstream " not in str(request.body.get("messages")) and upstream._queue:
            base = upstream._queue.popleft()
        script = marked(base, request.body)
        self._task = upstream._loop.create_task(self._play(script, request))

    async def _play(self, script: Script, request: Request) -> None:
        # Its client may see a token, and the test release, before this comes to its stall.
        release = self._upstream._release
        for step in steps(script, request.body):
            match step:
                case Send(data, token):
                    await self._writable.wait()
                    self._transport.write(data)
                    await asyncio.sleep(0)  # a flood must not drown the other requests
                    if token:
                        self._upstream._note(request.token_times.append, time.monotonic())
                case Wait(seconds):
                    await asyncio.sleep(seconds)
                case Hold(releasable):
                    await (release if releasable else asyncio.Event()).wait()
                case Close(reset):
                    self._end(request)
                    self._close(reset=reset)
                    return
        self._end(request)
        self._take()

    def _end(self, request: Request) -> None:
        self._request = None
        self._upstream._note(lambda: request.end(client_left=False))

    def _close(self, *, reset: bool) -> None:
        if not reset:
            self._transport.close()
            return
        link = self._transport.get_extra_info("socket")
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()


def _control(upstream: Upstream, method: str, path: str, body: dict[str, Any]) -> bytes:
    answer: Any = {"ok": True}
    match method, path.removeprefix("/v1"):
        case "GET", "/models":
            answer = {"object": "list", "data": [{"id": "gpt-4.1-mini", "object": "model"}]}
        case "POST", "/_script":
            upstream.script(**body)
        case "POST", "/_next":
            upstream.next(**body)
        case "POST", "/_release":
            upstream._release_now()
        case "GET", "/_requests":
            answer = [{"body": r.body, "client_left": r.client_left} for r in upstream.requests]
        case _:
            return response_head(404, {}, 0)
    page = json.dumps(answer).encode()
    return response_head(200, {"Content-Type": "application/json"}, len(page)) + page


@contextlib.contextmanager
def refused_url() -> Iterator[str]:
    """A base url whose port is ours and closed: connecting is refused."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}/v1"


@contextlib.contextmanager
def black_hole_url() -> Iterator[str]:
    """A base url that swallows connections: the handshake never ends."""
    with contextlib.ExitStack() as stack:
        hole = stack.enter_context(socket.socket())
        hole.bind(("127.0.0.1", 0))
        hole.listen(0)
        for _ in range(4):  # a full backlog drops every further SYN
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(hole.getsockname())
        yield f"http://127.0.0.1:{hole.getsockname()[1]}/v1"


def _make_certificate(directory: Path) -> Path:
    key, certificate, both = (directory / name for name in ("key", "certificate", "both.pem"))
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=upstream"
    names = "subjectAltName=IP:127.0.0.1,DNS:localhost"
    subprocess.run(
        [*command.split(), "-addext", names, "-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
    )
    both.write_bytes(key.read_bytes() + certificate.read_bytes())
    return both


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--tls", action="store_true")
    options = parser.parse_args()
    with Upstream(port=options.port, tls=options.tls) as upstream:
        print(upstream.url, upstream.ca_file or "", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    _main()
