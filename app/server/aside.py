"""Requests that are put aside: they wait without a greenlet, and are run again.

A greenlet that waits in the middle of a request holds some 33 KiB, most of it stack. What
is put aside is a socket and the request's head, some 5 KiB. Whoever answers the request
says in the end "later" instead of an answer; when the time has come, or there is news, the
request is run from its beginning, and that time it is answered.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import gevent
from gevent import socket
from gevent.pool import Group

from app.server.watch import Watch

# So many go on between two looks of the hub.
_AT_ONCE = 10
_NEXT_LOOK_S = 1e-9

CAN_WAIT = "perch.can_wait"
"""In a request's environ where it may be put aside: a plain connection under our worker."""


class Twin(socket.socket):
    """A connection that was put aside, and goes on; its first request came with it."""

    head = b""
    is_second_time = False


class Aside:
    """A request's place while it waits, ``wait_s`` at most; the body of an answer that says so.

    ``on_wake`` is called once, when the wait is over: news, the time, or a client that left.
    """

    __slots__ = ("_is_over", "_leave", "_resume", "_timer", "_watch", "on_wake", "sock")

    def __init__(self, environ: dict[str, Any], wait_s: float) -> None:
        self.sock: Any = environ["gunicorn.socket"]
        self.on_wake: Callable[[], object] = _nothing
        self._is_over = False
        self._resume: Callable[[], object] | None = None
        self._leave: Callable[[], object] = _nothing
        self._watch: Watch | None = None
        # From the beginning: a place that is never taken is given up, too.
        self._timer = gevent.get_hub().loop.timer(wait_s)
        self._timer.start(self.wake)

    def __iter__(self) -> Iterator[bytes]:
        """Yield nothing: there is no answer yet."""
        return iter(())

    def wake(self) -> None:
        """End the wait; may be called from the hub, and again."""
        if self._end() and self._resume is not None:
            self._resume()

    def take(self, twin: Twin, resume: Callable[[], object], leave: Callable[[], object]) -> None:
        """Take the place: one of both is called when the wait is over, be it already.

        It is ``leave`` where the client has left. Neither may block: the hub calls them.
        """
        self.sock = None
        self._resume, self._leave = resume, leave
        if self._is_over:
            resume()
        else:
            self._watch = Watch(twin, self._on_leave)

    def _on_leave(self) -> None:
        if self._end():
            self._leave()

    def _end(self) -> bool:
        if self._is_over:
            return False
        self._is_over = True
        self._timer.stop()
        self._timer.close()
        if self._watch is not None:
            self._watch.close()
        self.on_wake()
        return True


class PutAside:
    """The requests of a worker that are put aside; ``go_on`` serves a connection of gunicorn's."""

    def __init__(self, go_on: Callable[[Any, Any, Any], object]) -> None:
        self._go_on = go_on
        self._noted: dict[Any, Aside] = {}
        self._waiting: set[Aside] = set()
        self._due: deque[Callable[[], object]] = deque()
        self._timer: Any = None
        self._running = Group()

    def note(self, aside: Aside) -> None:
        """Note what was said in the end of a request, in place of an answer."""
        self._noted[aside.sock] = aside

    def take(self, listener_name: Any, request: Any, sock: Any, addr: Any) -> bool:
        """Put a request aside, if that was said; then its greenlet has to end."""
        aside = self._noted.pop(sock, None)
        if aside is None:
            return False
        twin = _make_twin(sock, request)
        self._waiting.add(aside)

        def resume() -> None:
            self._waiting.discard(aside)
            self._due.append(partial(self._go_on, _Listener(listener_name), twin, addr))
            if len(self._due) == 1:
                gevent.get_hub().loop.run_callback(self._resume_some)

        def leave() -> None:
            self._waiting.discard(aside)
            twin.close()

        aside.take(twin, resume, leave)
        return True

    def end(self) -> None:
        """Let no request wait any longer, and return when all are answered."""
        for aside in list(self._waiting):
            aside.wake()
        while self._due:
            gevent.sleep(_NEXT_LOOK_S)
        self._running.join()

    def _resume_some(self) -> None:
        # A crowd may be due at once: what waits costs less than what runs.
        for _ in range(min(_AT_ONCE, len(self._due))):
            self._running.start(gevent.Greenlet(self._due.popleft()))
        if self._due:
            self._timer = gevent.get_hub().loop.timer(_NEXT_LOOK_S)
            self._timer.start(self._resume_some)


class _Listener:
    """What gunicorn asks of a listener: its name."""

    __slots__ = ("_name",)

    def __init__(self, name: Any) -> None:
        self._name = name

    def getsockname(self) -> Any:
        return self._name


def can_wait(environ: dict[str, Any]) -> bool:
    """Tell whether a request may be put aside: one without a body, which is read only once."""
    has_body = "CONTENT_LENGTH" in environ or "HTTP_TRANSFER_ENCODING" in environ
    return CAN_WAIT in environ and environ["REQUEST_METHOD"] == "GET" and not has_body


def is_second_time(environ: dict[str, Any]) -> bool:
    """Tell whether a request was put aside before: its wait is over."""
    sock = environ.get("gunicorn.socket")
    return isinstance(sock, Twin) and sock.is_second_time


def is_plain(sock: Any) -> bool:
    """Tell whether a connection is one of gevent's without TLS."""
    return type(sock) in (socket.socket, Twin)


def _make_twin(sock: Any, request: Any) -> Twin:
    """Return a connection that outlives ``sock``, and begins with gunicorn's ``request`` again."""
    twin = Twin(fileno=os.dup(sock.fileno()))
    version = "{}.{}".format(*request.version)
    lines = [f"{request.method} {request.uri} HTTP/{version}"]
    lines += [f"{name}: {value}" for name, value in request.headers]
    head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
    # Behind it, what the client sent early.
    twin.head = head + request.unreader.take_buffered()
    twin.is_second_time = True
    return twin


def _nothing() -> None:
    pass
