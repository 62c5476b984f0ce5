"""A thousand damaged answers, through the application: what is shown, stored and logged."""

import contextlib
import json
import logging
import re
from collections.abc import Iterator
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from app.completion.openai.model import OpenAIModel, OpenAIOptions
from app.factory import Parts, create_app
from app.storage.protocol import ConversationStore
from tests.corpus.damaged_streams import COUNT, PRIVATE, Outcome, Stream, damaged, pieces
from tests.data import WIDGET_KEY, some_settings
from tests.servers.peer import Link, Peer

if TYPE_CHECKING:
    from flask.testing import FlaskClient

BATCH = 50
QUESTION = "Stream number"


def respond(link: Link) -> None:
    # The client leaves where it makes no sense of what comes.
    with contextlib.suppress(ConnectionError):
        respond_damaged(link)


def respond_damaged(link: Link) -> None:
    while request := link.request():
        found = re.search(rb"%b (\d+)\." % QUESTION.encode(), request)
        assert found is not None
        seed = int(found[1])
        stream = damaged(seed)
        link.send(head(stream, Random(seed)))
        for piece in pieces(seed, stream.body):
            link.send(piece)
        if stream.is_broken_off:
            return


def head(stream: Stream, random: Random) -> bytes:
    lines = ["HTTP/1.1 200 OK"]
    kinds = ["application/json"] if stream.shape == "document" else ["text/event-stream"]
    if kind := random.choice([*kinds, ""]):
        lines.append(f"Content-Type: {kind}")
    if stream.encoding:
        lines.append(f"Content-Encoding: {stream.encoding}")
    lines.append(f"Content-Length: {len(stream.body) + 7 * stream.is_broken_off}")
    return "\r\n".join([*lines, "", ""]).encode()


@pytest.fixture
def client(store: ConversationStore) -> "Iterator[FlaskClient]":
    """Of an application that asks the damaging server."""
    variables = {
        "WIDGET_API_KEY": WIDGET_KEY,
        "BREAKER_FAILURES": "0",
        "RATE_LIMIT_MAX_REQUESTS": "10000",
        "BUDGET_TOKENS_PER_IP_DAY": "0",
    }
    with Peer(respond) as peer:
        options = OpenAIOptions(
            api_key="sk-of-the-tests", model="m", base_url=f"{peer.url}/v1", read_timeout_s=20
        )
        parts = Parts(store=store, model=OpenAIModel(options))
        yield create_app(some_settings(**variables), parts).test_client()


@pytest.mark.parametrize("first", range(0, COUNT, BATCH))
def test_no_damage_makes_half_an_answer_a_whole_one(
    client: "FlaskClient",
    store: ConversationStore,
    caplog: pytest.LogCaptureFixture,
    first: int,
) -> None:
    caplog.set_level(logging.DEBUG)
    for seed in range(first, first + BATCH):
        stream = damaged(seed)
        body = {"sessionId": f"session-{seed}", "message": f"{QUESTION} {seed}."}

        answer = client.post(
            "/v1/chat/stream", json=body, headers={"x-api-key": WIDGET_KEY}, buffered=True
        )

        lines = [json.loads(line) for line in answer.text.split("\n") if line]
        thread = store.read_session(body["sessionId"], limit=10)
        assert thread is not None
        try:
            check(stream, lines, [(each.content, each.status) for each in thread.messages[1:]])
        except AssertionError as error:
            raise AssertionError(f"{seed}: {stream}: {lines[-1]}") from error
    for record in caplog.records:
        assert record.levelno < logging.ERROR
        assert PRIVATE not in str(vars(record))
        assert QUESTION not in str(vars(record))


def check(stream: Stream, lines: list[dict[str, Any]], stored: list[tuple[str, Any]]) -> None:
    shown = "".join(line["token"] for line in lines if line["type"] == "token")
    last = lines[-1]
    assert shown.startswith(stream.said)
    assert last["type"] in ("done", "error")
    if last["type"] == "error":
        assert stream.outcome is not Outcome.WHOLE
        assert last["code"].startswith("model_")
        assert [text for text, _ in stored] == [shown.strip()][: bool(shown)]
        assert all(status != "complete" for _, status in stored)
    else:
        assert stream.outcome is not Outcome.BROKEN
        assert stored == [(last["message"], "complete")]
        assert last["message"].startswith(stream.said.strip())
        if stream.outcome is not Outcome.KEPT:
            assert last["message"] == stream.text.strip()
