"""A request's place while it waits, without the worker that runs it again."""

from types import SimpleNamespace
from typing import Any

import pytest
from gevent import socket

from app.server import aside as module
from app.server.aside import (
    CAN_WAIT,
    Aside,
    PutAside,
    Twin,
    can_wait,
    is_plain,
    is_second_time,
)
from tests.conftest import Pair
from tests.fakes import until

LONG_S = 1000.0
HEAD = b"GET /wait?for=it HTTP/1.1\r\nHOST: perch.test\r\nX-LATIN: \xe4\r\n\r\n"


def a_request(early: bytes = b"") -> Any:
    """A request as gunicorn has read it; ``early`` is what came behind it."""
    return SimpleNamespace(
        method="GET",
        uri="/wait?for=it",
        version=(1, 1),
        headers=[("HOST", "perch.test"), ("X-LATIN", "ä")],
        unreader=SimpleNamespace(take_buffered=lambda: early),
    )


class Worker:
    """Goes on with connections; ``served`` are their heads."""

    def __init__(self) -> None:
        self.served: list[tuple[Any, bytes, Any]] = []
        self.twins: list[Twin] = []
        self.put_aside = PutAside(self.go_on)

    def go_on(self, listener: Any, twin: Twin, addr: Any) -> None:
        self.twins.append(twin)
        self.served.append((listener.getsockname(), twin.head, addr))

    def take(self, sock: Any, wait_s: float = LONG_S, early: bytes = b"") -> Aside:
        aside = Aside({"gunicorn.socket": sock}, wait_s)
        self.put_aside.note(aside)
        assert self.put_aside.take("name", a_request(early), sock, "addr")
        return aside


@pytest.fixture
def worker() -> Worker:
    return Worker()


def test_request_is_run_again_when_it_is_woken(worker: Worker, pair: Pair) -> None:
    aside = worker.take(pair[0], early=b"GET / HTTP/1.1\r\n")
    pair[0].close()
    assert worker.served == []

    aside.wake()
    aside.wake()

    until(lambda: worker.served)
    assert worker.served == [("name", HEAD + b"GET / HTTP/1.1\r\n", "addr")]
    (twin,) = worker.twins
    assert is_second_time({"gunicorn.socket": twin})
    twin.sendall(b"at last")
    assert pair[1].recv(100) == b"at last"


def test_wait_ends_with_its_time(worker: Worker, pair: Pair) -> None:
    worker.take(pair[0], wait_s=0.001)

    until(lambda: worker.served)


def test_who_was_woken_before_the_place_was_taken_does_not_wait(worker: Worker, pair: Pair) -> None:
    aside = Aside({"gunicorn.socket": pair[0]}, LONG_S)
    worker.put_aside.note(aside)
    aside.wake()

    assert worker.put_aside.take("name", a_request(), pair[0], "addr")

    until(lambda: worker.served)


def test_client_that_leaves_costs_nothing_more(worker: Worker, pair: Pair) -> None:
    woken: list[str] = []
    aside = worker.take(pair[0])
    aside.on_wake = lambda: woken.append("left")
    pair[0].close()

    pair[1].close()

    until(lambda: woken)
    worker.put_aside.end()
    assert (woken, worker.served) == (["left"], [])


def test_place_that_is_never_taken_is_given_up(pair: Pair) -> None:
    woken: list[str] = []
    aside = Aside({"gunicorn.socket": pair[0]}, 0.001)
    aside.on_wake = lambda: woken.append("over")

    until(lambda: woken)
    assert list(aside) == []


def test_answered_request_is_not_put_aside(worker: Worker, pair: Pair) -> None:
    assert not worker.put_aside.take("name", a_request(), pair[0], "addr")


def test_crowd_that_is_due_at_once_goes_on_in_turns(
    worker: Worker, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_AT_ONCE", 2)
    for _ in range(7):
        worker.take(pair[0])

    worker.put_aside.end()

    assert len(worker.served) == 7


@pytest.mark.parametrize(
    ("environ", "may"),
    [
        ({CAN_WAIT: True, "REQUEST_METHOD": "GET"}, True),
        ({"REQUEST_METHOD": "GET"}, False),
        ({CAN_WAIT: True, "REQUEST_METHOD": "HEAD"}, False),
        ({CAN_WAIT: True, "REQUEST_METHOD": "GET", "CONTENT_LENGTH": "3"}, False),
        ({CAN_WAIT: True, "REQUEST_METHOD": "GET", "HTTP_TRANSFER_ENCODING": "chunked"}, False),
    ],
)
def test_only_a_request_without_a_body_can_wait(environ: dict[str, Any], *, may: bool) -> None:
    assert can_wait(environ) is may


def test_connection_of_another_kind_is_not_plain(pair: Pair) -> None:
    class Tls(socket.socket):
        pass

    assert is_plain(pair[0])
    assert not is_plain(object())
    with Tls() as other:
        assert not is_plain(other)
    assert not is_second_time({})
