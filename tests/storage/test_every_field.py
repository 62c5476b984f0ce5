"""A message with every field that there is, from each store to whoever reads it."""

import csv
import dataclasses
import io
import json
from typing import Any

from flask.testing import FlaskClient

from app.domain.conversation import Answer, Conversation, Feedback, Message, Page, Usage
from app.domain.knowledge import Source
from app.domain.people import ByOperator, ByVisitor, Contact
from app.factory import Parts, create_app
from app.storage.protocol import ConversationStore
from tests.data import ADMIN_KEY, SESSION, TURN, WIDGET_KEY, a_question, some_settings
from tests.storage.test_store_contract import say

EVERYTHING = Answer(
    content="Nine to",
    status="partial",
    model="gpt-5.1",
    usage=Usage(120, 30),
    latency_ms=2100,
    first_token_ms=320,
    finish_reason="length",
    charged_tokens=150,
    error_code="model_timeout",
    request_id="request-1",
    sources=[Source(1, "Hours", "https://shop.example/hours#sunday"), Source(2, "terms.pdf")],
    answered_by="owner",
    gap="not_cited",
)
FEEDBACK = Feedback("down", "Not helpful")
CONTACT = Contact("ada@visitor.example", "=Ada", 1_700_000_000_000)
# What only a message of an operator has, or one of the system's.
OF_PEOPLE = {"author", "event"}


def defaults(value: Any) -> set[str]:
    """Return the fields of a value that are as if nobody had set them."""
    fields = dataclasses.fields(value)
    return {field.name for field in fields if getattr(value, field.name) == field.default}


def store_it(store: ConversationStore) -> tuple[str, Message]:
    """Store the message; returns its conversation's id, and what the store tells of it."""
    conversation_id = say(store, answer=EVERYTHING).conversation_id
    message_id = store.read_thread(conversation_id).messages[1].id
    store.rate_message(SESSION, message_id, FEEDBACK)
    return conversation_id, store.read_thread(conversation_id).messages[1]


def test_every_field_of_a_message_comes_back_from_the_store(store: ConversationStore) -> None:
    _, message = store_it(store)

    assert message == Message(
        role="assistant",
        content="Nine to",
        created_at=message.created_at,
        id=message.id,
        turn_id=TURN,
        status="partial",
        model="gpt-5.1",
        usage=Usage(120, 30),
        latency_ms=2100,
        first_token_ms=320,
        finish_reason="length",
        feedback=FEEDBACK,
        error_code="model_timeout",
        request_id="request-1",
        sources=EVERYTHING.sources,
        answered_by="owner",
        gap="not_cited",
    )
    # A field that is new stands here until somebody writes it above.
    assert defaults(message) == defaults(EVERYTHING) | OF_PEOPLE
    assert defaults(EVERYTHING) == set()


def a_client(store: ConversationStore) -> FlaskClient:
    settings = some_settings(WIDGET_API_KEY=WIDGET_KEY, ADMIN_API_KEY=ADMIN_KEY)
    return create_app(settings, Parts(store=store)).test_client()


def admin_reads(client: FlaskClient, path: str) -> str:
    return client.get(path, headers={"x-admin-api-key": ADMIN_KEY}).text


def answer_in_person(store: ConversationStore, session_id: str = SESSION) -> Conversation:
    """Have a person asked for and answer; the conversation, with every field that it can have."""
    store.set_user(session_id, "customer-7")
    say(store, session_id=session_id, page=Page("https://shop.example/cart", "Cart"))
    store.people.set_contact(session_id, CONTACT)
    asked = store.people.hand_over(ByVisitor(session_id, "default"), "ask")
    operator = ByOperator(asked.conversation_id, "Olga")
    store.people.say(operator, "I am here.", key="k1")
    store.people.hand_over(operator, "release")
    store.people.hand_over(ByVisitor(session_id, "default"), "ask")
    say_more = a_question(session_id=session_id, turn_id="turn-0002", content="And now?")
    store.begin_turn(say_more, history_limit=1, lease_s=60)
    store.people.note_seen(asked.conversation_id, by_visitor=True, event=2)
    return store.read_thread(asked.conversation_id).conversation


def test_every_field_of_what_people_say_comes_back_from_the_store(
    store: ConversationStore,
) -> None:
    conversation = answer_in_person(store)
    told = store.read_session(SESSION, limit=100)
    assert told is not None

    assert told.conversation == conversation
    assert store.list_conversations(limit=1).conversations == (conversation,)
    assert store.people.list_inbox(assistant=None, limit=1) == (conversation,)
    assert store.people.find_by_user("customer-7", "default") == conversation
    assert (conversation.state, conversation.unread, conversation.contact) == (
        "waiting",
        1,
        CONTACT,
    )
    assert (conversation.last_event, conversation.seen_event) == (6, 2)
    assert conversation.waiting_since is not None
    # What a search finds, and the assistant that all is of by default.
    assert defaults(conversation) == {"match", "assistant", "marks"}
    _, _, contact, _, taken, words, *_ = told.messages
    assert (contact.role, contact.event, contact.author) == ("system", "contact", None)
    assert (taken.role, taken.event, taken.author) == ("system", "taken", "Olga")
    assert (words.role, words.content, words.author) == ("operator", "I am here.", "Olga")
    for message in (taken, words):
        others = {"role", "content", "created_at", "id"} | OF_PEOPLE
        assert {field.name for field in dataclasses.fields(message)} - defaults(message) <= others


def test_operator_reads_and_exports_what_people_said_and_where_to_answer(
    store: ConversationStore,
) -> None:
    conversation = answer_in_person(store)
    client = a_client(store)
    contact = {"email": "ada@visitor.example", "name": "=Ada", "consentedAt": 1_700_000_000_000}

    read = json.loads(admin_reads(client, f"/v1/admin/conversations/{conversation.id}"))
    exported = [json.loads(line) for line in admin_reads(client, "/v1/admin/export").splitlines()]
    text = admin_reads(client, "/v1/admin/export?format=csv").removeprefix("\ufeff")

    told = read["conversation"]
    assert (told["state"], told["unread"], told["contact"]) == ("waiting", 1, contact)
    assert told["waitingSince"] == conversation.waiting_since
    taken, words = read["messages"][4:6]
    assert (taken["role"], taken["event"], taken["content"]) == ("system", "taken", "")
    assert (words["role"], words["author"], words["content"]) == ("operator", "Olga", "I am here.")
    assert "turnId" not in words
    assert words.items() <= exported[5].items()
    assert (exported[4]["event"], exported[4]["content"]) == ("taken", "")
    assert (exported[5]["state"], exported[5]["contact"]) == ("waiting", contact)
    row = list(csv.DictReader(io.StringIO(text)))[4]
    names = ("role", "author", "event", "state", "contactEmail", "contactName")
    assert [row[name] for name in names] == [
        "system", "Olga", "taken", "waiting", "ada@visitor.example", "'=Ada",
    ]  # fmt: skip


def test_visitor_reads_who_spoke_and_no_contact(store: ConversationStore) -> None:
    client = a_client(store)
    opened = client.post("/v1/session", json={}, headers={"x-api-key": WIDGET_KEY}).json
    assert opened is not None
    answer_in_person(store, opened["sessionId"])

    bearer = {"Authorization": f"Bearer {opened['token']}"}
    response = client.get("/v1/session/messages", headers=bearer)

    assert response.json is not None
    taken, words = response.json["messages"][4:6]
    assert (taken["role"], taken["event"], taken["author"]) == ("system", "taken", "Olga")
    assert (words["role"], words["author"], words["content"]) == ("operator", "Olga", "I am here.")
    assert "visitor.example" not in response.text


def test_operator_reads_and_exports_every_field_of_a_message(store: ConversationStore) -> None:
    conversation_id, message = store_it(store)
    told: dict[str, Any] = {
        "_id": message.id,
        "role": "assistant",
        "content": "Nine to",
        "createdAt": message.created_at,
        "turnId": TURN,
        "status": "partial",
        "model": "gpt-5.1",
        "usage": {"promptTokens": 120, "completionTokens": 30},
        "latencyMs": 2100,
        "firstTokenMs": 320,
        "finishReason": "length",
        "feedback": {"rating": "down", "comment": "Not helpful"},
        "errorCode": "model_timeout",
        "requestId": "request-1",
        "sources": [
            {"n": 1, "title": "Hours", "url": "https://shop.example/hours#sunday"},
            {"n": 2, "title": "terms.pdf"},
        ],
        "answeredBy": "owner",
        "gap": "not_cited",
    }
    assert len(told) == len(dataclasses.fields(Message)) - len(OF_PEOPLE)
    client = create_app(some_settings(ADMIN_API_KEY=ADMIN_KEY), Parts(store=store)).test_client()

    def get(path: str) -> str:
        return client.get(path, headers={"x-admin-api-key": ADMIN_KEY}).text

    read = json.loads(get(f"/v1/admin/conversations/{conversation_id}"))
    exported = [json.loads(line) for line in get("/v1/admin/export").splitlines()]
    table = csv.DictReader(io.StringIO(get("/v1/admin/export?format=csv").removeprefix("\ufeff")))

    assert read["messages"][1] == told
    assert told.items() <= exported[1].items()
    (_, row) = table
    cells = {**told, **told["usage"], **told["feedback"], "messageId": message.id}
    cells["sources"] = "[1] Hours https://shop.example/hours#sunday\n[2] terms.pdf"
    # The time stands in words, and a turn has two rows beside each other.
    left_out = {"_id", "createdAt", "turnId", "usage", "feedback"}
    shown = {name: str(cell) for name, cell in cells.items() if name not in left_out}
    assert shown.items() <= row.items()


def test_visitor_reads_what_an_answer_cites_and_no_mark(store: ConversationStore) -> None:
    client = create_app(some_settings(WIDGET_API_KEY=WIDGET_KEY), Parts(store=store)).test_client()
    key = {"x-api-key": WIDGET_KEY}
    opened = client.post("/v1/session", json={}, headers=key).json
    say(store, session_id=opened["sessionId"], answer=EVERYTHING)

    bearer = {"Authorization": f"Bearer {opened['token']}"}
    question, answer = client.get("/v1/session/messages", headers=bearer).json["messages"]

    assert answer["sources"] == [
        {"n": 1, "title": "Hours", "url": "https://shop.example/hours#sunday"},
        {"n": 2, "title": "terms.pdf"},
    ]
    assert answer["answeredBy"] == "owner"
    assert {"gap", "requestId", "model"} & answer.keys() == set()
    assert "sources" not in question
