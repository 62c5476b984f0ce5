"""Long answers in pieces: others get their turn while one is written."""

import json

import gevent
from flask import Flask

from app.conversation import Conversation, Message, Thread
from app.web.admin_schemas import ThreadSchema
from app.web.pieces import gather, stream_json

CONVERSATION = Conversation("c-1", "s-1", 1, 2)


def a_thread(count: int, next_cursor: str | None = None) -> Thread:
    messages = tuple(
        Message("assistant", "Hi \u00e9 " + "x" * 1000, number, f"m-{number}")
        for number in range(count)
    )
    return Thread(CONVERSATION, messages, next_cursor)


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


def test_long_answer_says_what_its_schema_says() -> None:
    for thread in (a_thread(0), a_thread(1, "next"), a_thread(500)):
        with Flask(__name__).test_request_context():
            answer = stream_json(ThreadSchema(), thread, "messages")

            assert json.loads(answer.get_data()) == ThreadSchema().dump(thread)


def test_short_answer_tells_its_length() -> None:
    with Flask(__name__).test_request_context():
        assert stream_json(ThreadSchema(), a_thread(3), "messages").content_length
        assert not stream_json(ThreadSchema(), a_thread(500), "messages").content_length
