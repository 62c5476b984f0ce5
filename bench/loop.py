"""One thread, many sockets: what readiness and timers cost least."""

import select
import time
from collections import deque
from collections.abc import Callable

# Timers due within this are run together.
GRAIN_S = 0.0005


class Loop:
    """Readiness and timers; timers of one delay stand in one queue, which is sorted by itself."""

    def __init__(self) -> None:
        self._poll = select.epoll()
        self._handlers: dict[int, Callable[[], None]] = {}
        self._timers: dict[float, deque[tuple[float, Callable[[], None]]]] = {}

    def watch(self, fd: int, handler: Callable[[], None]) -> None:
        self._handlers[fd] = handler
        self._poll.register(fd, select.EPOLLIN)

    def forget(self, fd: int) -> None:
        if self._handlers.pop(fd, None):
            self._poll.unregister(fd)

    def after(self, delay_s: float, call: Callable[[], None], since: float | None = None) -> float:
        """Call later; ``since`` keeps a beat that does not drift. Returns when."""
        due = (time.monotonic() if since is None else since) + delay_s
        self._timers.setdefault(delay_s, deque()).append((due, call))
        return due

    def run(self, until: Callable[[], bool] = lambda: False) -> None:
        while not until():
            due = min((queue[0][0] for queue in self._timers.values() if queue), default=None)
            wait_s = None if due is None else max(0.0, due - time.monotonic())
            for fd, _ in self._poll.poll(wait_s):
                handler = self._handlers.get(fd)
                if handler is not None:
                    handler()
            self._run_due()

    def _run_due(self) -> None:
        limit = time.monotonic() + GRAIN_S
        for queue in list(self._timers.values()):
            while queue and queue[0][0] <= limit:
                queue.popleft()[1]()
