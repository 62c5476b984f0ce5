"""Where a person answers a visitor, over HTTP: both sides of it."""

import gc
import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gevent
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.domain.conversation import Usage
from app.domain.errors import ModelUnavailable
from app.domain.people import ByVisitor
from app.notifications.return_link import LIVE_S, PURPOSE, ReturnLinks
from app.operations.people import People
from app.server.aside import CAN_WAIT, Aside
from app.storage.protocol import ConversationStore
from app.web.guards.secret_keys import derive_key
from tests.conftest import Pair
from tests.data import ADMIN_KEY, WIDGET_KEY, a_question
from tests.fakes import Gate, ScriptedModel, until

if TYPE_CHECKING:
    from tests.conftest import MakeApp

KEY = {"x-api-key": WIDGET_KEY}
ADMIN = {"x-admin-api-key": ADMIN_KEY}
SECRET = "secret-key-of-the-unit-tests"
HOLDING = "Somebody will answer."
VARIABLES = {
    "SECRET_KEY": SECRET,
    "HUMAN": "on",
    "HOLDING_MESSAGE": HOLDING,
    "OPERATOR_NAME": "Ada",
    "LIMIT_SESSION_PER_MINUTE": "0",
}
HANDOFF, EVENTS = "/v1/session/handoff", "/v1/session/events"
CONTACT, RETURN = "/v1/session/contact", "/v1/session/return"


@pytest.fixture
def app(make_app: "MakeApp") -> Flask:
    return make_app(**VARIABLES)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


class Visitor:
    """A visitor with a session of their own."""

    def __init__(self, client: FlaskClient) -> None:
        self._client = client
        self.opened: Any = client.post("/v1/session", json={}, headers=KEY).json
        self.session: str = self.opened["sessionId"]
        self.headers = {"Authorization": f"Bearer {self.opened['token']}"}

    def get(self, path: str) -> TestResponse:
        return self._client.get(path, headers=self.headers)

    def post(self, path: str, **body: Any) -> TestResponse:
        return self._client.post(path, json=body, headers=self.headers | KEY)

    def delete(self, path: str) -> TestResponse:
        return self._client.delete(path, headers=self.headers)

    def chat(self, message: str = "Hello", **fields: Any) -> Any:
        body = {"message": message, **fields}
        answer = self._client.post("/v1/chat", json=body, headers=self.headers | KEY)
        assert answer.status_code == 200, answer.json
        return answer.json

    def history(self) -> Any:
        return self.get("/v1/session/messages").json

    def thread(self) -> list[tuple[str, str]]:
        """Role and text of what was said; of an event, what it tells of."""
        return [
            (each["role"], each.get("event") or each["content"])
            for each in self.history()["messages"]
        ]

    def events(self, after: int = 0) -> Any:
        return self.get(f"{EVENTS}?after={after}").json


@pytest.fixture
def visitor(client: FlaskClient) -> Visitor:
    return Visitor(client)


def act(client: FlaskClient, conversation_id: str, step: str, **body: Any) -> TestResponse:
    path = f"/v1/admin/conversations/{conversation_id}/{step}"
    return client.post(path, json=body, headers=ADMIN)


def problem(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.json["code"]


# Asking


def test_page_is_told_that_a_person_can_be_asked_for(make_app: "MakeApp") -> None:
    def can_ask(**variables: str) -> bool:
        opened = Visitor(make_app(**variables).test_client()).opened
        return bool(opened["config"]["people"]["canAsk"])

    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    assert not can_ask()
    assert can_ask(HUMAN="on")
    assert can_ask(DASHBOARD_PASSWORD="a password of the tests")
    assert can_ask(WEBHOOK_URL="https://hooks.test/", WEBHOOK_SECRET=secret)
    assert can_ask(NOTIFY_CHAT_URL="https://chat.test/hook")
    smtp = {"SMTP_URL": "smtp://mail.test:25", "MAIL_FROM": "chat@shop.test"}
    assert not can_ask(**smtp)
    assert can_ask(**smtp, NOTIFY_EMAIL="ada@shop.test")
    assert not can_ask(DASHBOARD_PASSWORD="a password of the tests", HUMAN="off")


def test_visitor_asks_for_a_person_before_the_first_question(visitor: Visitor) -> None:
    answer = visitor.post(HANDOFF)

    assert (answer.status_code, answer.json) == (200, {"state": "waiting", "isOpen": True})
    assert visitor.thread() == [("system", "asked")]
    history = visitor.history()
    assert (history["state"], history["isReachable"]) == ("waiting", False)


def test_session_without_a_conversation_is_the_assistants(visitor: Visitor) -> None:
    assert visitor.history() == {
        "messages": [], "state": "bot", "nextEvent": 0, "isReachable": False,
    }  # fmt: skip


def test_to_ask_twice_is_one_handoff_and_one_notice(client: FlaskClient, visitor: Visitor) -> None:
    visitor.chat()

    assert visitor.post(HANDOFF).json == visitor.post(HANDOFF).json

    assert visitor.thread().count(("system", "asked")) == 1
    notices = client.get("/v1/admin/notices", headers=ADMIN).json["notices"]
    assert [each["type"] for each in notices].count("conversation.waiting") == 1


def test_text_of_the_wish_is_a_message_and_asks_no_model(
    visitor: Visitor, model: ScriptedModel
) -> None:
    page = {"url": "https://shop.test/cart", "title": "Cart"}
    for _ in range(2):
        answer = visitor.post(HANDOFF, text="My parcel!", turnId="turn-0001", page=page)
        assert answer.json["state"] == "waiting"

    assert visitor.thread() == [("system", "asked"), ("user", "My parcel!")]
    assert model.prompts == []


def test_owner_is_told_of_a_wish_with_its_words(app: Flask, store: ConversationStore) -> None:
    told: list[list[str]] = []

    def wake() -> None:
        told.append([each.type for each in store.people.list_notices(limit=9)])

    settings = app.extensions["perch"].settings
    people = People(settings, store, stop=lambda _: None, tell=lambda _: None, wake=wake)

    people.ask(settings.assistant, "s-1", text="My parcel!")

    assert told == [["message.created", "conversation.waiting"]]


def test_words_that_find_another_answer_running_are_to_be_sent_again(
    app: Flask, visitor: Visitor, store: ConversationStore
) -> None:
    def give_back_and_ask() -> None:
        give_up()
        store.people.hand_over(ByVisitor(visitor.session, "default"), "release")
        asked = a_question(session_id=visitor.session)
        store.begin_turn(asked, history_limit=1, lease_s=60)

    give_up = app.extensions["perch"].waiting.enter(visitor.session, 0, give_back_and_ask)
    refused = visitor.post(HANDOFF, text="My parcel!", turnId="turn-of-the-wish")

    assert problem(refused) == (409, "turn_in_progress")
    assert refused.headers["Retry-After"]


def test_page_of_the_wish_is_shown_to_the_operator(client: FlaskClient, visitor: Visitor) -> None:
    visitor.post(HANDOFF, text="Hi", page={"url": "https://shop.test/cart", "title": "Cart"})

    (waiting,) = client.get("/v1/admin/inbox", headers=ADMIN).json["conversations"]

    assert (waiting["pageUrl"], waiting["unread"]) == ("https://shop.test/cart", 1)
    assert waiting["state"] == "waiting"


@pytest.mark.parametrize("body", [{"text": "  "}, {"text": "x" * 4001}, {"turnId": "!"}])
def test_nonsense_is_no_wish(visitor: Visitor, body: dict[str, Any]) -> None:
    assert problem(visitor.post(HANDOFF, **body)) == (400, "invalid_request")
    assert visitor.thread() == []


def test_nobody_is_asked_where_nobody_answers(make_app: "MakeApp") -> None:
    visitor = Visitor(make_app(SECRET_KEY=SECRET, HUMAN="off").test_client())

    assert problem(visitor.post(HANDOFF, text="Hi")) == (503, "not_configured")
    contact = visitor.post(CONTACT, email="v@site.test", consent=True)
    assert problem(contact) == (503, "not_configured")
    assert visitor.delete(HANDOFF).json == {"state": "bot"}
    assert visitor.thread() == []


def test_closed_hours_say_when_somebody_is_back(make_app: "MakeApp") -> None:
    visitor = Visitor(make_app(**VARIABLES, HUMAN_HOURS="2020-01-01/2020-01-02 off").test_client())
    never = visitor.post(HANDOFF).json
    tomorrow = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 86_400))
    app = make_app(**VARIABLES, HUMAN_HOURS=f"{tomorrow} 09:00-17:00 UTC")
    back = Visitor(app.test_client()).post(HANDOFF).json

    assert never == {"state": "waiting", "isOpen": False}
    assert back["isOpen"] is False
    back_at = time.gmtime(back["backAt"] / 1000)
    assert time.strftime("%Y-%m-%d %H:%M", back_at) == f"{tomorrow} 09:00"


def test_visitor_goes_back_to_the_assistant(visitor: Visitor, model: ScriptedModel) -> None:
    visitor.post(HANDOFF)

    assert visitor.delete(HANDOFF).json == {"state": "bot"}
    assert visitor.delete(HANDOFF).json == {"state": "bot"}

    visitor.chat("Are you there?")
    assert len(model.prompts) == 1
    assert visitor.thread()[:2] == [("system", "asked"), ("system", "released")]


def test_wishes_are_counted_as_questions_are(make_app: "MakeApp") -> None:
    limit = {**VARIABLES, "LIMIT_SESSION_PER_MINUTE": "2"}
    visitor = Visitor(make_app(**limit).test_client())

    answers = [visitor.post(HANDOFF).status_code for _ in range(3)]

    assert answers == [200, 200, 429]
    assert visitor.post(CONTACT, email="v@site.test", consent=True).status_code == 429


# Answers where a person is to answer


def test_question_to_a_person_is_stored_and_answered_whole(
    client: FlaskClient, visitor: Visitor, model: ScriptedModel
) -> None:
    visitor.post(HANDOFF)

    told = visitor.chat("Anybody?")
    asked = {"message": "Hello?", "turnId": "turn-0002"}
    streamed = client.post("/v1/chat/stream", json=asked, headers=visitor.headers | KEY)

    assert (told["message"], told["answeredBy"]) == (HOLDING, "person")
    lines = [json.loads(line) for line in streamed.text.splitlines()]
    assert [line["type"] for line in lines] == ["start", "token", "done"]
    assert lines[-1]["answeredBy"] == "person"
    assert visitor.thread()[1:] == [("user", "Anybody?"), ("user", "Hello?")]
    assert model.prompts == []


def fail(_app: Flask, visitor: Visitor, model: ScriptedModel) -> None:
    model.script(start=ModelUnavailable())
    for number in range(2):
        visitor.post("/v1/chat", message="Hello", turnId=f"turn-of-trouble-{number}")


def switch_off(app: Flask, _visitor: Visitor, _model: ScriptedModel) -> None:
    app.extensions["perch"].switches.switch(off=True)


def spend(_app: Flask, visitor: Visitor, model: ScriptedModel) -> None:
    model.script("Hello", usage=Usage(8000, 2000))
    visitor.chat()


@pytest.mark.parametrize(
    ("variables", "trouble", "code"),
    [
        ({}, switch_off, "switched_off"),
        ({"BREAKER_FAILURES": "2"}, fail, "model_paused"),
        ({"BUDGET_TOKENS_PER_DAY": "9000"}, spend, "budget_exhausted"),
        ({"BUDGET_TOKENS_PER_SESSION_DAY": "9000"}, spend, "daily_limit_reached"),
    ],
)
def test_person_is_spoken_to_whatever_keeps_the_model_from_answering(
    make_app: "MakeApp",
    model: ScriptedModel,
    variables: dict[str, str],
    trouble: Callable[[Flask, Visitor, ScriptedModel], None],
    code: str,
) -> None:
    app = make_app(**VARIABLES, **variables)
    visitor = Visitor(app.test_client())
    trouble(app, visitor, model)
    asked = len(model.prompts)
    before = visitor.post("/v1/chat", message="Hello?")
    visitor.post(HANDOFF)

    told = visitor.chat("Anybody?")
    visitor.delete(HANDOFF)
    behind = visitor.post("/v1/chat", message="Hello again?")

    assert problem(before)[1] == problem(behind)[1] == code
    assert (told["message"], told["answeredBy"]) == (HOLDING, "person")
    assert visitor.thread()[-3:] == [
        ("system", "asked"), ("user", "Anybody?"), ("system", "released"),
    ]  # fmt: skip
    assert len(model.prompts) == asked


# Events


def test_reply_is_an_event_with_its_author(client: FlaskClient, visitor: Visitor) -> None:
    conversation_id = visitor.chat()["conversationId"]
    visitor.post(HANDOFF)
    said = act(client, conversation_id, "reply", text="Hello, Ada here.").json

    told = visitor.events()

    assert (told["state"], told["next"]) == ("human", 3)
    assert [(each["n"], each["type"]) for each in told["events"]] == [
        (1, "asked"), (2, "taken"), (3, "message"),
    ]  # fmt: skip
    assert told["events"][2]["message"] == {
        "_id": said["_id"],
        "role": "operator",
        "content": "Hello, Ada here.",
        "createdAt": said["createdAt"],
        "author": "Ada",
    }
    assert told["events"][1]["message"]["author"] == "Ada"
    assert visitor.events(after=2)["events"] == told["events"][2:]


def test_nothing_new_is_204(visitor: Visitor) -> None:
    answer = visitor.get(f"{EVENTS}?after=0")

    assert (answer.status_code, answer.data) == (204, b"")


def test_history_says_after_which_event_to_ask(client: FlaskClient, visitor: Visitor) -> None:
    conversation_id = visitor.chat()["conversationId"]
    act(client, conversation_id, "reply", text="Hi.")
    history = visitor.history()

    assert (history["state"], history["nextEvent"]) == ("human", 2)
    assert visitor.get(f"{EVENTS}?after=2").status_code == 204


@pytest.mark.parametrize("query", ["after=-1", "after=x", "wait=26", "wait=-1", "wait=1.5"])
def test_query_of_events_is_checked(visitor: Visitor, query: str) -> None:
    assert problem(visitor.get(f"{EVENTS}?{query}")) == (400, "invalid_request")


def test_events_are_open_to_their_session_only(client: FlaskClient, visitor: Visitor) -> None:
    conversation_id = visitor.chat()["conversationId"]
    act(client, conversation_id, "reply", text="Hi.")

    assert client.get(EVENTS).status_code == 401
    assert client.get(EVENTS, headers=KEY).status_code == 401
    assert Visitor(client).get(EVENTS).status_code == 204


def test_open_request_hears_of_a_reply_at_once(client: FlaskClient, visitor: Visitor) -> None:
    conversation_id = visitor.chat()["conversationId"]
    polling = gevent.spawn(visitor.get, f"{EVENTS}?after=0&wait=20")
    waiting = client.application.extensions["perch"].waiting
    until(lambda: waiting.count == 1)

    act(client, conversation_id, "reply", text="Hi.")

    told = polling.get(timeout=10).json
    assert told["events"][0]["type"] == "taken"
    assert waiting.count == 0


def test_too_many_who_wait_are_asked_to_come_again(make_app: "MakeApp") -> None:
    app = make_app(**VARIABLES, MAX_WAITING="1")
    client = app.test_client()
    one, other = Visitor(client), Visitor(client)
    polling = gevent.spawn(one.get, f"{EVENTS}?wait=20")
    until(lambda: app.extensions["perch"].waiting.count == 1)

    refused = other.get(f"{EVENTS}?wait=20")

    assert problem(refused) == (503, "overloaded")
    assert refused.headers["Retry-After"] == "5"
    assert other.get(f"{EVENTS}?wait=0").status_code == 204
    polling.kill()


def test_who_is_refused_a_place_leaves_nothing_behind(make_app: "MakeApp", pair: Pair) -> None:
    app = make_app(**VARIABLES, MAX_WAITING="1")
    client = app.test_client()
    visitor = Visitor(client)
    app.extensions["perch"].waiting.enter("s-other", 0, lambda: None)
    served_by = {CAN_WAIT: True, "gunicorn.socket": pair[0]}

    refused = client.get(f"{EVENTS}?wait=20", headers=visitor.headers, environ_overrides=served_by)

    assert problem(refused) == (503, "overloaded")
    assert [each for each in gc.get_objects() if type(each) is Aside] == []


def test_what_was_fetched_needs_no_mail(
    client: FlaskClient, visitor: Visitor, store: ConversationStore
) -> None:
    conversation_id = visitor.chat()["conversationId"]
    act(client, conversation_id, "reply", text="One.")

    def seen() -> int:
        return store.read_thread(conversation_id).conversation.seen_event

    visitor.events()
    assert seen() == 0  # sent, and perhaps lost on the way
    visitor.get(f"{EVENTS}?after=2")
    assert seen() == 2
    act(client, conversation_id, "reply", text="Two.")
    visitor.history()
    assert seen() == 3


def test_what_was_fetched_of_a_deleted_conversation_says_nothing_of_the_next(
    client: FlaskClient, visitor: Visitor, store: ConversationStore
) -> None:
    former = visitor.chat()["conversationId"]
    for number in range(3):
        act(client, former, "reply", text=f"Word {number}.")
    visitor.get(f"{EVENTS}?after=4")
    client.delete(f"/v1/admin/conversations/{former}", headers=ADMIN)
    conversation_id = visitor.chat()["conversationId"]
    act(client, conversation_id, "reply", text="Hello again.")

    def seen() -> int:
        return store.read_thread(conversation_id).conversation.seen_event

    assert (visitor.events(after=4)["next"], seen()) == (2, 0)
    visitor.get(f"{EVENTS}?after=2")
    assert seen() == 2


def test_deleted_session_has_no_events(visitor: Visitor) -> None:
    visitor.post(HANDOFF)
    visitor.delete("/v1/session")

    assert problem(visitor.get(EVENTS)) == (401, "session_expired")


# Contact


def test_contact_is_kept_with_consent_and_shown_to_the_operator(
    client: FlaskClient, visitor: Visitor
) -> None:
    conversation_id = visitor.chat()["conversationId"]

    answer = visitor.post(CONTACT, email="vera@site.test", name="Vera", consent=True)

    assert answer.status_code == 204
    assert visitor.history()["isReachable"] is True
    told = client.get(f"/v1/admin/conversations/{conversation_id}", headers=ADMIN).json
    contact = told["conversation"]["contact"]
    assert contact == {
        "email": "vera@site.test", "name": "Vera", "consentedAt": contact["consentedAt"],
    }  # fmt: skip
    assert contact["consentedAt"] > 0
    assert ("system", "contact") in visitor.thread()


@pytest.mark.parametrize("path", [HANDOFF, "/v1/chat"])
def test_token_in_the_pages_address_is_kept_nowhere(
    client: FlaskClient, visitor: Visitor, path: str
) -> None:
    page = {"url": "https://shop.test/cart?perch=a.token&x=1"}
    text = {"text": "Hi"} if path == HANDOFF else {"message": "Hi"}

    visitor.post(path, **text, page=page)

    [told] = client.get("/v1/admin/conversations", headers=ADMIN).json["conversations"]
    assert told["pageUrl"] == "https://shop.test/cart?x=1"


@pytest.mark.parametrize(
    "body",
    [
        {"email": "vera@site.test"},
        {"email": "vera@site.test", "consent": False},
        {"email": "vera@site.test", "consent": 1},
        {"email": "vera@site.test", "consent": "true"},
        {"email": "vera", "consent": True},
        {"email": "vera@", "consent": True},
        {"email": "a@b@site.test", "consent": True},
        {"email": "vera@site.test\nBcc: all@site.test", "consent": True},
        {"email": f"{'v' * 250}@site.test", "consent": True},
        {"email": "vera@site.test", "consent": True, "name": "Vera\r\nBcc: x"},
        {"email": "vera@site.test", "consent": True, "name": "V" * 81},
    ],
)
def test_address_that_is_none_or_was_not_agreed_to_is_refused(
    visitor: Visitor, body: dict[str, Any]
) -> None:
    assert problem(visitor.post(CONTACT, **body)) == (400, "invalid_request")
    assert visitor.history()["isReachable"] is False


# Coming back


def a_link(visitor: Visitor, age_s: float = 0, assistant: str = "default") -> str:
    key = derive_key(SECRET.encode(), PURPOSE)
    links = ReturnLinks([key], clock=lambda: time.time() - age_s)
    return links.mint(visitor.session, assistant)


def come_back(client: FlaskClient, token: str) -> TestResponse:
    return client.post(RETURN, json={"token": token}, headers=KEY)


def test_mailed_link_opens_the_session_on_another_device(
    client: FlaskClient, visitor: Visitor
) -> None:
    visitor.chat("Remember me")

    opened = come_back(client, a_link(visitor)).json

    assert opened == {**visitor.opened, "token": opened["token"]}
    elsewhere = {"Authorization": f"Bearer {opened['token']}"}
    history = client.get("/v1/session/messages", headers=elsewhere).json
    assert history["messages"][0]["content"] == "Remember me"


def test_link_that_does_not_hold_leads_to_a_new_session(
    client: FlaskClient, visitor: Visitor
) -> None:
    visitor.chat()
    deleted = Visitor(client)
    deleted.chat()
    deleted.delete("/v1/session")
    token = str(visitor.opened["token"])

    for link in (
        "nonsense", token, a_link(visitor, LIVE_S + 60), a_link(visitor, assistant="other"),
        a_link(deleted),
    ):  # fmt: skip
        assert problem(come_back(client, link)) == (401, "session_expired"), link


def test_link_needs_the_widget_key_and_is_counted(make_app: "MakeApp") -> None:
    client = make_app(**VARIABLES, LIMIT_NEW_SESSIONS_PER_HOUR="2").test_client()
    link = a_link(Visitor(client))

    assert client.post(RETURN, json={"token": link}).status_code == 401
    assert [come_back(client, link).status_code for _ in range(2)] == [200, 429]


# Operators


def test_take_over_ends_a_running_answer(
    client: FlaskClient, visitor: Visitor, model: ScriptedModel
) -> None:
    gate = Gate()
    model.script("One ", "two ", gate, "three.")
    chat = gevent.spawn(visitor.chat, "Count!")
    gate.wait_reached()
    (running,) = client.get("/v1/admin/conversations", headers=ADMIN).json["conversations"]

    handed = act(client, running["_id"], "take", name="Grace").json

    assert chat.get(timeout=10)["message"] == "One two"
    assert handed == {
        "conversationId": running["_id"], "sessionId": visitor.session,
        "assistant": "default", "state": "human", "isNew": True,
    }  # fmt: skip
    question, answer, taken = visitor.history()["messages"]
    assert (question["role"], answer["status"], answer["finishReason"]) == (
        "user", "partial", "taken",
    )  # fmt: skip
    assert (taken["event"], taken["author"]) == ("taken", "Grace")


def test_operator_answers_and_gives_back(
    client: FlaskClient, visitor: Visitor, model: ScriptedModel
) -> None:
    conversation_id = visitor.chat("Hello")["conversationId"]
    visitor.post(HANDOFF)
    act(client, conversation_id, "reply", text="What is it?", name="Grace", key="reply-1")
    act(client, conversation_id, "reply", text="What is it?", name="Grace", key="reply-1")
    visitor.chat("My order")
    steps = [act(client, conversation_id, "release").json["isNew"] for _ in range(2)]
    visitor.chat("And now?")

    assert steps == [True, False]
    assert visitor.thread()[2:7] == [
        ("system", "asked"), ("system", "taken"), ("operator", "What is it?"),
        ("user", "My order"), ("system", "released"),
    ]  # fmt: skip
    assert [(each.role, each.content) for each in model.prompts[-1]][-1] == ("user", "And now?")
    assert "My order" not in str(model.prompts[-1])


def test_closed_conversation_leaves_the_inbox(client: FlaskClient, visitor: Visitor) -> None:
    conversation_id = visitor.chat()["conversationId"]
    visitor.post(HANDOFF)
    act(client, conversation_id, "reply", text="Done.")

    closed = act(client, conversation_id, "close").json

    assert closed["state"] == "bot"
    assert client.get("/v1/admin/inbox", headers=ADMIN).json == {"conversations": []}
    assert visitor.events(after=3)["events"][0]["type"] == "closed"


def test_inbox_begins_with_who_waits_longest(client: FlaskClient) -> None:
    taken, first, second = (Visitor(client) for _ in range(3))
    act(client, taken.chat()["conversationId"], "take")
    for each in (first, second):
        each.post(HANDOFF)

    listed = client.get("/v1/admin/inbox", headers=ADMIN).json["conversations"]

    assert [each["sessionId"] for each in listed] == [
        first.session, second.session, taken.session,
    ]  # fmt: skip
    of_others = client.get("/v1/admin/inbox?assistant=shop", headers=ADMIN).json
    assert of_others == {"conversations": []}


@pytest.mark.parametrize(
    ("step", "body", "told"),
    [
        ("reply", {"text": " \n"}, 400),
        ("reply", {"text": "x" * 20_001}, 400),
        ("reply", {}, 400),
        ("take", {"name": "A\nB"}, 400),
        ("take", {"name": "A" * 81}, 400),
    ],
)
def test_nonsense_of_operators_is_refused(
    client: FlaskClient, visitor: Visitor, step: str, body: dict[str, Any], told: int
) -> None:
    conversation_id = visitor.chat()["conversationId"]

    assert act(client, conversation_id, step, **body).status_code == told
    assert visitor.history()["state"] == "bot"


@pytest.mark.parametrize("step", ["take", "release", "close", "reply"])
def test_step_needs_the_admin_key_and_a_conversation(client: FlaskClient, step: str) -> None:
    path = f"/v1/admin/conversations/none/{step}"

    assert client.post(path, json={"text": "Hi"}, headers=KEY).status_code == 401
    assert problem(act(client, "none", step, text="Hi")) == (404, "conversation_not_found")


def test_notices_tell_who_has_not_taken_them(client: FlaskClient, visitor: Visitor) -> None:
    visitor.chat()
    visitor.post(HANDOFF)

    (notice,) = client.get("/v1/admin/notices?limit=1", headers=ADMIN).json["notices"]

    assert notice["type"] == "conversation.waiting"
    assert (notice["attempts"], notice["isGivenUp"]) == (0, False)
    assert "pending" not in notice
