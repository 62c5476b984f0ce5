"""Many readers of streams, and how long they wait: a load generator.

    python -m bench.load '{"url": …, "dialect": "ndjson", "streams": 200, …}'

It holds ``streams`` connections open, asks again on each as soon as an answer
has ended, and looks at the server's process tree before and after ``window_s``.
Prints one JSON object.
"""

import gc
import json
import socket
import sys
import time
from array import array
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from bench.dialects import DIALECTS
from bench.loop import Loop
from bench.processes import cpu_s, pss_kib

READ_BYTES = 262_144
QUESTION = "Hello, what can you do for me today?"
PERCENTILES = (50, 99)


@dataclass
class Task:
    """What to do, as ``scenarios.py`` says it."""

    url: str
    dialect: str
    pid: int  # of the server under test
    streams: int
    tokens: int  # that each answer must have
    ramp_s: float = 0.0  # over which the connections are opened
    warm_s: float = 0.5
    window_s: float = 4.0


@dataclass
class Seen:
    """Everything that was measured; times in ms."""

    is_open: bool = False  # the window
    tokens: int = 0
    turns: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    gaps: "array[float]" = field(default_factory=lambda: array("d"))
    added: "array[float]" = field(default_factory=lambda: array("d"))
    before: "array[float]" = field(default_factory=lambda: array("d"))
    first: "array[float]" = field(default_factory=lambda: array("d"))


class Reader:
    """One connection that asks, reads to the end, and asks again."""

    def __init__(self, load: "Load", number: int) -> None:
        self._load = load
        self._number = number
        self._rest = b""
        self._tokens = 0
        self._turn = 0
        self._asked_at = self._heard_at = 0.0
        self._link = socket.create_connection(load.address)
        self._link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        load.loop.watch(self._link.fileno(), self._read)
        self._ask()

    def close(self) -> None:
        self._load.loop.forget(self._link.fileno())
        self._link.close()

    def _ask(self) -> None:
        self._turn += 1
        self._tokens = 0
        self._asked_at = time.monotonic()
        # A new session now and then, so that no thread grows for ever.
        self._link.sendall(self._load.request(f"bench-{self._number}-{self._turn // 10}"))

    def _read(self) -> None:
        data = self._link.recv(READ_BYTES)
        now = time.monotonic()
        if not data:
            self._fail("the connection was closed")
            return
        # A line of JSON holds no newline, so chunk sizes are lines of their own.
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        first_of_read = True
        for line in lines:
            if line.startswith(self._load.token_mark):
                # Those that came together may stand in one piece.
                for piece in line.split(b"@")[1:]:
                    stamp = piece.partition(b'"')[0].partition(b" ")[0]
                    self._note_token(stamp, now, first_of_read=first_of_read)
                    first_of_read = False
            elif line.startswith(self._load.end_mark):
                self._end_turn()
            elif line.startswith((b"HTTP/1.1 ", b'{"type":"error')) and b" 200 " not in line:
                self._fail(line[:120].decode("latin-1"))

    def _note_token(self, stamp: bytes, now: float, *, first_of_read: bool) -> None:
        seen = self._load.seen
        self._tokens += 1
        seen.tokens += 1
        if self._tokens == 1:
            came_at, _, stamp = stamp.partition(b",")
            if seen.is_open:
                seen.before.append(int(came_at) / 1e3 - self._asked_at * 1e3)
                seen.first.append((now - self._asked_at) * 1e3)
                seen.added.append(now * 1e3 - int(stamp) / 1e3)
        elif seen.is_open:
            seen.gaps.append((now - self._heard_at) * 1e3 if first_of_read else 0.0)
            seen.added.append(now * 1e3 - int(stamp) / 1e3)
        self._heard_at = now

    def _end_turn(self) -> None:
        load = self._load
        if self._tokens != load.task.tokens:
            load.seen.faults[f"{self._tokens} tokens of {load.task.tokens}"] += 1
        load.seen.turns += 1
        if not load.is_over:
            # The answer's last bytes are still to come: the next request may wait for them.
            load.loop.after(0.0, self._ask)

    def _fail(self, reason: str) -> None:
        self._load.seen.faults[reason] += 1
        self.close()


class Load:
    """All readers of one run."""

    def __init__(self, task: Task) -> None:
        parts = urlsplit(task.url)
        self.task = task
        self.seen = Seen()
        self.loop = Loop()
        self.is_over = False
        self.address = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._dialect = DIALECTS[task.dialect]
        self.token_mark, self.end_mark = self._dialect.token, self._dialect.end
        own = self._dialect.headers
        headers = {"Host": parts.netloc, "Content-Type": "application/json", **own}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._head = f"POST {self._dialect.path} HTTP/1.1\r\n{lines}".encode()
        self._readers: list[Reader] = []

    def request(self, session: str) -> bytes:
        """Write one question."""
        data = json.dumps(self._dialect.body(session, QUESTION)).encode()
        return b"%bContent-Length: %d\r\n\r\n%b" % (self._head, len(data), data)

    def run(self) -> dict[str, Any]:
        """Do the task, and tell what was seen."""
        task, seen = self.task, self.seen
        idle_kib = pss_kib(task.pid)
        for number in range(task.streams):
            due_s = task.ramp_s * number / task.streams
            self.loop.after(due_s, partial(self._open, number))
        self._wait(task.ramp_s + task.warm_s)
        seen.is_open = True
        began, tokens, turns = time.monotonic(), seen.tokens, seen.turns
        server, own = cpu_s(task.pid), time.process_time()
        self._wait(task.window_s)
        seen.is_open = False
        took_s = time.monotonic() - began
        server, own = cpu_s(task.pid) - server, time.process_time() - own
        tokens, turns = seen.tokens - tokens, seen.turns - turns
        full_kib = pss_kib(task.pid)
        self.is_over = True
        for reader in self._readers:
            reader.close()
        return {
            "cpu_us_per_token": server * 1e6 / tokens if tokens else None,
            "cpu_ms_per_turn": server * 1e3 / turns if turns else None,
            "tokens_per_s": tokens / took_s,
            "turns_per_s": turns / took_s,
            "cpu": server / took_s,
            "load_cpu": own / took_s,
            "kib_per_stream": (full_kib - idle_kib) / task.streams,
            "faults": dict(seen.faults),
            **_spread("gap_ms", seen.gaps),
            **_spread("added_ms", seen.added),
            **_spread("before_ms", seen.before),
            **_spread("first_ms", seen.first),
        }

    def _open(self, number: int) -> None:
        self._readers.append(Reader(self, number))

    def _wait(self, seconds: float) -> None:
        over: list[bool] = []
        self.loop.after(seconds, partial(over.append, True))
        self.loop.run(until=lambda: bool(over))


def _spread(name: str, values: "array[float]") -> dict[str, float | None]:
    ordered = sorted(values)
    return {
        f"{name}_p{each}": ordered[min(len(ordered) - 1, len(ordered) * each // 100)]
        if ordered
        else None
        for each in PERCENTILES
    }


def main() -> None:
    gc.disable()
    print(json.dumps(Load(Task(**json.loads(sys.argv[1]))).run()))


if __name__ == "__main__":
    main()
