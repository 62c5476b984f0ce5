"""Gunicorn's gevent worker, with an end to its patience.

As it comes, it waits for ever for a client that does not read its answer, and
a crowd of connections that say nothing takes the places of those that would.
"""

import os
from contextlib import suppress
from socket import SHUT_RDWR
from typing import Any

from gevent import monkey
from gunicorn.workers.ggevent import GeventWorker

# A client that has not asked anything yet holds a place among so many; the
# one who is silent longest makes way for the next.
MAX_SILENT = 1000


_Socket = monkey.get_original("socket", "socket")


class Worker(GeventWorker):
    """Serves connections; ``send_timeout_s`` is set by ``gunicorn.conf.py``."""

    send_timeout_s = 30.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._silent: dict[Any, None] = {}

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        """Serve one connection until it ends."""
        self._let_be_silent(client)
        try:
            super().handle(listener, client, addr)
        finally:
            self._silent.pop(client, None)

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> bool:
        """Serve one request."""
        self._silent.pop(sock, None)
        # For each wait of a write, and for what reads the body without a limit of its own.
        sock.settimeout(self.send_timeout_s)
        answered = super().handle_request(listener_name, req, sock, addr)
        self._let_be_silent(sock)
        return answered

    def notify(self) -> None:
        """Tell the master that the hub turns; without a master, drain and end.

        Gunicorn would exit at once, and cut every stream.
        """
        if self.ppid == os.getppid():
            super().notify()
        else:
            self.alive = False

    def _let_be_silent(self, client: Any) -> None:
        if len(self._silent) >= MAX_SILENT:
            oldest = next(iter(self._silent))
            del self._silent[oldest]
            _hang_up(oldest)
        self._silent[client] = None


def _hang_up(client: Any) -> None:
    # Through a twin: gevent's own shutdown raises in the greenlet that reads,
    # where an end of the stream is all it should see.
    with suppress(OSError), _Socket(fileno=os.dup(client.fileno())) as twin:
        twin.shutdown(SHUT_RDWR)
