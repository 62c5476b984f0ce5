"""Long answers in pieces: others get their turn while one is written."""

import json

from flask import Flask

from app.domain.conversation import Conversation, Message, Thread
from app.web.json_stream import stream_json
from app.web.schemas.conversations import ThreadSchema

CONVERSATION = Conversation("c-1", "s-1", 1, 2)


def a_thread(count: int, next_cursor: str | None = None) -> Thread:
    messages = tuple(
        Message("assistant", "Hi \u00e9 " + "x" * 1000, number, f"m-{number}")
        for number in range(count)
    )
    return Thread(CONVERSATION, messages, next_cursor)


def test_long_answer_says_what_its_schema_says() -> None:
    for thread in (a_thread(0), a_thread(1, "next"), a_thread(500)):
        with Flask(__name__).test_request_context():
            answer = stream_json(ThreadSchema(), thread, "messages")

            assert json.loads(answer.get_data()) == ThreadSchema().dump(thread)


def test_short_answer_tells_its_length() -> None:
    with Flask(__name__).test_request_context():
        assert stream_json(ThreadSchema(), a_thread(3), "messages").content_length
        assert not stream_json(ThreadSchema(), a_thread(500), "messages").content_length
