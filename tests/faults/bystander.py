"""Another visitor's stream, read while something goes wrong elsewhere."""

import threading
import time
from itertools import count, pairwise
from types import TracebackType
from typing import Any, Self

from tests.live.eventually import eventually
from tests.servers.perch import Server
from tests.servers.planted_server import untroubled
from tests.servers.upstream_script import WORDS

GAP_MS = 20
# Far below every deadline of these tests, far above what a busy machine adds.
LONGEST_GAP_S = 0.7
_numbers = count()


class Bystander:
    """A context in which a stream of its own must go on, token by token, in order."""

    def __init__(self, server: Server, longest_gap_s: float = LONGEST_GAP_S) -> None:
        self._longest_gap_s = longest_gap_s
        self._stream = server.stream(
            untroubled("I only watch", tokens=5000, gap_ms=GAP_MS),
            session=f"bystander-{next(_numbers)}",
        )
        self._came: list[tuple[float, Any]] = []
        self._left = False
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        eventually(lambda: len(self._came) > 2)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        seen = list(self._came)
        now = time.monotonic()
        self._left = True
        self._stream.reset()
        self._thread.join(5)
        if error is None:
            self._check(seen, now)

    def _read(self) -> None:
        try:
            for line in self._stream.lines():
                if line.event is not None:
                    self._came.append((line.came_at, line.event))
        except (OSError, ValueError, AssertionError, AttributeError):
            assert self._left, "the bystander's connection broke"

    def _check(self, seen: list[tuple[float, Any]], now: float) -> None:
        tokens = [event.get("token") for _, event in seen if event["type"] != "start"]
        assert tokens == [WORDS[number % len(WORDS)] for number in range(len(tokens))]
        times = [came_at for came_at, _ in seen]
        longest = max(after - before for before, after in pairwise([*times, now]))
        assert longest < self._longest_gap_s, f"another stream stood still for {longest:.2f} s"
