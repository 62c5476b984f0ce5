"""Gunicorn's gevent worker, with an end to its patience, and fewer steps a request.

As it comes, it waits for ever for a client that does not read its answer, and
a crowd of connections that say nothing, or do not say all of it, takes the
places of those that would.
"""

import os
import time
from contextlib import suppress
from email.utils import formatdate
from functools import lru_cache, partial
from socket import SHUT_RDWR, SHUT_WR
from typing import Any

import gevent
from gevent import monkey
from gunicorn import util
from gunicorn.http import parser, wsgi
from gunicorn.workers import ggevent
from gunicorn.workers.ggevent import GeventWorker
from structlog.contextvars import clear_contextvars

from app.server.aside import CAN_WAIT, Aside, PutAside, Twin, is_plain
from app.server.incoming import Body, Reader
from app.server.newest_first import NewestFirstServer
from app.server.pauses import let_others_work
from app.server.writer import WRITER, ChunkedWriter

# A client that has not asked anything yet holds a place among so many; the
# one who is silent longest makes way for the next. So does one whose request
# has a body that is not all in.
MAX_SILENT = 1000
_MAPPED = "::ffff:"
# Lists that are parsed when they are asked for, item by item. Longer than any
# that makes sense, they are as good as absent.
_MAX_LIST_BYTES = 4096
_LISTS = {
    "ACCEPT", "ACCEPT-ENCODING", "ACCEPT-LANGUAGE", "CONTENT-TYPE",
    "IF-MATCH", "IF-NONE-MATCH", "IF-RANGE", "RANGE",
}  # fmt: skip
# What of a body nobody asked for is read for the sake of the next request, in
# pieces: gunicorn's own, of 1 KB, cost the square of what has come.
_MAX_UNREAD_BYTES = 64 * 1024
_PIECE_BYTES = 16 * 1024
# So long is thrown away what a client goes on to send, that it may read its answer.
_LINGER_S = 2.0

_Socket = monkey.get_original("socket", "socket")
_create_response = wsgi.create


class Worker(GeventWorker):
    """Serves connections; ``send_timeout_s`` is set by ``gunicorn.conf.py``."""

    send_timeout_s = 30.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._silent: dict[Any, None] = {}
        self._put_aside = PutAside(self.handle)

    def init_process(self) -> None:
        """Get ready to serve, in the worker's own process."""
        # Gunicorn looks up some thirty settings a request, each through three calls.
        vars(self.cfg).update((name, each.get()) for name, each in self.cfg.settings.items())
        vars(wsgi)["Response"] = HeadWithBody  # it has no other way to be told
        vars(wsgi)["create"] = _create
        vars(util)["http_date"] = _http_date
        vars(parser)["SocketUnreader"] = Reader
        vars(ggevent)["StreamServer"] = NewestFirstServer
        super().init_process()

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        """Serve one connection until it ends."""
        if not isinstance(client, Twin):  # whose request has come
            self._let_be_silent(client)
        if addr and addr[0].startswith(_MAPPED):  # an IPv4 peer on a socket for both families
            addr = (addr[0].removeprefix(_MAPPED), addr[1])
        try:
            super().handle(listener, client, addr)
        finally:
            self._silent.pop(client, None)

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> bool:
        """Serve one request; until its body is in, the client is one that says nothing."""
        req.unreader.is_in_head = False
        if req.unreader.head_bytes > _MAX_LIST_BYTES:
            req.headers = [each for each in req.headers if not _is_endless(*each)]
        req.body = Body(req.body.reader, partial(self._silent.pop, sock, None))
        # For each wait of a write, and for what reads the body without a limit of its own.
        sock.settimeout(self.send_timeout_s)
        try:
            answered = super().handle_request(listener_name, req, sock, addr)
        except StopIteration:  # the connection is to be closed
            if not (req.body.is_whole or req.unreader.is_left):
                self._linger(sock)
            raise
        if self._put_aside.take(listener_name, req, sock, addr):
            raise StopIteration
        if isinstance(sock, Twin):
            sock.is_second_time = False
        if req.unreader.is_left:
            raise StopIteration
        clear_contextvars()  # the connection goes on, and what it says next is no part of this
        self._let_be_silent(sock)
        if not (req.body.is_whole or self._has_read_rest(req.body)):
            if req.unreader.is_left:
                raise StopIteration
            self._linger(sock)
            raise StopIteration
        req.unreader.begin_head()
        return answered

    def is_already_handled(self, respiter: Any) -> bool:
        """Tell whether there is no answer to write, for the request is put aside."""
        if isinstance(respiter, Aside):
            self._put_aside.note(respiter)
            return True
        return bool(super().is_already_handled(respiter))

    def run(self) -> None:
        """Serve until the end, that of requests which were put aside included."""
        super().run()
        gevent.with_timeout(_LINGER_S, self._put_aside.end, timeout_value=None)

    def _has_read_rest(self, rest: "Body") -> bool:
        """Read what nobody asked for, and return whether the next request follows."""
        keepalive_s: int = self.cfg.keepalive
        is_read: bool = gevent.with_timeout(keepalive_s, _read_rest, rest, timeout_value=False)
        return is_read

    def _linger(self, client: Any) -> None:
        self._let_be_silent(client)
        gevent.with_timeout(_LINGER_S, _linger, client, timeout_value=None)

    def notify(self) -> None:
        """Tell the master that the hub turns; without a master, drain and end.

        Gunicorn would exit at once, and cut every stream.
        """
        if self.ppid == os.getppid():
            super().notify()
        else:
            self.alive = False

    def _let_be_silent(self, client: Any) -> None:
        self._silent.pop(client, None)
        if len(self._silent) >= MAX_SILENT:
            oldest = next(iter(self._silent))
            del self._silent[oldest]
            _hang_up(oldest)
        self._silent[client] = None


class HeadWithBody(wsgi.Response):
    """A response whose head leaves with the first piece of its body, and its end with the last.

    That saves packets, and most of the calls of a short answer.
    """

    def __init__(self, req: Any, sock: Any, cfg: Any) -> None:
        super().__init__(req, sock, cfg)
        self.writer = ChunkedWriter(sock, is_chunked=req.version > (1, 0))

    def send_headers(self) -> None:
        """Prepare the head."""
        if not self.headers_sent:
            lines = [*self.default_headers(), *[f"{name}: {it}\r\n" for name, it in self.headers]]
            head = f"{''.join(lines)}\r\n".encode("latin-1")
            self.writer.begin(head, is_chunked=self.chunked)
            self.headers = []  # a stream would hold them to its end
            self.headers_sent = True

    def close(self) -> None:
        """Send what is left, and the mark of the body's end."""
        self.send_headers()
        self.writer.end()

    def can_sendfile(self) -> bool:
        """Refuse: the kernel would send a file ahead of its head."""
        return False

    def _emit_body(self, data: bytes) -> None:
        self.writer.write(data)


def _create(*args: Any, **options: Any) -> tuple[Any, dict[str, Any]]:
    """Let the application have the writer of its answer."""
    response, environ = _create_response(*args, **options)
    if isinstance(response, HeadWithBody):  # HTTP/2 has its own
        environ[WRITER] = response.writer
        if is_plain(environ["gunicorn.socket"]):
            environ[CAN_WAIT] = True
    return response, environ


def _http_date(timestamp: float | None = None) -> str:
    """Return a time as RFC 9110, section 5.6.7, has it: gunicorn's own takes 15 µs a response."""
    return _date_of(int(time.time() if timestamp is None else timestamp))


@lru_cache(1)
def _date_of(second: int) -> str:
    return formatdate(second, usegmt=True)


def _is_endless(name: str, value: str) -> bool:
    return name in _LISTS and len(value) > _MAX_LIST_BYTES


def _read_rest(rest: Body) -> bool:
    with suppress(OSError, gevent.GreenletExit):
        for _ in range(0, _MAX_UNREAD_BYTES, _PIECE_BYTES):
            rest.read(_PIECE_BYTES)
            if rest.is_whole:
                return True
    return False


def _linger(client: Any) -> None:
    """Let a client read its answer: closed on what it still sends, the connection would break."""
    with suppress(OSError):
        client.shutdown(SHUT_WR)
        while client.recv(_PIECE_BYTES):
            let_others_work()


def _hang_up(client: Any) -> None:
    # Through a twin: gevent's own shutdown raises in the greenlet that reads,
    # where an end of the stream is all it should see.
    with suppress(OSError), _Socket(fileno=os.dup(client.fileno())) as twin:
        twin.shutdown(SHUT_RDWR)
