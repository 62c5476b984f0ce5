"""Convex for tests: the real functions of ``convex/`` behind Convex's HTTP API.

A Node program (see ``server.ts``) runs them on convex-test's database in
memory; this module starts it, once for a test process, and controls it.
"""

import atexit
import json
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import IO, Any

import pytest

_START = Path(__file__).parent / "start.mjs"
_PROJECT = Path(__file__).parents[2] / "convex"
_CONTROL_TIMEOUT_S = 60.0

Documents = list[dict[str, Any]]


class ConvexServer:
    """A running test server: where it is, and what a test may do to it."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.url = f"http://127.0.0.1:{told['apiPort']}"
        self.deploy_key: str = told["key"]
        self.limited_key: str = told["limitedKey"]
        self._controls = f"http://127.0.0.1:{told['controlPort']}/_control"

    def reset(self) -> None:
        """Forget all documents, faults, calls and the clock's offset."""
        self._control(reset=True)

    def fail(self, kind: str, **details: Any) -> None:
        """Let calls meet a fault of ``faults.ts``: ``times`` so many, or all of them."""
        self._control(fault={"kind": kind, **details})

    def refuse_connections(self) -> None:
        """Close the API's port until the next reset."""
        self._control(refuse=True)

    def heal(self) -> None:
        """End all faults, and keep the documents."""
        self._control(heal=True)

    def advance(self, ms: int) -> None:
        """Move the functions' clock on."""
        self._control(advanceMs=ms)

    def set_variable(self, name: str, value: str | None) -> None:
        """Set one of the deployment's own environment variables."""
        self._control(env={name: value})

    def settle(self) -> None:
        """Wait for everything that the functions scheduled."""
        self._control(settle=True)

    def insert(self, table: str, documents: Documents) -> list[str]:
        """Store documents as they are; returns their ids."""
        ids: list[str] = self._control(insert={table: documents})
        return ids

    def documents(self, table: str) -> Documents:
        """Everything in a table, in order of creation."""
        found: Documents = self._control(dump=table)
        return found

    def calls(self) -> list[tuple[str, int]]:
        """Each call since the last reset: its function, and the documents that it read."""
        calls = self._control(calls=True)
        return [(call["path"], call["usage"]["documentsRead"]) for call in calls]

    def call(self, kind: str, path: str, args: dict[str, Any]) -> Any:
        """Run a function as Convex itself does: a cron's, for one."""
        body = {"path": path, "format": "convex_encoded_json", "args": args}
        headers = {"Authorization": f"Convex {self.deploy_key}"}
        answer = _post(f"{self.url}/api/{kind}", body, headers)
        assert answer["status"] == "success", answer
        return answer["value"]

    def _control(self, **control: Any) -> Any:
        return _post(self._controls, control, {})


def _post(url: str, body: dict[str, Any], headers: dict[str, str]) -> Any:
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=_CONTROL_TIMEOUT_S) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{url}: {error.code} {error.read().decode()}") from error


@contextmanager
def run_convex_server() -> Iterator[ConvexServer]:
    """Start a test server; it ends with the context, or with this process."""
    with subprocess.Popen(
        [_node(), str(_START)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield ConvexServer(_told(process.stdout))
        finally:
            process.stdin.close()
            process.wait(timeout=10)


def _told(stdout: IO[str]) -> dict[str, Any]:
    line = stdout.readline()
    if not line:
        pytest.fail("Convex's test server did not start; what it said stands above")
    told: dict[str, Any] = json.loads(line)
    return told


def _node() -> str:
    """Find Node and the packages, or fail with what to type."""
    node = shutil.which("node")
    if node is None:
        pytest.fail("Convex's tests were NOT run: there is no Node. Type: make node")
    if not (_PROJECT / "node_modules").is_dir():
        pytest.fail("Convex's tests were NOT run: type: npm --prefix convex ci")
    return node


@cache
def convex_server() -> ConvexServer:
    """Return the one server of this process, which starts it at the first use."""
    running = ExitStack()
    atexit.register(running.close)
    return running.enter_context(run_convex_server())


@pytest.fixture
def convex() -> ConvexServer:
    """An empty deployment."""
    server = convex_server()
    server.reset()
    return server
