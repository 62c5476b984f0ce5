"""The assistant as an HTTP API, and the original's name for its stream."""

import json
from typing import TYPE_CHECKING, Any

import gevent
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.domain.errors import (
    ModelInterrupted,
    ModelRateLimited,
    ModelUnavailable,
    StorageUnavailable,
)
from app.factory import Parts, create_app
from app.storage.protocol import ConversationStore
from tests.data import SESSION, WIDGET_KEY, some_settings
from tests.fakes import Gate, ScriptedModel

if TYPE_CHECKING:
    from tests.conftest import Ask, MakeApp

STREAMS = ["/v1/chat/stream", "/chat"]
ALL = ["/v1/chat", *STREAMS]


@pytest.fixture(scope="module")
def untouchable() -> FlaskClient:
    """An application without a store or a model: whoever reaches for one fails."""
    settings = some_settings(WIDGET_API_KEY=WIDGET_KEY, RATE_LIMIT_MAX_REQUESTS="10000")
    return create_app(settings, Parts(store=Nothing(), model=Nothing())).test_client()  # type: ignore[arg-type]


class Nothing:
    """Neither a store nor a model."""

    @property
    def documents(self) -> "Nothing":
        return self

    @property
    def people(self) -> "Nothing":
        return self

    def __getattr__(self, name: str) -> Any:
        def touch(*_: Any, **__: Any) -> None:
            raise AssertionError(f"{name} was called")

        return touch


def lines(response: TestResponse) -> list[dict[str, Any]]:
    return [json.loads(line) for line in response.text.splitlines() if line]


def said(store: ConversationStore, session: str = SESSION) -> list[tuple[str, str]]:
    thread = store.read_session(session, limit=100)
    return [(each.role, each.content) for each in thread.messages] if thread else []


def test_whole_answer(ask: "Ask", store: ConversationStore) -> None:
    response = ask("Hi", turnId="turn-0001")

    thread = store.read_session(SESSION, limit=10)
    assert thread is not None
    assert response.status_code == 200
    assert response.json == {
        "conversationId": thread.conversation.id,
        "message": "Hello there",
        "turnId": "turn-0001",
        "messageId": thread.messages[1].id,
    }
    assert said(store) == [("user", "Hi"), ("assistant", "Hello there")]


@pytest.mark.parametrize("path", STREAMS)
def test_stream(ask: "Ask", store: ConversationStore, path: str) -> None:
    response = ask("Hi", path, turnId="turn-0001")

    thread = store.read_session(SESSION, limit=10)
    assert thread is not None
    ids = {"conversationId": thread.conversation.id, "turnId": "turn-0001"}
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/x-ndjson; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-store, no-transform"
    assert response.headers["X-Accel-Buffering"] == "no"
    assert lines(response) == [
        {"type": "start", **ids},
        {"type": "token", "token": "Hello"},
        {"type": "token", "token": " there"},
        {"type": "done", "message": "Hello there", **ids, "messageId": thread.messages[1].id},
    ]


@pytest.mark.parametrize("path", ALL)
@pytest.mark.parametrize("header", ["x-api-key", "x-widget-api-key"])
def test_either_header_carries_the_key(client: FlaskClient, path: str, header: str) -> None:
    body = {"sessionId": SESSION, "message": "Hi"}

    assert client.post(path, json=body, headers={header: WIDGET_KEY}).status_code == 200


@pytest.mark.parametrize("path", ALL)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-api-key": ""},
        {"x-api-key": "wrong"},
        {"x-api-key": WIDGET_KEY + "x"},
        {"x-api-key": "clé"},
        {"x-api-key": "wrong", "x-widget-api-key": WIDGET_KEY},  # the first one wins
        {"x-admin-api-key": WIDGET_KEY},
    ],
)
def test_wrong_key_is_401_before_any_work(
    untouchable: FlaskClient, path: str, headers: dict[str, str]
) -> None:
    body = {"sessionId": SESSION, "message": "Hi"}

    response = untouchable.post(path, json=body, headers=headers)

    assert response.status_code == 401
    assert response.json["error"] == "Unauthorized"


def test_keys_rotate(make_app: "MakeApp") -> None:
    client = make_app(WIDGET_API_KEY=f"another-key-of-the-unit-tests, {WIDGET_KEY}").test_client()

    for number, key in enumerate(["another-key-of-the-unit-tests", WIDGET_KEY]):
        body = {"sessionId": f"session-{number}", "message": "Hi"}
        assert client.post("/v1/chat", json=body, headers={"x-api-key": key}).status_code == 200


@pytest.mark.parametrize("path", ALL)
@pytest.mark.parametrize(
    "fields",
    [
        {"message": ""},
        {"message": "x" * 4001},
        {"message": None},
        {"message": 7},
        {"sessionId": ""},
        {"sessionId": "x" * 129},
        {"sessionId": "with space"},
        {"sessionId": "line\n"},
        {"sessionId": "ümlaut"},
        {"turnId": "short"},
        {"turnId": "x" * 65},
        {"turnId": "turn-0001\n"},
        {"regenerate": "yes"},
        {"regenerate": 1},
        {"page": "https://example.com"},
        {"page": {}},
        {"page": {"url": ""}},
    ],
    ids=str,
)
def test_wrong_field_is_400_before_any_work(
    untouchable: FlaskClient, path: str, fields: dict[str, Any]
) -> None:
    body = {"sessionId": SESSION, "message": "Hi", **fields}

    response = untouchable.post(path, json=body, headers={"x-api-key": WIDGET_KEY})

    assert response.status_code == 400
    assert response.json["error"] == "Invalid request payload"
    assert response.json["code"] == "invalid_request"


@pytest.mark.parametrize(
    "fields",
    [
        {"message": "x" * 4000},
        {"message": "👋" * 4000},
        {"message": " "},
        {"sessionId": "x" * 128},
        {"sessionId": "aZ09._:-"},
        {"turnId": "x" * 64},
        {"unknown": {"is": "ignored"}},
        {"page": {"url": "https://example.com/a?b#c", "title": "Prices", "other": 1}},
        {"regenerate": False},
    ],
    ids=lambda fields: str(fields)[:40],
)
def test_field_at_its_bounds_is_taken(ask: "Ask", fields: dict[str, Any]) -> None:
    assert ask(**{"message": "Hi", **fields}).status_code == 200


def test_page_is_kept_with_the_conversation(ask: "Ask", store: ConversationStore) -> None:
    ask(page={"url": "https://example.com/prices", "title": "Prices"})

    thread = store.read_session(SESSION, limit=1)
    assert thread is not None
    assert thread.conversation.page is not None
    assert thread.conversation.page.url == "https://example.com/prices"


def test_long_page_is_cut_and_the_message_is_taken(ask: "Ask", store: ConversationStore) -> None:
    response = ask(page={"url": "https://example.com/?q=" + "x" * 3000, "title": "A page. " * 90})

    assert response.status_code == 200
    thread = store.read_session(SESSION, limit=1)
    assert thread is not None
    assert thread.conversation.page is not None
    assert thread.conversation.page.url == "https://example.com/?q=" + "x" * (2048 - 23)
    assert thread.conversation.page.title == ("A page. " * 90)[:300]


def test_same_turn_again_is_answered_from_the_store(
    ask: "Ask", model: ScriptedModel, store: ConversationStore
) -> None:
    first = ask("Hi", turnId="turn-0001").json

    again = ask("Hi", turnId="turn-0001")
    streamed = lines(ask("Hi", "/chat", turnId="turn-0001"))

    assert again.json == first
    assert [line["type"] for line in streamed] == ["start", "token", "done"]
    assert streamed[2]["message"] == "Hello there"
    assert len(model.prompts) == 1
    assert len(said(store)) == 2


@pytest.mark.parametrize("path", ALL)
def test_turn_id_of_another_message_is_409(ask: "Ask", path: str) -> None:
    ask("Hi", turnId="turn-0001")

    response = ask("Something else", path, turnId="turn-0001")

    assert (response.status_code, response.json["code"]) == (409, "turn_mismatch")


@pytest.mark.parametrize("path", ALL)
def test_turn_that_runs_is_409_with_retry_after(
    ask: "Ask", model: ScriptedModel, path: str
) -> None:
    gate = Gate()
    model.script(gate, "Done")
    first = gevent.spawn(ask, "Hi", turnId="turn-0001")
    gate.wait_reached()

    response = ask("Hi", path, turnId="turn-0001")

    assert (response.status_code, response.json["code"]) == (409, "turn_in_progress")
    assert response.headers["Retry-After"] == "1"
    gate.open()
    assert first.get(timeout=20).status_code == 200


def test_regenerate_replaces_the_answer(
    ask: "Ask", model: ScriptedModel, store: ConversationStore
) -> None:
    ask("Hi", turnId="turn-0001")
    model.script("Better")

    response = ask("Hi", turnId="turn-0001", regenerate=True)

    assert response.json["message"] == "Better"
    assert said(store) == [("user", "Hi"), ("assistant", "Better")]


def test_regenerate_of_an_earlier_turn_is_409(ask: "Ask") -> None:
    ask("Hi", turnId="turn-0001")
    ask("And?", turnId="turn-0002")

    response = ask("Hi", turnId="turn-0001", regenerate=True)

    assert (response.status_code, response.json["code"]) == (409, "turn_not_last")


@pytest.mark.parametrize(
    ("failure", "status"),
    [(ModelUnavailable(), 502), (ModelRateLimited(retry_after_s=6.5), 502)],
)
def test_failing_model_is_a_502_of_the_whole_answer(
    ask: "Ask", model: ScriptedModel, failure: Exception, status: int
) -> None:
    model.script(start=failure)

    response = ask("Hi")

    assert response.status_code == status
    assert response.json["code"] == failure.code  # type: ignore[attr-defined]
    if isinstance(failure, ModelRateLimited):
        assert response.headers["Retry-After"] == "7"


@pytest.mark.parametrize("path", STREAMS)
def test_failing_model_is_the_last_line_of_a_stream(
    ask: "Ask", model: ScriptedModel, store: ConversationStore, path: str
) -> None:
    model.script("Half an", ModelInterrupted())

    response = ask("Hi", path)

    assert response.status_code == 200
    assert lines(response)[1:] == [
        {"type": "token", "token": "Half an"},
        {
            "type": "error",
            "error": "The answer was interrupted",
            "code": "model_interrupted",
            "retryable": True,
        },
    ]
    assert said(store) == [("user", "Hi"), ("assistant", "Half an")]


@pytest.mark.parametrize("path", ALL)
def test_failing_store_is_a_503_before_the_first_byte(
    make_app: "MakeApp", store: ConversationStore, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise StorageUnavailable

    monkeypatch.setattr(type(store), "begin_turn", fail)
    client = make_app().test_client()

    body = {"sessionId": SESSION, "message": "Hi"}
    response = client.post(path, json=body, headers={"x-api-key": WIDGET_KEY})

    assert (response.status_code, response.json["code"]) == (503, "storage_unavailable")


@pytest.mark.parametrize("path", ALL)
def test_chats_are_limited_by_address_before_the_key(make_app: "MakeApp", path: str) -> None:
    client = make_app(RATE_LIMIT_MAX_REQUESTS="2", RATE_LIMIT_WINDOW_MS="60000").test_client()
    ask = {"path": path, "json": {"sessionId": SESSION, "message": "Hi"}}

    statuses = [client.post(**ask).status_code for _ in range(3)]  # type: ignore[arg-type]
    limited = client.post(**ask, headers={"x-api-key": WIDGET_KEY})  # type: ignore[arg-type]
    another = client.post(
        **ask,  # type: ignore[arg-type]
        headers={"x-api-key": WIDGET_KEY},
        environ_base={"REMOTE_ADDR": "203.0.113.9"},
    )

    assert statuses == [401, 401, 429]
    assert limited.status_code == 429
    assert limited.json["error"] == "Too many requests"
    assert 1 <= int(limited.headers["Retry-After"]) <= 60
    assert another.status_code == 200


def test_request_id_travels_to_the_model(client: FlaskClient, model: ScriptedModel) -> None:
    headers = {"x-api-key": WIDGET_KEY, "X-Request-Id": "request-of-the-client"}

    response = client.post(
        "/v1/chat", json={"sessionId": SESSION, "message": "Hi"}, headers=headers
    )

    assert response.headers["X-Request-Id"] == "request-of-the-client"
    assert model.request_ids == ["request-of-the-client"]


@pytest.mark.parametrize(
    "given", ["short", "with space in it", "x" * 200, "<script>alert</script>"]
)
def test_odd_request_id_is_replaced(client: FlaskClient, given: str) -> None:
    told = client.get("/health", headers={"X-Request-Id": given}).headers["X-Request-Id"]

    assert told != given
    assert told.isalnum()
