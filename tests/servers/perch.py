"""The real gunicorn in a process of its own, for tests and for a look by hand.

    with Upstream() as upstream, Server.over(upstream, GRACEFUL_TIMEOUT="5") as server:
        server.chat("Hi").json["message"]
        with server.stream("Tell me more", session="s-1") as stream:
            stream.until("token")
            server.signal(SIGTERM)
            stream.events()[-1]

Nothing of the caller's environment reaches it, and no ``.env``: what a server
knows is what its test says. The log goes to a file; ``log_lines()`` parses it.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from signal import SIGKILL, Signals
from typing import IO, Any, ClassVar, Self

from tests.live.exchange import Address, Answer, Exchange, request_bytes
from tests.servers import fork_server
from tests.servers.fork_server import Process
from tests.servers.upstream import Upstream

ROOT = Path(__file__).parents[2]
START_TIMEOUT_S = 30.0
POLL_S = 0.02

WIDGET_KEY = "widget-key-of-the-live-tests"
ADMIN_KEY = "admin-key-of-the-live-tests"
# All tests of a run are one visitor; those of the limits set their own.
NO_LIMITS = dict.fromkeys(
    (
        "LIMIT_IP_PER_DAY",
        "LIMIT_SESSION_PER_MINUTE",
        "LIMIT_SESSION_PER_DAY",
        "LIMIT_NEW_SESSIONS_PER_HOUR",
        "MAX_STREAMS_PER_IP",
        "BUDGET_TOKENS_PER_DAY",
        "BUDGET_TOKENS_PER_IP_DAY",
        "BUDGET_TOKENS_PER_SESSION_DAY",
        "BREAKER_FAILURES",
    ),
    "0",
)


class Server:
    """A running Perch; the keyword arguments are its environment."""

    store: ClassVar[dict[str, str]] = {}
    """What ``--store`` adds to it: without more, a SQLite file in the server's directory."""

    def __init__(self, directory: Path | None = None, **environment: str) -> None:
        self._own = tempfile.TemporaryDirectory(prefix="perch-")
        self.directory = directory or Path(self._own.name)
        self.port = int(environment.pop("PORT", 0)) or free_port()
        self.address: Address = ("127.0.0.1", self.port)
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "PORT": str(self.port),
            "SQLITE_PATH": str(self.directory / "chat.db"),
            "KNOWLEDGE_PATH": str(self.directory / "knowledge"),
            "VECTORS": "0",
            "WIDGET_API_KEY": WIDGET_KEY,
            "ADMIN_API_KEY": ADMIN_KEY,
            "RATE_LIMIT_MAX_REQUESTS": "100000",
            **NO_LIMITS,
            **self.store,
            **environment,
        }
        self.log_path = self.directory / f"server-{self.port}.log"

    @classmethod
    def over(cls, upstream: Upstream, directory: Path | None = None, **environment: str) -> Self:
        """A server whose model is the scripted upstream."""
        keys = {"OPENAI_API_KEY": "sk-of-the-live-tests", "OPENAI_BASE_URL": upstream.url}
        return cls(directory, **{**keys, **environment})

    def __enter__(self) -> Self:
        self.start()
        self.wait_until_healthy()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._own.cleanup()

    def start(self) -> None:
        """Start the process, without waiting for it."""
        with self.log_path.open("ab") as log:
            self.process = self._start(["-c", str(ROOT / "gunicorn.conf.py")], log)

    def _start(self, arguments: list[str], log: IO[bytes]) -> subprocess.Popen[bytes] | Process:
        if self.environment["PYTHONPATH"] == str(ROOT):
            return fork_server.start(arguments, self.directory, self.environment, log.fileno())
        # With a `sitecustomize` of the test's, which only a new Python reads.
        return self.spawn([sys.executable, "-m", "gunicorn", *arguments], self.directory, log)

    def spawn(self, command: list[str], cwd: Path, log: IO[bytes]) -> subprocess.Popen[bytes]:
        """Start a command as a server is: with its environment alone, in a session of its own."""
        return subprocess.Popen(
            command,
            cwd=cwd,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def wait_until_healthy(self) -> None:
        """Return when ``/health`` answers; fail with the log when it never will."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError, ValueError):
                if self.request("GET", "/health").status == 200:
                    return
            time.sleep(POLL_S)
        raise AssertionError(f"the server did not start:\n{self.log()}")

    def kill(self) -> None:
        """End the server and its workers at once; that they end well has its own tests."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, SIGKILL)
        self.process.wait()

    def signal(self, number: Signals) -> None:
        """Send a signal to the master."""
        if self.process.poll() is None:
            self.process.send_signal(number)

    @property
    def workers(self) -> list[int]:
        """The process ids of the master's children."""
        pid = self.process.pid
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def kill_worker(self, number: Signals = SIGKILL) -> None:
        """Kill the first worker, and return when it is gone."""
        worker = self.workers[0]
        os.kill(worker, number)
        deadline = time.monotonic() + START_TIMEOUT_S
        while worker in self.workers:
            assert time.monotonic() < deadline, f"worker {worker} outlives signal {number}"
            time.sleep(POLL_S)

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def log_lines(self) -> list[dict[str, Any]]:
        """Return the log's lines that are JSON objects."""
        lines: list[dict[str, Any]] = []
        for text in self.log().splitlines():
            with contextlib.suppress(json.JSONDecodeError):
                line = json.loads(text)
                if isinstance(line, dict):
                    lines.append(line)
        return lines

    def send(
        self, method: str, path: str, body: Any = None, timeout_s: float = 20.0, **headers: str
    ) -> Exchange:
        """Send a request with JSON; ``x_api_key=…`` is the header ``x-api-key``."""
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        data = None
        if body is not None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            fields.setdefault("content-type", "application/json")
        return Exchange(self.address, request_bytes(method, path, fields, data), timeout_s)

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send a request with JSON and read the whole answer."""
        return self.send(method, path, body, **headers).answer()

    def chat(self, message: str, session: str | None = None, **fields: Any) -> Answer:
        """Ask over ``POST /v1/chat``."""
        body = chat_body(message, session, fields)
        return self.request("POST", "/v1/chat", body, x_api_key=WIDGET_KEY)

    def stream(
        self,
        message: str,
        session: str | None = None,
        path: str = "/v1/chat/stream",
        timeout_s: float = 20.0,
        **fields: Any,
    ) -> Exchange:
        """Ask over ``POST /v1/chat/stream`` and return once the headers are there."""
        body = chat_body(message, session, fields)
        sent = self.send("POST", path, body, timeout_s, x_api_key=WIDGET_KEY)
        return sent.begin()

    def admin(self, path: str) -> Answer:
        """Read an admin route."""
        return self.request("GET", path, x_admin_api_key=ADMIN_KEY)

    def messages(self, conversation_id: str) -> list[dict[str, Any]]:
        """Return what is stored of a conversation, oldest first."""
        stored: list[dict[str, Any]] = self.admin(
            f"/v1/admin/conversations/{conversation_id}"
        ).json["messages"]
        return stored

    def said(self, conversation_id: str) -> list[tuple[str, str]]:
        """Return role and content of what is stored of a conversation."""
        return [(each["role"], each["content"]) for each in self.messages(conversation_id)]


def chat_body(message: str, session: str | None, fields: dict[str, Any]) -> dict[str, Any]:
    """Write the body of a chat; without a session, one of its own."""
    return {"sessionId": session or f"s-{uuid.uuid4().hex}", "message": message, **fields}


def free_port() -> int:
    """Return a port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        return int(held.getsockname()[1])
