"""The operator's scripts: the admin API."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.domain.conversation import Answer, Feedback, Page, Usage
from app.domain.errors import StorageUnavailable
from app.factory import Parts, create_app
from app.storage.protocol import ConversationStore
from tests.data import ADMIN_KEY, SESSION, an_answer, say, some_settings

if TYPE_CHECKING:
    from tests.conftest import MakeApp

KEY = {"x-admin-api-key": ADMIN_KEY}
LIST = "/v1/admin/conversations"


def rate(store: ConversationStore, session_id: str, feedback: Feedback) -> None:
    thread = store.read_session(session_id, limit=1)
    assert thread is not None
    store.rate_message(session_id, thread.messages[0].id, feedback)


def get(client: FlaskClient, path: str) -> TestResponse:
    return client.get(path, headers=KEY)


def sessions(response: TestResponse) -> list[str]:
    assert response.json is not None
    return [each["sessionId"] for each in response.json["conversations"]]


def lines(response: TestResponse) -> list[dict[str, Any]]:
    return [json.loads(line) for line in response.text.splitlines()]


def table(response: TestResponse) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(response.text.removeprefix("\ufeff"), newline="")))


# The seed's rows


def test_list_answers_as_the_original(client: FlaskClient, store: ConversationStore) -> None:
    conversation_id = say(store)

    response = get(client, LIST)

    body = response.json
    assert body is not None
    times = {name: body["conversations"][0][name] for name in ("createdAt", "updatedAt")}
    assert body == {
        "conversations": [
            {
                "_id": conversation_id,
                "_creationTime": times["createdAt"],
                "sessionId": SESSION,
                **times,
                "lastMessage": "Nine to five.",
                "lastQuestion": "What are your hours?",
                "messageCount": 2,
                "marks": [],
                "assistant": "default",
                "state": "bot",
                "unread": 0,
            }
        ],
        "total": 1,
    }


def test_search_shows_where_the_words_stand_and_how_many_fit(
    client: FlaskClient, store: ConversationStore
) -> None:
    conversation_id = say(store)
    say(store, "other", content="Anything else")

    body = get(client, f"{LIST}?q=hours+your").json

    assert body is not None
    assert body["found"] == 1
    question = store.read_thread(conversation_id).messages[0]
    assert body["conversations"][0]["match"] == {
        "messageId": question.id,
        "role": "user",
        "text": "What are your hours?",
    }


def test_failure_is_told_with_its_code_and_request(
    client: FlaskClient, store: ConversationStore
) -> None:
    failed = Answer("", "error", error_code="model_timeout", request_id="request-7")
    conversation_id = say(store, answer=failed)

    body = get(client, f"{LIST}/{conversation_id}").json
    found = get(client, f"{LIST}?q=request-7")

    assert body is not None
    (question,) = body["messages"]
    assert (question["errorCode"], question["requestId"]) == ("model_timeout", "request-7")
    assert sessions(found) == [SESSION]


def test_thread_answers_as_the_original(client: FlaskClient, store: ConversationStore) -> None:
    conversation_id = say(store)

    body = get(client, f"{LIST}/{conversation_id}").json

    assert body is not None
    assert list(body) == ["conversation", "messages"]
    assert body["conversation"]["_id"] == conversation_id
    question, answer = body["messages"]
    assert (question["role"], question["content"]) == ("user", "What are your hours?")
    assert (answer["role"], answer["content"]) == ("assistant", "Nine to five.")
    assert {"_id", "role", "content", "createdAt"} <= set(question)


@pytest.mark.parametrize("method", ["get", "delete"])
@pytest.mark.parametrize(
    ("conversation_id", "status", "text"),
    [("nothing", 404, "Conversation not found"), ("c" * 129, 400, "Invalid conversationId")],
)
def test_unknown_conversation_is_told_in_the_originals_words(
    client: FlaskClient, method: str, conversation_id: str, status: int, text: str
) -> None:
    response = client.open(f"{LIST}/{conversation_id}", method=method, headers=KEY)

    assert response.status_code == status
    assert response.json is not None
    assert response.json["error"] == text


# Pages and filters


def test_pages_lead_through_the_list(client: FlaskClient, store: ConversationStore) -> None:
    for number in range(5):
        say(store, f"session-{number}")

    found: list[str] = []
    path = f"{LIST}?limit=2"
    while path:
        page = get(client, path)
        found += sessions(page)
        assert page.json is not None
        cursor = page.json.get("nextCursor")
        path = f"{LIST}?limit=2&cursor={cursor}" if cursor else ""

    assert sorted(found) == [f"session-{number}" for number in range(5)]


@pytest.fixture
def variety(store: ConversationStore) -> None:
    """One conversation for each filter to find."""
    say(store, "plain")
    say(store, "text", content="Do you ship to Łódź?")
    say(store, "page", page=Page("https://shop.example/cart?x=1"))
    say(store, "partial", answer=an_answer(status="partial"))
    say(store, "failed", answer=Answer("", "error"))
    say(store, "liked")
    rate(store, "liked", Feedback("up"))
    store.set_user("known", "u-1")
    say(store, "known")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=ship+to+%C5%82%C3%B3d", ["text"]),
        ("page=https://shop.example/", ["page"]),
        ("status=partial", ["partial"]),
        ("status=error", ["failed"]),
        ("feedback=up", ["liked"]),
        ("feedback=down", []),
        ("user=u-1", ["known"]),
        ("q=hours&user=u-1", ["known"]),
        ("to=2000-01-01", []),
        ("from=2999-01-01T00:00", []),
    ],
)
@pytest.mark.usefixtures("variety")
def test_filter_narrows_the_list(client: FlaskClient, query: str, expected: list[str]) -> None:
    response = get(client, f"{LIST}?{query}")

    assert sessions(response) == expected
    assert response.json is not None
    assert "total" not in response.json


@pytest.mark.usefixtures("variety")
def test_day_as_the_end_is_included(client: FlaskClient) -> None:
    today = datetime.now(UTC).date()

    through = get(client, f"{LIST}?from={today - timedelta(days=1)}&to={today}")
    before = get(client, f"{LIST}?to={today - timedelta(days=1)}")

    assert len(sessions(through)) == 7
    assert sessions(before) == []


def test_thread_is_read_by_pages(client: FlaskClient, store: ConversationStore) -> None:
    for number in range(3):
        conversation_id = say(store, turn_id=f"turn-{number:04}", content=f"Question {number}")

    first = get(client, f"{LIST}/{conversation_id}?limit=4").json
    assert first is not None
    rest = get(client, f"{LIST}/{conversation_id}?limit=4&cursor={first['nextCursor']}").json

    assert rest is not None
    said = [message["content"] for message in first["messages"] + rest["messages"]]
    assert said[::2] == ["Question 0", "Question 1", "Question 2"]
    assert len(said) == 6
    assert "nextCursor" not in rest


# Bad input


@pytest.mark.parametrize(
    ("path", "field"),
    [
        (f"{LIST}?limit=0", "limit"),
        (f"{LIST}?limit=201", "limit"),
        (f"{LIST}?limit=ten", "limit"),
        (f"{LIST}?cursor=nonsense", "cursor"),
        (f"{LIST}?q=", "q"),
        (f"{LIST}?q={'x' * 201}", "q"),
        (f"{LIST}?from=yesterday", "from"),
        (f"{LIST}?from=2026-02-30", "from"),
        (f"{LIST}?to=99999-01-01", "to"),
        (f"{LIST}?to=-1", "to"),
        (f"{LIST}?feedback=sideways", "feedback"),
        (f"{LIST}?status=done", "status"),
        (f"{LIST}?user=", "user"),
        (f"{LIST}?page=", "page"),
        (f"{LIST}/anything?limit=1001", "limit"),
        ("/v1/admin/export?format=xls", "format"),
        ("/v1/admin/export?bom=perhaps", "bom"),
        ("/v1/admin/export?sep=;", "sep"),
        ("/v1/admin/export?from=soon", "from"),
        ("/v1/admin/stats?from=2026-11-31", "from"),
        ("/v1/admin/stats?from=2026-11-02&to=2026-11-01", "to"),
        ("/v1/admin/stats?from=2020-01-01&to=2026-11-01", "to"),
        ("/v1/admin/stats?by=week", "by"),
        ("/v1/admin/stats?to=0001-01-01", "to"),
        ("/v1/admin/stats?from=0001-01-01", "from"),
        ("/v1/admin/stats?to=9999-12-31", "to"),
        ("/v1/admin/stats?by=hour&from=9999-12-31", "from"),
        ("/v1/admin/stats?form=2026-11-01", "form"),
        (f"{LIST}?usr=x", "usr"),
        (f"{LIST}/x?limt=1", "limt"),
        ("/v1/admin/export?usr=x", "usr"),
        ("/v1/admin/stats?by=hour&from=2026-11-01&to=2026-11-20", "to"),
    ],
)
def test_wrong_query_is_named(client: FlaskClient, path: str, field: str) -> None:
    response = get(client, path)

    assert response.status_code == 400
    assert response.json is not None
    assert response.json["error"] == "Invalid query parameters"
    assert list(response.json["details"]) == [field]


@pytest.mark.parametrize("query", ["", "?sessionId=a&user=b", "?sessionId=", f"?user={'u' * 257}"])
def test_deletion_must_name_whose(client: FlaskClient, query: str) -> None:
    response = client.delete(LIST + query, headers=KEY)

    assert response.status_code == 400


# Keys


def test_guesser_is_held_up_and_the_right_key_is_not(client: FlaskClient) -> None:
    guesses = [
        client.get(LIST, headers={"x-admin-api-key": f"guess-{number}"}) for number in range(22)
    ]
    elsewhere = client.get(
        LIST, headers={"x-admin-api-key": "guess"}, environ_base={"REMOTE_ADDR": "192.0.2.7"}
    )

    assert [guess.status_code for guess in guesses] == [401] * 20 + [429] * 2
    assert int(guesses[-1].headers["Retry-After"]) >= 1
    assert elsewhere.status_code == 401
    assert get(client, LIST).status_code == 200


def test_missing_key_is_no_guess(client: FlaskClient) -> None:
    statuses = {client.get(LIST).status_code for _ in range(30)}

    assert statuses == {401}
    assert get(client, LIST).status_code == 200


@pytest.mark.parametrize("path", [LIST, f"{LIST}/x", "/v1/admin/export", "/v1/admin/stats"])
def test_no_admin_key_is_told(make_app: "MakeApp", path: str) -> None:
    response = get(make_app(ADMIN_API_KEY="").test_client(), path)

    assert response.status_code == 503
    assert response.json is not None
    assert response.json["error"] == "ADMIN_API_KEY is not configured on this deployment"


# Deleting


def test_conversation_is_deleted_with_its_messages(
    client: FlaskClient, store: ConversationStore
) -> None:
    conversation_id = say(store, content="A secret")
    say(store, "other")

    response = client.delete(f"{LIST}/{conversation_id}", headers=KEY)

    assert response.json == {"deleted": 1}
    assert sessions(get(client, LIST)) == ["other"]
    assert sessions(get(client, f"{LIST}?q=secret")) == []
    assert client.delete(f"{LIST}/{conversation_id}", headers=KEY).status_code == 404


def test_everything_of_a_session_is_deleted(client: FlaskClient, store: ConversationStore) -> None:
    say(store, "mine")
    say(store, "other")

    response = client.delete(f"{LIST}?sessionId=mine", headers=KEY)

    assert response.json == {"deleted": 1}
    assert sessions(get(client, LIST)) == ["other"]
    assert client.delete(f"{LIST}?sessionId=mine", headers=KEY).json == {"deleted": 0}


def test_everything_of_a_user_is_deleted(client: FlaskClient, store: ConversationStore) -> None:
    for number in range(3):
        store.set_user(f"device-{number}", "u-1")
        say(store, f"device-{number}")
    say(store, "other")

    response = client.delete(f"{LIST}?user=u-1", headers=KEY)

    assert response.json == {"deleted": 3}
    assert sessions(get(client, LIST)) == ["other"]


# Export


def test_export_is_one_message_a_line(client: FlaskClient, store: ConversationStore) -> None:
    conversation_id = say(
        store,
        content="Grüße",
        page=Page("https://shop.example/", "Shop"),
        answer=an_answer(
            model="gpt-4.1-mini", usage=Usage(9, 3), latency_ms=800, first_token_ms=90,
            finish_reason="stop",
        ),
    )  # fmt: skip
    rate(store, SESSION, Feedback("up", "Thanks"))

    response = get(client, "/v1/admin/export")

    assert response.headers["Content-Type"] == "application/x-ndjson; charset=utf-8"
    assert response.headers["Content-Disposition"].startswith('attachment; filename="convers')
    question, answer = lines(response)
    thread = get(client, f"{LIST}/{conversation_id}").json
    assert thread is not None
    where = {
        "conversationId": conversation_id,
        "sessionId": SESSION,
        "pageUrl": "https://shop.example/",
        "assistant": "default",
        "state": "bot",
    }
    assert question == {**where, **thread["messages"][0]}
    assert answer == {**where, **thread["messages"][1]}
    assert "Grüße" in response.text


def test_table_has_the_same(client: FlaskClient, store: ConversationStore) -> None:
    say(store, answer=an_answer(content='Two\r\nlines, and a "quote".', usage=Usage(9, 3)))

    response = get(client, "/v1/admin/export?format=csv")

    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    question, answer = table(response)
    assert question["content"] == "What are your hours?"
    assert answer["content"] == 'Two\r\nlines, and a "quote".'
    assert (answer["promptTokens"], answer["completionTokens"]) == ("9", "3")
    asked_at = datetime.fromisoformat(answer["time"]).replace(tzinfo=UTC)
    assert abs(datetime.now(UTC) - asked_at) < timedelta(hours=1)


@pytest.mark.parametrize(
    ("formula", "cell"),
    [
        *((each, f"'{each}") for each in ("=1+1", "+1", "-1", "@SUM(A1)", "  =1", "＝1")),
        ('=HYPERLINK("http://x")', '\'=HYPERLINK("http://x")'),
        # What stands behind a tab or a line's end begins a cell for some spreadsheets.
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        ("a;=1", "a;'=1"),
    ],
)
def test_no_cell_is_a_formula(
    client: FlaskClient, store: ConversationStore, formula: str, cell: str
) -> None:
    say(store, content=formula)

    row = table(get(client, "/v1/admin/export?format=csv"))[0]

    assert row["content"] == cell


def test_mark_for_spreadsheets_is_left_out_on_request(
    client: FlaskClient, store: ConversationStore
) -> None:
    say(store)

    assert get(client, "/v1/admin/export?format=csv").data.startswith(b"\xef\xbb\xbf")
    assert get(client, "/v1/admin/export?format=csv&bom=false").data.startswith(b'"conversationId"')
    assert get(client, "/v1/admin/export").data.startswith(b"{")


def test_table_is_separated_as_its_reader_expects(
    client: FlaskClient, store: ConversationStore
) -> None:
    say(store)

    text = get(client, "/v1/admin/export?format=csv&sep=semicolon").text

    assert text.removeprefix("\ufeff").startswith('"conversationId";"sessionId";')


@pytest.mark.usefixtures("variety")
def test_filter_narrows_the_export(client: FlaskClient) -> None:
    found = {line["sessionId"] for line in lines(get(client, "/v1/admin/export?status=partial"))}

    assert found == {"partial"}


def test_long_and_many_conversations_are_exported_whole(
    client: FlaskClient, store: ConversationStore
) -> None:
    for number in range(210):
        say(store, turn_id=f"turn-{number:04}", content=f"Question {number}")
    for number in range(210):
        say(store, f"other-{number}")

    found = lines(get(client, "/v1/admin/export"))

    asked = [line["content"] for line in found if line["sessionId"] == SESSION][::2]
    assert asked == [f"Question {number}" for number in range(210)]
    assert len({line["_id"] for line in found}) == len(found) == 4 * 210


def test_what_is_said_during_an_export_is_in_it(
    client: FlaskClient, store: ConversationStore
) -> None:
    say(store, "moves")  # the last of the list, until it goes on
    for number in range(250):
        say(store, f"session-{number}", content="x" * 4000)
    response = client.get("/v1/admin/export", headers=KEY, buffered=False)
    pieces = iter(response.response)
    told = next(pieces)

    say(store, "moves", "turn-0002", content="Meanwhile")
    told += b"".join(piece if isinstance(piece, bytes) else piece.encode() for piece in pieces)

    found = [json.loads(line) for line in told.splitlines()]
    moved = [line["content"] for line in found if line["sessionId"] == "moves"]
    assert moved[-4:] == ["What are your hours?", "Nine to five.", "Meanwhile", "Nine to five."]


class Away:
    """A store that cannot be reached, whatever it is asked."""

    @property
    def documents(self) -> "Away":
        return self

    @property
    def people(self) -> "Away":
        return self

    def __getattr__(self, name: str) -> Any:
        def fail(*_: object, **__: object) -> None:
            raise StorageUnavailable

        return fail


def test_export_without_a_store_is_a_503(tmp_path: Path) -> None:
    settings = some_settings(SQLITE_PATH=str(tmp_path / "chat.db"), ADMIN_API_KEY=ADMIN_KEY)
    app = create_app(settings, Parts(store=cast("ConversationStore", Away())))

    response = get(app.test_client(), "/v1/admin/export")

    assert response.status_code == 503
    assert response.json is not None
    assert response.json["code"] == "storage_unavailable"


# Statistics


def test_stats_tell_what_a_day_brought_and_cost(
    make_app: "MakeApp", store: ConversationStore
) -> None:
    client = make_app(MODEL_PRICES="gpt-4.1=2/8").test_client()
    usage = Usage(prompt_tokens=1000, completion_tokens=500)
    say(
        store,
        answer=an_answer(
            model="gpt-4.1-2025", usage=usage, charged_tokens=1500, latency_ms=1800,
            first_token_ms=250,
        ),
    )  # fmt: skip
    say(store, "other", answer=Answer("Half", "partial", model="local", charged_tokens=70))
    rate(store, SESSION, Feedback("down"))
    today = f"{datetime.now(UTC):%Y-%m-%d}"

    response = get(client, f"/v1/admin/stats?from={today}&to={today}")

    figures = {
        "conversations": 2,
        "visitors": 2,
        "turns": 2,
        "partial": 1,
        "errors": 0,
        "promptTokens": 1000,
        "completionTokens": 500,
        "chargedTokens": 1570,
        "thumbsUp": 0,
        "thumbsDown": 1,
        "limitsHit": 0,
        "grounded": 0,
        "unanswered": 0,
        "ownerAnswers": 0,
        "handoffs": 0,
        "operatorAnswers": 0,
        "waitingMs": 0,
        "firstTokenMs": {"p50": 250, "p95": 295},
        "latencyMs": {"p50": 1750, "p95": 1975},
        "models": {
            "gpt-4.1-2025": {
                "promptTokens": 1000, "completionTokens": 500, "unrecordedTokens": 0,
            },
            "local": {"promptTokens": 0, "completionTokens": 0, "unrecordedTokens": 70},
        },
        "cost": 0.006,
        "unpriced": ["local"],
    }  # fmt: skip
    assert response.json == {"periods": [{**figures, "period": today}], "total": figures}


def test_stats_have_no_gap(client: FlaskClient) -> None:
    response = get(client, "/v1/admin/stats?from=2026-02-27&to=2026-03-02")

    assert response.json is not None
    assert [period["period"] for period in response.json["periods"]] == [
        "2026-02-27",
        "2026-02-28",
        "2026-03-01",
        "2026-03-02",
    ]
    assert response.json["total"]["cost"] == 0


def test_stats_are_told_by_hour_too(client: FlaskClient, store: ConversationStore) -> None:
    say(store)

    response = get(client, "/v1/admin/stats?by=hour")

    assert response.json is not None
    assert len(response.json["periods"]) == 24
    assert response.json["total"]["turns"] == 1


def test_stats_tell_thirty_days_unless_asked(client: FlaskClient) -> None:
    response = get(client, "/v1/admin/stats")

    assert response.json is not None
    assert len(response.json["periods"]) == 30


@pytest.mark.parametrize("zone", ["", "T00:00:00Z", "T00:00:00+14:00", "T23:59:59.999999-14:00"])
@pytest.mark.parametrize("day", ["0001-01-01", "1970-01-01", "9999-12-31"])
@pytest.mark.parametrize("name", ["from", "to"])
@pytest.mark.parametrize("path", [LIST, "/v1/admin/export"])
def test_the_ends_of_the_calendar_are_times(
    client: FlaskClient, store: ConversationStore, path: str, name: str, day: str, zone: str
) -> None:
    say(store)

    response = client.get(path, headers=KEY, query_string={name: day + zone})

    is_all = (name == "from") == (day < "2000")
    found = response.text.count(SESSION)
    assert (response.status_code, found > 0) == (200, is_all)


def test_an_unknown_parameter_is_told_the_known_ones(client: FlaskClient) -> None:
    response = get(client, f"{LIST}/x?sise=1")

    assert response.status_code == 400
    assert response.json is not None
    assert response.json["details"] == {"sise": ["Not a parameter. Known are: limit, cursor."]}
