"""Pauses in long work."""

import re
from pathlib import Path
from socket import socketpair

import gevent
from gevent import socket

from app.server.pauses import gather, let_others_work

APP = Path(__file__).parents[2] / "app"


def test_who_waits_for_bytes_is_served_at_the_next_pause_or_the_one_after() -> None:
    near, far = socketpair()
    with far, socket.socket(fileno=near.detach()) as waiting:
        reader = gevent.spawn(waiting.recv, 1)
        let_others_work()
        far.send(b"x")

        let_others_work()
        let_others_work()

        assert reader.value == b"x"


def test_nobody_pauses_for_no_time() -> None:
    pause = re.compile(r"\bsleep\(0\)")

    found = [path for path in APP.rglob("*.py") if pause.search(path.read_text(encoding="utf-8"))]

    assert found == []


def test_small_parts_are_gathered() -> None:
    pieces = list(gather([b"x" * 1000] * 100))

    assert b"".join(pieces) == b"x" * 100_000
    assert [len(piece) for piece in pieces] == [66_000, 34_000]


def test_others_get_their_turn_between_pieces() -> None:
    turns = []
    greenlet = gevent.spawn(lambda: turns.append(None))

    list(gather([b"x" * 100_000] * 2))

    assert greenlet.dead
    assert len(turns) == 1
