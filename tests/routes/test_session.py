"""A visitor's own session: what its token opens, and what nothing else does."""

import json
import time
from typing import TYPE_CHECKING, Any

import gevent
import jwt
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.factory import Parts, create_app
from app.storage.protocol import ConversationStore
from app.web.guards.secret_keys import derive_key
from app.web.guards.tokens import PURPOSE, RENEWABLE_S, SessionTokens
from tests.data import ADMIN_KEY, SESSION, WIDGET_KEY, some_settings
from tests.fakes import Gate, ScriptedModel

if TYPE_CHECKING:
    from tests.conftest import MakeApp

KEY = {"x-api-key": WIDGET_KEY}
SECRET = "secret-key-of-the-unit-tests"
IDENTITY_SECRET = "identity-secret-of-the-unit-tests"
LIVE_S = 900
SHOP, BLOG = "https://shop.test", "https://blog.test"
VARIABLES = {
    "SECRET_KEY": SECRET,
    "IDENTITY_SECRET": IDENTITY_SECRET,
    "CORS_ORIGIN": f"{SHOP},{BLOG}",
}
CHATS = ["/chat", "/v1/chat", "/v1/chat/stream"]
EXPIRED = ("This session has expired", "session_expired")
UNAUTHORIZED = ("Unauthorized", "unauthorized")
AT_BOT = {"state": "bot", "nextEvent": 0, "isReachable": False}
EMPTY = {"messages": [], **AT_BOT}
TOKEN_REQUIRED = ("A session token is required", "session_required")


@pytest.fixture
def client(make_app: "MakeApp") -> FlaskClient:
    return make_app(**VARIABLES).test_client()


def headers(token: str | None = None, origin: str | None = SHOP, **more: str) -> dict[str, str]:
    """What the widget sends from a page."""
    sent = {"Origin": origin or "", "Authorization": f"Bearer {token}" if token else "", **more}
    return {name: value for name, value in sent.items() if value}


def open_session(client: FlaskClient, origin: str | None = SHOP, **body: str) -> Any:
    answer = client.post("/v1/session", json=body, headers=headers(None, origin) | KEY)
    assert answer.status_code == 200, answer.json
    return answer.json


def a_token(client: FlaskClient, origin: str | None = SHOP) -> str:
    return str(open_session(client, origin)["token"])


def say(client: FlaskClient, token: str, message: str = "Hello", **fields: Any) -> Any:
    body = {"message": message, **fields}
    answer = client.post("/v1/chat", json=body, headers=headers(token) | KEY)
    assert answer.status_code == 200, answer.json
    return answer.json


def history(client: FlaskClient, token: str, query: str = "") -> Any:
    answer = client.get(f"/v1/session/messages{query}", headers=headers(token))
    assert answer.status_code == 200, answer.json
    return answer.json


def said(page: Any) -> list[tuple[str, str]]:
    return [(message["role"], message["content"]) for message in page["messages"]]


def problem(answer: TestResponse) -> tuple[int, str, str]:
    return answer.status_code, answer.json["error"], answer.json["code"]


def aged(session_id: str, age_s: float, origin: str = SHOP) -> str:
    """A token of ours that was made some time ago."""
    key = derive_key(SECRET.encode(), PURPOSE)
    return SessionTokens([key], live_s=LIVE_S, clock=lambda: time.time() - age_s).mint(
        session_id, origin
    )


# Opening


def test_session_is_minted_with_its_token(client: FlaskClient) -> None:
    opened = open_session(client)

    assert opened == {
        "sessionId": opened["sessionId"],
        "token": opened["token"],
        "expiresIn": LIVE_S,
        "config": {"maxMessageChars": 4000, "people": {"canAsk": False}},
    }
    assert opened["sessionId"].startswith("ps_")
    assert opened["sessionId"] != open_session(client)["sessionId"]


def test_config_is_what_the_page_may_know(make_app: "MakeApp") -> None:
    client = make_app(
        **VARIABLES,
        WIDGET_TITLE="Support",
        WIDGET_WELCOME_MESSAGE="Hello, how can we help?",
        WIDGET_STARTERS="Opening hours, please? | Where are you?",
        SYSTEM_PROMPT="A secret prompt.",
        RETENTION_DAYS="90",
    ).test_client()

    assert open_session(client)["config"] == {
        "title": "Support",
        "welcomeMessage": "Hello, how can we help?",
        "starters": ["Opening hours, please?", "Where are you?"],
        "maxMessageChars": 4000,
        "retentionDays": 90,
        "people": {"canAsk": False},
    }


def test_session_needs_the_widget_key(client: FlaskClient) -> None:
    for wrong in ({}, {"x-api-key": "wrong"}, {"x-admin-api-key": ADMIN_KEY}):
        answer = client.post("/v1/session", json={}, headers=headers(**wrong))

        assert problem(answer) == (401, *UNAUTHORIZED)


def test_session_needs_an_allowed_origin(client: FlaskClient) -> None:
    answer = client.post("/v1/session", json={}, headers=headers(origin="https://evil.test") | KEY)

    assert problem(answer) == (403, "Origin not allowed", "origin_not_allowed")


def test_tokens_and_histories_stay_out_of_caches(client: FlaskClient) -> None:
    opened = client.post("/v1/session", json={}, headers=headers() | KEY)
    read = client.get("/v1/session/messages", headers=headers(opened.json["token"]))
    refused = client.get("/v1/session/messages")

    for answer in (opened, read, refused):
        assert answer.headers["Cache-Control"] == "no-store"


# Renewing


def test_expired_token_is_renewed(client: FlaskClient) -> None:
    session_id = open_session(client)["sessionId"]
    old = aged(session_id, LIVE_S + 60)

    refused = client.post("/v1/chat", json={"message": "Hi"}, headers=headers(old) | KEY)
    renewed = open_session(client, token=old)

    assert problem(refused) == (401, *EXPIRED)
    assert renewed["sessionId"] == session_id
    assert say(client, renewed["token"])["message"] == "Hello there"


def test_stale_token_in_the_header_does_not_hinder_its_renewal(client: FlaskClient) -> None:
    old = aged(open_session(client)["sessionId"], LIVE_S + 60)

    answer = client.post("/v1/session", json={"token": old}, headers=headers(old) | KEY)

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "token",
    [
        aged("ps_" + "0" * 32, LIVE_S + RENEWABLE_S + 60),
        aged("ps_" + "0" * 32, 0, origin=BLOG),
        "forged",
    ],
    ids=["too old", "of another origin", "forged"],
)
def test_token_that_cannot_be_renewed_is_session_expired(client: FlaskClient, token: str) -> None:
    answer = client.post("/v1/session", json={"token": token}, headers=headers() | KEY)

    assert problem(answer) == (401, *EXPIRED)


# Chatting


@pytest.mark.parametrize("path", CHATS)
def test_token_takes_the_place_of_a_session_id(client: FlaskClient, path: str) -> None:
    opened = open_session(client)

    answer = client.post(path, json={"message": "Hi"}, headers=headers(opened["token"]) | KEY)

    assert answer.status_code == 200
    assert answer.get_data()
    assert said(history(client, opened["token"])) == [("user", "Hi"), ("assistant", "Hello there")]


def test_the_tokens_session_wins_over_a_claimed_one(
    client: FlaskClient, store: ConversationStore
) -> None:
    opened = open_session(client)

    say(client, opened["token"], sessionId=SESSION)

    (conversation,) = store.list_conversations(limit=10).conversations
    assert conversation.session_id == opened["sessionId"]


def test_token_does_not_replace_the_widget_key(client: FlaskClient) -> None:
    answer = client.post("/v1/chat", json={"message": "Hi"}, headers=headers(a_token(client)))

    assert problem(answer) == (401, *UNAUTHORIZED)


def test_client_made_id_chats_as_it_always_did(client: FlaskClient) -> None:
    body = {"sessionId": SESSION, "message": "Hi"}

    answer = client.post("/v1/chat", json=body, headers=headers() | KEY)

    assert (answer.status_code, answer.json["message"]) == (200, "Hello there")


def test_chat_of_nobody_is_an_invalid_request(client: FlaskClient) -> None:
    answer = client.post("/v1/chat", json={"message": "Hi"}, headers=headers() | KEY)

    assert problem(answer) == (400, "Invalid request payload", "invalid_request")


def test_a_proxys_own_authorization_is_not_a_token(client: FlaskClient) -> None:
    basic = headers() | KEY | {"Authorization": "Basic dXNlcjpwYXNz"}

    answer = client.post("/v1/chat", json={"sessionId": SESSION, "message": "Hi"}, headers=basic)

    assert answer.status_code == 200


@pytest.mark.parametrize("mode", ["compat", "strict"])
@pytest.mark.parametrize("path", CHATS)
def test_minted_id_is_refused_without_its_token(make_app: "MakeApp", path: str, mode: str) -> None:
    client = make_app(**VARIABLES, SESSION_MODE=mode).test_client()
    session_id = open_session(client)["sessionId"]

    for claimed in (session_id, "ps_", "ps_made-up"):
        body = {"sessionId": claimed, "message": "Hi"}
        answer = client.post(path, json=body, headers=headers() | KEY)

        assert problem(answer) == (401, *TOKEN_REQUIRED)


@pytest.mark.parametrize("path", CHATS)
def test_strict_mode_refuses_client_made_ids(make_app: "MakeApp", path: str) -> None:
    client = make_app(**VARIABLES, SESSION_MODE="strict").test_client()
    body = {"sessionId": SESSION, "message": "Hi"}

    refused = client.post(path, json=body, headers=headers() | KEY)

    assert problem(refused) == (401, *TOKEN_REQUIRED)
    assert say(client, a_token(client))["message"] == "Hello there"


def test_last_answer_is_given_anew(client: FlaskClient, model: ScriptedModel) -> None:
    token = a_token(client)
    first = say(client, token, turnId="turn-0001")
    model.script("Better.")

    second = say(client, token, turnId="turn-0001", regenerate=True)

    assert second["message"] == "Better."
    assert second["messageId"] == first["messageId"]
    assert said(history(client, token)) == [("user", "Hello"), ("assistant", "Better.")]


# Reading


def test_history_is_empty_before_the_first_word(client: FlaskClient) -> None:
    assert history(client, a_token(client)) == EMPTY


def test_history_tells_what_the_visitor_saw_and_no_more(client: FlaskClient) -> None:
    token = a_token(client)
    answer = say(client, token, turnId="turn-0001")

    page = history(client, token)

    for message in page["messages"]:
        message.pop("createdAt")
    assert page == {
        "messages": [
            {
                "_id": page["messages"][0]["_id"],
                "role": "user",
                "content": "Hello",
                "turnId": "turn-0001",
            },
            {
                "_id": answer["messageId"],
                "role": "assistant",
                "content": "Hello there",
                "turnId": "turn-0001",
                "status": "complete",
                "finishReason": "stop",
            },
        ],
        **AT_BOT,
    }


def test_history_comes_newest_page_first(client: FlaskClient) -> None:
    token = a_token(client)
    for question in ("One", "Two"):
        say(client, token, question)

    newest = history(client, token, "?limit=3")
    oldest = history(client, token, f"?limit=3&cursor={newest['nextCursor']}")

    assert [text for _, text in said(newest)] == ["Hello there", "Two", "Hello there"]
    assert [text for _, text in said(oldest)] == ["One"]
    assert "nextCursor" not in oldest


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "cursor=nonsense"])
def test_history_refuses_a_bad_query(client: FlaskClient, query: str) -> None:
    token = a_token(client)
    say(client, token)

    answer = client.get(f"/v1/session/messages?{query}", headers=headers(token))

    assert problem(answer) == (400, "Invalid query parameters", "invalid_request")


# Stopping


class Streaming:
    """A stream that waits at a gate, read in the background."""

    def __init__(self, client: FlaskClient, model: ScriptedModel, token: str) -> None:
        self.gate = Gate()
        model.script("Half", self.gate, " and half")
        self._reader = gevent.spawn(self._read, client, token)
        self.gate.wait_reached()

    def _read(self, client: FlaskClient, token: str) -> list[Any]:
        body = {"message": "Hello", "turnId": "turn-0001"}
        answer = client.post("/v1/chat/stream", json=body, headers=headers(token) | KEY)
        return [json.loads(line) for line in answer.get_data().splitlines() if line]

    def last_line(self) -> Any:
        return self._reader.get(timeout=5)[-1]


def test_stop_ends_the_stream_and_keeps_what_was_said(
    client: FlaskClient, model: ScriptedModel
) -> None:
    token = a_token(client)
    stream = Streaming(client, model, token)
    running = history(client, token)["runningTurnId"]

    stopped = client.post(f"/v1/turns/{running}/stop", headers=headers(token))

    done = stream.last_line()
    assert (stopped.status_code, stopped.json) == (202, {"turnId": "turn-0001"})
    assert (done["type"], done["message"], done["finishReason"]) == ("done", "Half", "stopped")
    assert model.open_count == 0
    answer = history(client, token)["messages"][1]
    assert (answer["_id"], answer["status"]) == (done["messageId"], "partial")
    assert "runningTurnId" not in history(client, token)


def test_stop_of_nothing_is_accepted(client: FlaskClient) -> None:
    answer = client.post("/v1/turns/turn-0001/stop", headers=headers(a_token(client)))

    assert answer.status_code == 202


@pytest.mark.parametrize(
    ("path", "field"), [("turns/{}/stop", "turnId"), ("messages/{}/feedback", "messageId")]
)
def test_name_that_is_longer_than_any_is_refused(
    client: FlaskClient, path: str, field: str
) -> None:
    answer = client.post(f"/v1/{path.format('x' * 129)}", headers=headers(a_token(client)))

    assert problem(answer) == (400, f"Invalid {field}", "invalid_request")
    assert answer.json["details"] == {field: ["Longer than maximum length 128."]}


def test_turn_is_streamed_again_to_its_own_session_only(client: FlaskClient) -> None:
    mine, other = a_token(client), a_token(client)
    say(client, mine, turnId="turn-0001")

    again = client.get("/v1/turns/turn-0001/stream", headers=headers(mine))
    foreign = client.get("/v1/turns/turn-0001/stream", headers=headers(other))
    unknown = client.get("/v1/turns/turn-0002/stream", headers=headers(mine))
    nobody = client.get("/v1/turns/turn-0001/stream", headers=headers() | KEY)

    assert again.status_code == 200
    assert again.headers["Content-Type"] == "application/x-ndjson; charset=utf-8"
    assert again.headers["Cache-Control"] == "no-store, no-transform"
    lines = [json.loads(line) for line in again.text.splitlines()]
    assert [line["type"] for line in lines] == ["start", "token", "done"]
    assert lines[1]["token"] == lines[2]["message"] == "Hello there"
    for answer in (foreign, unknown):
        sentence = "There is no such question in this session"
        assert problem(answer) == (404, sentence, "turn_not_found")
    assert nobody.status_code == 401


@pytest.mark.parametrize("whose", ["another session", "another turn"])
def test_stop_reaches_only_the_named_turn_of_the_own_session(
    client: FlaskClient, model: ScriptedModel, whose: str
) -> None:
    token = a_token(client)
    stream = Streaming(client, model, token)

    caller = a_token(client) if whose == "another session" else token
    turn_id = "turn-0001" if whose == "another session" else "turn-0002"
    client.post(f"/v1/turns/{turn_id}/stop", headers=headers(caller))
    stream.gate.open()

    assert stream.last_line()["message"] == "Half and half"


# Deleting


def test_deleted_session_is_gone_for_good(client: FlaskClient, store: ConversationStore) -> None:
    token = a_token(client)
    say(client, token)

    deleted = client.delete("/v1/session", headers=headers(token))

    assert (deleted.status_code, deleted.get_data()) == (204, b"")
    assert "Content-Type" not in deleted.headers
    assert store.list_conversations(limit=10).total == 0
    chat = client.post("/v1/chat", json={"message": "Hi"}, headers=headers(token) | KEY)
    read = client.get("/v1/session/messages", headers=headers(token))
    renewed = client.post("/v1/session", json={"token": token}, headers=headers() | KEY)
    for refused in (chat, read, renewed):
        assert problem(refused) == (401, *EXPIRED)
    assert client.delete("/v1/session", headers=headers(token)).status_code == 204
    assert store.list_conversations(limit=10).total == 0


def test_deleting_stops_the_running_turn(
    client: FlaskClient, model: ScriptedModel, store: ConversationStore
) -> None:
    token = a_token(client)
    stream = Streaming(client, model, token)

    client.delete("/v1/session", headers=headers(token))

    assert stream.last_line()["type"] == "error"
    assert model.open_count == 0
    assert store.list_conversations(limit=10).total == 0


# Rating


def test_rating_is_stored_and_may_change(client: FlaskClient) -> None:
    token = a_token(client)
    path = f"/v1/messages/{say(client, token)['messageId']}/feedback"

    for feedback in ({"rating": "down", "comment": "Wrong"}, {"rating": "up"}):
        answer = client.post(path, json=feedback, headers=headers(token))

        assert (answer.status_code, answer.get_data()) == (204, b"")
        assert history(client, token)["messages"][1]["feedback"] == feedback


def test_only_own_answers_are_rated(client: FlaskClient) -> None:
    token = a_token(client)
    answer_id = say(client, token)["messageId"]
    question_id = history(client, token)["messages"][0]["_id"]

    for caller, message_id in (
        (a_token(client), answer_id),
        (token, question_id),
        (token, "nothing"),
    ):
        answer = client.post(
            f"/v1/messages/{message_id}/feedback", json={"rating": "up"}, headers=headers(caller)
        )
        assert problem(answer) == (404, "Message not found", "message_not_found")
    assert "feedback" not in history(client, token)["messages"][1]


@pytest.mark.parametrize(
    "body", [{}, {"rating": "meh"}, {"rating": 1}, {"rating": "up", "comment": "x" * 1001}]
)
def test_bad_ratings_are_refused(client: FlaskClient, body: dict[str, object]) -> None:
    answer = client.post("/v1/messages/m/feedback", json=body, headers=headers(a_token(client)))

    assert problem(answer) == (400, "Invalid request payload", "invalid_request")


# Identity


def identify(client: FlaskClient, token: str, sub: str, secret: str = IDENTITY_SECRET) -> Any:
    claim = jwt.encode({"sub": sub, "exp": int(time.time()) + 300}, secret)
    return client.post("/v1/session/identity", json={"jwt": claim}, headers=headers(token))


@pytest.mark.parametrize("when", ["before the first word", "later"])
def test_identity_becomes_the_conversations_user(
    client: FlaskClient, store: ConversationStore, when: str
) -> None:
    token = a_token(client)
    if when == "later":
        say(client, token)
    answer = identify(client, token, "ada")
    say(client, token)

    assert (answer.status_code, answer.json) == (200, {"user": "ada"})
    (conversation,) = store.list_conversations(limit=10).conversations
    assert conversation.user == "ada"


def test_identity_needs_the_sites_signature(client: FlaskClient, store: ConversationStore) -> None:
    token = a_token(client)
    say(client, token, user="ada")
    forged = identify(client, token, "ada", secret="a-secret-that-the-site-does-not-know")

    assert problem(forged) == (403, "The identity could not be verified", "identity_refused")
    (conversation,) = store.list_conversations(limit=10).conversations
    assert conversation.user is None


def test_session_of_one_user_is_never_anothers(client: FlaskClient) -> None:
    token = a_token(client)
    identify(client, token, "ada")

    answer = identify(client, token, "bob")

    assert problem(answer) == (409, "This session belongs to another user", "user_mismatch")


def test_user_goes_on_with_their_latest_conversation_on_a_new_device(client: FlaskClient) -> None:
    sessions = [open_session(client) for _ in range(2)]
    for number, each in enumerate(sessions):
        identify(client, each["token"], "ada")
        say(client, each["token"], f"Question {number}")
    new = a_token(client)

    answer = identify(client, new, "ada").json

    token = answer["session"]["token"]
    assert answer == {"user": "ada", "session": {**sessions[1], "token": token}}
    assert said(history(client, token))[0] == ("user", "Question 1")
    assert history(client, new) == EMPTY


def test_nobody_goes_on_with_what_is_not_theirs(client: FlaskClient) -> None:
    one, two, busy = (a_token(client) for _ in range(3))
    identify(client, one, "ada")
    say(client, one, "A secret")
    say(client, busy, "Something else")

    assert identify(client, two, "bob").json == {"user": "bob"}
    # Who has begun to speak goes on there.
    assert identify(client, busy, "ada").json == {"user": "ada"}


def test_identity_is_off_without_a_secret(make_app: "MakeApp") -> None:
    client = make_app(**{**VARIABLES, "IDENTITY_SECRET": ""}).test_client()

    answer = identify(client, a_token(client), "ada")

    text = "IDENTITY_SECRET is not configured on this deployment"
    assert problem(answer) == (503, text, "not_configured")


# Attacks

PRIVATE_ROUTES = [
    ("GET", "/v1/session/messages", None),
    ("DELETE", "/v1/session", None),
    ("POST", "/v1/turns/turn-0001/stop", None),
    ("POST", "/v1/messages/message-1/feedback", {"rating": "up"}),
    ("POST", "/v1/session/identity", {"jwt": "x.y.z"}),
]
VICTIM = "ps_" + "a" * 32
FOREIGN_KEY = derive_key(b"a secret of somebody else's", PURPOSE)
ATTACKERS: dict[str, tuple[dict[str, str], tuple[str, str]]] = {
    "nothing": ({}, UNAUTHORIZED),
    "the widget key": (KEY, UNAUTHORIZED),
    "the widget key as a token": (headers(WIDGET_KEY), UNAUTHORIZED),
    "the admin key": ({"x-admin-api-key": ADMIN_KEY}, UNAUTHORIZED),
    "the session id": (headers(VICTIM), UNAUTHORIZED),
    "a forged token": (
        headers(SessionTokens([FOREIGN_KEY], live_s=LIVE_S).mint(VICTIM, SHOP)),
        UNAUTHORIZED,
    ),
    "an expired token": (headers(aged(VICTIM, LIVE_S + 60)), EXPIRED),
    "a token of another page": (headers(aged(VICTIM, 0, origin=BLOG)), UNAUTHORIZED),
    "a token used outside its page": (headers(aged(VICTIM, 0), origin=None), UNAUTHORIZED),
    "another scheme": ({**headers(), "Authorization": f"Basic {aged(VICTIM, 0)}"}, UNAUTHORIZED),
    "a cookie": ({"Cookie": f"token={aged(VICTIM, 0)}"}, UNAUTHORIZED),
}


class UntouchableStore:
    """A store of which every use is a failure."""

    @property
    def documents(self) -> "UntouchableStore":
        return self

    @property
    def people(self) -> "UntouchableStore":
        return self

    def __getattr__(self, name: str) -> Any:
        def touch(*_: Any, **__: Any) -> Any:
            raise AssertionError(f"{name} was called before the token held")

        return touch


@pytest.fixture(scope="module")
def untouchable() -> FlaskClient:
    settings = some_settings(WIDGET_API_KEY=WIDGET_KEY, ADMIN_API_KEY=ADMIN_KEY, **VARIABLES)
    store: Any = UntouchableStore()
    return create_app(settings, Parts(store=store, model=ScriptedModel())).test_client()


@pytest.mark.parametrize("attacker", ATTACKERS.values(), ids=ATTACKERS)
@pytest.mark.parametrize("route", PRIVATE_ROUTES, ids=[path for _, path, _ in PRIVATE_ROUTES])
def test_without_a_live_token_nothing_is_read(
    untouchable: FlaskClient,
    route: tuple[str, str, Any],
    attacker: tuple[dict[str, str], tuple[str, str]],
) -> None:
    method, path, body = route
    sent, refusal = attacker

    answer = untouchable.open(path, method=method, json=body, headers=sent)

    assert problem(answer) == (401, *refusal)


@pytest.mark.parametrize(
    "name", ["a forged token", "an expired token", "a token of another page", "the session id"]
)
@pytest.mark.parametrize("path", CHATS)
def test_a_dead_token_chats_nowhere(untouchable: FlaskClient, path: str, name: str) -> None:
    sent, refusal = ATTACKERS[name]
    body = {"sessionId": SESSION, "message": "Hi"}

    answer = untouchable.post(path, json=body, headers=sent | KEY)

    assert problem(answer) == (401, *refusal)


def test_renewal_reads_nothing_before_the_signature_holds(untouchable: FlaskClient) -> None:
    for token in ("forged", VICTIM, aged(VICTIM, 0, origin=BLOG)):
        answer = untouchable.post("/v1/session", json={"token": token}, headers=headers() | KEY)

        assert problem(answer) == (401, *EXPIRED)


def test_foreign_page_is_refused_whatever_it_holds(untouchable: FlaskClient) -> None:
    evil = headers(aged(VICTIM, 0, origin="https://evil.test"), origin="https://evil.test")

    answer = untouchable.get("/v1/session/messages", headers=evil)

    assert problem(answer) == (403, "Origin not allowed", "origin_not_allowed")


def test_one_session_sees_nothing_of_another(client: FlaskClient, model: ScriptedModel) -> None:
    victim, other = a_token(client), a_token(client)
    answer_id = say(client, victim, "A secret")["messageId"]

    assert history(client, other) == EMPTY
    path = f"/v1/messages/{answer_id}/feedback"
    client.post(path, json={"rating": "down"}, headers=headers(other))
    client.delete("/v1/session", headers=headers(other))

    assert said(history(client, victim)) == [("user", "A secret"), ("assistant", "Hello there")]
    assert "feedback" not in history(client, victim)["messages"][1]


def test_client_made_session_is_read_by_nobody(client: FlaskClient) -> None:
    body = {"sessionId": SESSION, "message": "Hi"}
    client.post("/v1/chat", json=body, headers=headers() | KEY)

    answer = client.get(
        f"/v1/session/messages?sessionId={SESSION}", headers=headers(a_token(client))
    )

    assert answer.json == EMPTY


# Our own pages, and clients that are no pages


def test_own_pages_get_counts_as_its_post(client: FlaskClient) -> None:
    token = a_token(client, origin="http://localhost")

    same_origin = {"Authorization": f"Bearer {token}", "Sec-Fetch-Site": "same-origin"}
    answer = client.get("/v1/session/messages", headers=same_origin)

    assert (answer.status_code, answer.json) == (200, EMPTY)


def test_program_without_an_origin_keeps_its_session_to_itself(client: FlaskClient) -> None:
    token = a_token(client, origin=None)

    own = client.get("/v1/session/messages", headers=headers(token, origin=None))
    page = client.get("/v1/session/messages", headers=headers(token, origin=SHOP))

    assert own.status_code == 200
    assert problem(page) == (401, *UNAUTHORIZED)
