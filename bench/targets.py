"""The servers that are measured: ours, and the floor under it."""

import json
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bench.dialects import KEY, OTHERS
from bench.processes import OTHER_CORE, SERVER_CORE, Process
from bench.upstream import Pace

ROOT = Path(__file__).resolve().parents[1]
BOOT_S = 30.0
MANY = str(10**9)

NGINX = """
daemon off; worker_processes 1; master_process off; pid {directory}/nginx.pid;
error_log {directory}/nginx.log crit; worker_rlimit_nofile 20000;
events {{ worker_connections 9000; use epoll; }}
http {{
  access_log off; keepalive_requests 1000000; tcp_nodelay on;
  client_body_temp_path {directory}/b; proxy_temp_path {directory}/p;
  fastcgi_temp_path {directory}/f; uwsgi_temp_path {directory}/u; scgi_temp_path {directory}/s;
  upstream model {{ server {model}; keepalive 1024; keepalive_requests 1000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass {scheme}://model; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_buffering off; proxy_read_timeout 600s; proxy_ssl_session_reuse on;
    }}
  }}
}}
"""
# Everything is on, and nothing is in the way: limits count, but far away.
PERCH: Mapping[str, str] = {
    "APP_ENV": "test",
    "OPENAI_API_KEY": "sk-bench",
    "WIDGET_API_KEY": KEY,
    "MAX_STREAMS": "4000",
    **dict.fromkeys(
        (
            "RATE_LIMIT_MAX_REQUESTS",
            "LIMIT_IP_PER_DAY",
            "LIMIT_SESSION_PER_MINUTE",
            "LIMIT_SESSION_PER_DAY",
            "LIMIT_NEW_SESSIONS_PER_HOUR",
            "MAX_STREAMS_PER_IP",
            "BUDGET_TOKENS_PER_DAY",
            "BUDGET_TOKENS_PER_IP_DAY",
            "BUDGET_TOKENS_PER_SESSION_DAY",
        ),
        MANY,
    ),
    "BREAKER_FAILURES": "5",
}


@dataclass(frozen=True)
class Target:
    """A running server, as the load generator must talk to it."""

    name: str
    url: str
    dialect: str
    process: Process


class FakeUpstream:
    """The running fake model and Convex; ``tls`` chooses how the model is reached."""

    def __init__(self, process: Process, ports: Mapping[str, int], *, tls: bool) -> None:
        self.process = process
        self._plain = f"http://127.0.0.1:{ports['http']}"
        self.convex = self._plain
        self.model = f"https://localhost:{ports['https']}" if tls else self._plain

    def set_pace(self, pace: Mapping[str, Any]) -> None:
        _ask(f"{self._plain}/_pace", json.dumps({**vars(Pace()), **pace}).encode())

    def wait_until_quiet(self, timeout_s: float = 8.0) -> None:
        """Return when no stream is open any more."""
        deadline = time.monotonic() + timeout_s
        while _ask(f"{self._plain}/_open")["open"] and time.monotonic() < deadline:
            time.sleep(0.05)


@contextmanager
def upstream(certificate: Path, *, tls: bool = False) -> Iterator[FakeUpstream]:
    """Run the fake upstream."""
    command = [sys.executable, "-m", "bench.upstream", "--certificate", str(certificate)]
    with Process(command, core=OTHER_CORE, output=subprocess.PIPE, directory=ROOT) as process:
        assert process.stdout is not None
        yield FakeUpstream(process, json.loads(process.stdout.readline()), tls=tls)


@contextmanager
def nginx(source: FakeUpstream, directory: Path, certificate: Path) -> Iterator[Target]:
    """The floor: bytes passed through, nothing read, nothing stored."""
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    port = free_port()
    scheme, _, model = source.model.partition("://")
    config = directory / "nginx.conf"
    config.write_text(NGINX.format(directory=directory, port=port, scheme=scheme, model=model))
    command = [program, "-p", str(directory), "-c", str(config)]
    with Process(command, core=SERVER_CORE) as process:
        base = f"http://127.0.0.1:{port}"
        _wait_until_up(process, f"{base}/_open")
        yield Target("nginx", base, "model", process)


@contextmanager
def perch(
    source: FakeUpstream,
    directory: Path,
    certificate: Path,
    *,
    store: str = "convex",
    dialect: str = "ndjson",
    root: Path = ROOT,
    under: Sequence[str] = (),
    boot_s: float = BOOT_S,
) -> Iterator[Target]:
    """Ours, over the fake Convex or over a SQLite file.

    ``root`` is the checkout to run, ``under`` the command that runs it, if any.
    """
    port = free_port()
    stores = {
        "convex": {"CONVEX_URL": source.convex, "CONVEX_DEPLOY_KEY": "prod:bench|key"},
        "sqlite": {"SQLITE_PATH": str(directory / f"bench-{port}.db")},
    }
    environment = {
        **PERCH,
        **stores[store],
        "PORT": str(port),
        "OPENAI_BASE_URL": f"{source.model}/v1",
        "SSL_CERT_FILE": str(certificate),
        "PYTHONPATH": str(root),
    }
    own_python = root / ".venv" / "bin" / "python"
    python = str(own_python) if own_python.exists() else sys.executable
    command = [*under, python, "-m", "gunicorn", "-c", str(root / "gunicorn.conf.py")]
    with (
        (directory / f"perch-{port}.log").open("wb") as log,
        Process(
            command, core=SERVER_CORE, environment=environment, output=log, directory=directory
        ) as process,
    ):
        base = f"http://127.0.0.1:{port}"
        _wait_until_up(process, f"{base}/health", boot_s)
        yield Target("perch", base, dialect, process)


Start = Callable[[FakeUpstream, Path, Path], AbstractContextManager[Target]]
TARGETS: dict[str, Start] = {
    "nginx": nginx,
    "perch": perch,
    "perch-sqlite": partial(perch, store="sqlite"),
    **{f"perch {name}": partial(perch, dialect=name) for name in OTHERS},
}


def add_checkout(root: Path) -> None:
    """Measure the server of another checkout beside each of ours, as "perch before"."""
    TARGETS["perch before"] = partial(perch, root=root)
    TARGETS["perch-sqlite before"] = partial(perch, store="sqlite", root=root)


def make_certificate(directory: Path) -> Path:
    """Make a certificate for localhost, of the kind that model providers have."""
    path, key = directory / "certificate.pem", directory / "key.pem"
    options = "-x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(path)]
    subprocess.run(
        ["openssl", "req", *options.split(), *names, *files], check=True, capture_output=True
    )
    path.write_bytes(key.read_bytes() + path.read_bytes())
    return path


def free_port() -> int:
    import socket

    with socket.socket() as link:
        link.bind(("127.0.0.1", 0))
        port: int = link.getsockname()[1]
        return port


def _wait_until_up(process: Process, url: str, boot_s: float = BOOT_S) -> None:
    deadline = time.monotonic() + boot_s
    while time.monotonic() < deadline and not process.has_ended:
        try:
            _ask(url)
        except (OSError, ValueError):
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"no server answers at {url}")


def _ask(url: str, body: bytes | None = None) -> Any:
    with urllib.request.urlopen(urllib.request.Request(url, body), timeout=5) as answer:
        return json.load(answer)
