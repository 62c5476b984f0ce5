"""A server that begins with the newest connection when it cannot keep up.

A crowd that connects at once would otherwise keep everybody who comes after
it waiting until each of its requests is served. A health check goes first.
"""

from contextlib import suppress
from socket import MSG_PEEK
from typing import Any

from gevent import get_hub
from gevent.pool import Pool
from gevent.server import StreamServer

# So many are begun in the order in which they came, and between two looks at who comes.
_AT_ONCE = 10
# Any time but none lets the hub look.
_NEXT_LOOK_S = 1e-9
# Until the next look where all places are taken.
_PLACE_S = 0.01
_HEALTH = b"GET /health"
_CHECK_BYTES = 1024


class NewestFirstServer(StreamServer):
    """Serves each connection in a greenlet of the pool it is given."""

    # None shall wait in the kernel, where the oldest comes first. With several
    # workers gunicorn makes it one: whoever is idle takes the next.
    max_accept = 500

    def __init__(self, listener: Any, handle: Any, spawn: Pool, **options: Any) -> None:
        super().__init__(listener, handle=handle, spawn=spawn, **options)
        del vars(self)["full"]  # the pool's: more are taken than are begun
        self._pool = spawn
        self._places = spawn.free_count()
        self._serve_one = handle if not self.ssl_enabled else self.wrap_socket_and_handle
        # What is begun waits for the hub, too, until it runs; counted since the last look.
        self._begun = 0
        # The hub itself begins what waits: where memory is short, a greenlet may never run.
        self._soon, self._later = (get_hub().loop.timer(s) for s in (_NEXT_LOOK_S, _PLACE_S))
        # In the order in which they came; the last is begun next.
        self._waiting: dict[Any, tuple[Any, ...]] = {}
        self._checks: dict[Any, tuple[Any, ...]] = {}

    def do_handle(self, *args: Any) -> None:
        """Serve a connection, now or when its turn has come."""
        if self._begun < _AT_ONCE and not self._is_crowd and not self._pool.full():
            self._begin(args)
        else:
            waiting = self._checks if _asks_for_health(args[0]) else self._waiting
            waiting[args[0]] = args
            if len(waiting) > self._places:  # nobody serves so many in time
                self.do_close(*waiting.pop(next(iter(waiting))))
        self._soon.start(self._look)

    def close(self) -> None:
        """Take no more; who has connected already is still served."""
        super().close()
        while self._is_crowd and not self._pool.full():
            self._begin(self._next())

    @property
    def _is_crowd(self) -> bool:
        return bool(self._waiting or self._checks)

    def _look(self) -> None:
        self._begun = 0
        try:
            while self._is_crowd and self._begun < _AT_ONCE and not self._pool.full():
                self._begin(self._next())
        finally:
            if self._is_crowd:
                (self._later if self._pool.full() else self._soon).start(self._look)

    def _begin(self, connection: tuple[Any, ...]) -> None:
        self._begun += 1
        self._pool.spawn(self._serve, connection)

    def _serve(self, connection: tuple[Any, ...]) -> None:
        try:
            self._serve_one(*connection)
        finally:
            self.do_close(*connection)

    def _next(self) -> tuple[Any, ...]:
        return (self._checks or self._waiting).popitem()[1]


def _asks_for_health(client: Any) -> bool:
    # What it sends has come as a rule: in a crowd, some time goes by until it is looked at.
    client.settimeout(0)
    with suppress(OSError):
        said: bytes = client.recv(_CHECK_BYTES, MSG_PEEK)
        # A head and nothing behind it: a body to wait for, no check has.
        return said.startswith(_HEALTH) and said.endswith(b"\r\n\r\n")
    return False
