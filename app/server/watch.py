"""Notices that a client leaves while its answer is made."""

import select
from collections.abc import Callable
from typing import Any, Self

import gevent
from gevent import monkey, socket

# With a heartbeat every 12 s a vanished visitor is noticed within 25 s.
_TCP_USER_TIMEOUT_MS = 10_000
_GONE = getattr(select, "POLLRDHUP", 0) | select.POLLHUP | select.POLLERR
_poll = monkey.get_original("select", "poll")


class Watch:
    """Calls ``on_leave`` from the hub when a client closes its side, until ``close``."""

    __slots__ = ("_on_leave", "_sock", "_watcher")

    def __init__(self, sock: Any, on_leave: Callable[[], None]) -> None:
        self._sock = sock
        self._on_leave = on_leave
        if hasattr(socket, "TCP_USER_TIMEOUT") and sock.family != getattr(socket, "AF_UNIX", None):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _TCP_USER_TIMEOUT_MS)
        self._watcher: Any = gevent.get_hub().loop.io(sock.fileno(), 1)
        self._watcher.start(self._on_readable)

    @classmethod
    def of(cls, environ: dict[str, Any], on_leave: Callable[[], None]) -> Self | None:
        """Watch the client of a request; ``None`` outside gunicorn's gevent worker."""
        sock = environ.get("gunicorn.socket")
        return cls(sock, on_leave) if hasattr(sock, "hub") else None

    def close(self) -> None:
        """Watch no more; the socket stays gunicorn's."""
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher.close()
            self._watcher = None

    def _on_readable(self) -> None:
        poll = _poll()
        poll.register(self._sock.fileno(), _GONE)
        # What is readable may also be the client's next request, sent early;
        # then only a write will show that it left.
        self._watcher.stop()
        if poll.poll(0):
            self._on_leave()
