"""Gunicorn's gevent worker, with an end to its patience, and fewer steps a request.

As it comes, it waits for ever for a client that does not read its answer, and
a crowd of connections that say nothing takes the places of those that would.
"""

import os
from contextlib import suppress
from socket import SHUT_RDWR
from typing import Any

from gevent import monkey, socket
from gunicorn.http import wsgi
from gunicorn.workers.ggevent import GeventWorker

from app.web.connection import LastPiece

# A client that has not asked anything yet holds a place among so many; the
# one who is silent longest makes way for the next.
MAX_SILENT = 1000
_MAPPED = "::ffff:"

_Socket = monkey.get_original("socket", "socket")


class Worker(GeventWorker):
    """Serves connections; ``send_timeout_s`` is set by ``gunicorn.conf.py``."""

    send_timeout_s = 30.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._silent: dict[Any, None] = {}

    def init_process(self) -> None:
        """Get ready to serve, in the worker's own process."""
        # Gunicorn looks up some thirty settings a request, each through three calls.
        vars(self.cfg).update((name, each.get()) for name, each in self.cfg.settings.items())
        vars(wsgi)["Response"] = Answer  # it has no other way to be told
        super().init_process()

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        """Serve one connection until it ends."""
        self._let_be_silent(client)
        if addr and addr[0].startswith(_MAPPED):  # an IPv4 peer on a socket for both families
            addr = (addr[0].removeprefix(_MAPPED), addr[1])
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


class Answer(wsgi.Response):
    """A response whose head leaves with the first piece of its body, and its end with the last.

    That saves packets, and most of the calls of a short answer.
    """

    _held = b""

    def send_headers(self) -> None:
        """Prepare the head."""
        if not self.headers_sent:
            lines = [*self.default_headers(), *(f"{name}: {it}\r\n" for name, it in self.headers)]
            self._held = f"{''.join(lines)}\r\n".encode("latin-1")
            self.headers = []  # a stream would hold them to its end
            self.headers_sent = True

    def close(self) -> None:
        """Send what is left, and the mark of the body's end."""
        self.send_headers()
        self._send(b"0\r\n\r\n" if self.chunked else b"")

    def can_sendfile(self) -> bool:
        """Refuse: the kernel would send a file ahead of its head."""
        return False

    def _emit_body(self, data: bytes) -> None:
        framed = b"%x\r\n%b\r\n" % (len(data), data) if self.chunked else bytes(data)
        if isinstance(data, LastPiece):
            self._held += framed  # `close` is next
        else:
            self._send(framed)

    def _send(self, data: bytes) -> None:
        data, self._held = self._held + data, b""
        if type(self.sock) is socket.socket:  # else TLS
            with suppress(BlockingIOError):
                data = data[os.write(self.sock.fileno(), data) :]
        if data:
            self.sock.sendall(data)


def _hang_up(client: Any) -> None:
    # Through a twin: gevent's own shutdown raises in the greenlet that reads,
    # where an end of the stream is all it should see.
    with suppress(OSError), _Socket(fileno=os.dup(client.fileno())) as twin:
        twin.shutdown(SHUT_RDWR)
