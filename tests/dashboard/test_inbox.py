"""The inbox and the thread where an operator answers."""

import re
from typing import TYPE_CHECKING

import pytest
from flask.testing import FlaskClient
from selectolax.lexbor import LexborHTMLParser

from app.domain.conversation import Page
from app.domain.people import ByOperator, ByVisitor, Contact
from app.storage.protocol import ConversationStore
from tests.dashboard.door import PASSWORD, SECRETS, form_token, sign_in, text_of
from tests.data import SESSION, a_question, an_answer, say

if TYPE_CHECKING:
    from tests.conftest import MakeApp

INBOX, DELIVERIES = "/dashboard/inbox", "/dashboard/deliveries"
PART = {"HX-Request": "true"}


def thread_of(conversation_id: str) -> str:
    return f"/dashboard/conversations/{conversation_id}"


def ask_for_person(store: ConversationStore, session_id: str = SESSION) -> str:
    return store.people.hand_over(ByVisitor(session_id, "default"), "ask").conversation_id


def ask(store: ConversationStore, content: str, turn_id: str = "turn-0009") -> None:
    """Say something to a person."""
    store.begin_turn(a_question(turn_id=turn_id, content=content), history_limit=1, lease_s=60)


def send(
    operator: FlaskClient, conversation_id: str, step: str, *, is_part: bool = False, **form: str
) -> str:
    token = form_token(operator.get(thread_of(conversation_id)))
    answer = operator.post(
        f"{thread_of(conversation_id)}/{step}",
        data={"token": token, **form},
        headers=PART if is_part else {},
        follow_redirects=True,
    )
    assert answer.status_code == 200, text_of(answer.text)
    return answer.text


def shown(store: ConversationStore, conversation_id: str) -> list[tuple[str, str]]:
    messages = store.read_thread(conversation_id).messages
    return [(each.role, each.event or each.content) for each in messages]


def test_empty_inbox_says_so(operator: FlaskClient) -> None:
    page = operator.get(INBOX)

    assert "Nobody waits for a person" in page.text
    assert "<title>Inbox · Perch</title>" in page.text


def test_who_waits_stands_before_who_has_a_person(
    operator: FlaskClient, store: ConversationStore
) -> None:
    taken = say(store, "session-2", content="Taken already")
    store.people.hand_over(ByOperator(taken, "Ada"), "take")
    say(store, content="Where is it?", page=Page("https://shop.example/cart", "Your cart"))
    ask_for_person(store)
    ask(store, "Hello?")

    html = operator.get(INBOX).text

    first, second = (text_of(row) for row in html.split('<li class="card row')[1:])
    for words in ("Hello?", "waiting", "1 new", "asked just now", "Your cart"):
        assert words in first
    assert "Taken already" in second
    assert "with a person" in second


def test_every_page_counts_who_is_not_answered(
    operator: FlaskClient, store: ConversationStore
) -> None:
    ask_for_person(store)
    ask_for_person(store, "session-2")
    answered = say(store, "session-3")
    store.people.say(ByOperator(answered, "Ada"), "Hi", key="1")

    html = operator.get("/dashboard/conversations").text

    assert "<title>(2) Conversations · Perch</title>" in html
    assert 'data-waiting="2"' in html
    link = operator.get("/dashboard/inbox/count?poll=1&here=inbox", headers=PART).text
    assert 'data-waiting="2" aria-current="page"' in " ".join(link.split())


def test_parts_that_look_the_same_are_not_sent_again(
    operator: FlaskClient, store: ConversationStore
) -> None:
    ask_for_person(store)
    html = operator.get(INBOX).text
    polls = [each.replace("&amp;", "&") for each in re.findall(r'hx-get="([^"]+)"', html)]
    polls = [each for each in polls if "inbox" in each]

    assert [operator.get(each, headers=PART).status_code for each in polls] == [204, 204]
    ask(store, "Hello?")
    ask_for_person(store, "session-2")
    assert [operator.get(each, headers=PART).status_code for each in polls] == [200, 200]


def test_inbox_is_hidden_where_nobody_answers(
    make_app: "MakeApp", store: ConversationStore
) -> None:
    app = make_app(DASHBOARD_PASSWORD=PASSWORD, SECRET_KEY=SECRETS[0], HUMAN="off")
    operator = app.test_client()
    sign_in(operator)
    conversation_id = say(store)

    html = operator.get(thread_of(conversation_id)).text

    assert "Inbox" not in html
    assert "Take over" not in html
    assert 'id="reply"' not in html


def test_thread_tells_what_happened_and_who_spoke(
    operator: FlaskClient, store: ConversationStore
) -> None:
    conversation_id = say(store)
    ask_for_person(store)
    by = ByOperator(conversation_id, "Ada <b>")
    store.people.say(by, "Here I am.", key="1")
    store.people.set_contact(SESSION, Contact("vera@site.test", "Vera"))
    store.people.hand_over(by, "release")

    html = operator.get(thread_of(conversation_id)).text
    told = text_of(html)

    for words in (
        "The visitor asked for a person", "Ada &lt;b&gt; took over", "The visitor left an address",
        "Ada &lt;b&gt; gave back to the assistant", "Here I am.", "vera@site.test",
    ):  # fmt: skip
        assert words in told, words
    assert 'href="mailto:vera@site.test"' in html


@pytest.mark.parametrize(
    ("steps", "offered"),
    [
        ([], ["Take over"]),
        (["ask"], ["Take over", "Give back", "Close"]),
        (["take"], ["Give back", "Close"]),
    ],
)
def test_thread_offers_what_can_be_done(
    operator: FlaskClient, store: ConversationStore, steps: list[str], offered: list[str]
) -> None:
    conversation_id = say(store)
    if "ask" in steps:
        ask_for_person(store)
    if "take" in steps:
        store.people.hand_over(ByOperator(conversation_id, "Ada"), "take")

    html = operator.get(thread_of(conversation_id)).text

    assert re.findall(r'<button class="quiet" formaction="[^"]+"[^>]*>([^<]+)', html) == offered


def test_operator_takes_over_answers_gives_back_and_closes(
    operator: FlaskClient, store: ConversationStore
) -> None:
    conversation_id = say(store)

    send(operator, conversation_id, "take")
    send(operator, conversation_id, "reply", text="Hello.\r\nHow can I help?", key="1")
    send(operator, conversation_id, "reply", text="Hello.\r\nHow can I help?", key="1")
    send(operator, conversation_id, "release")
    send(operator, conversation_id, "take")
    send(operator, conversation_id, "close")

    assert shown(store, conversation_id)[2:] == [
        ("system", "taken"), ("operator", "Hello.\nHow can I help?"), ("system", "released"),
        ("system", "taken"), ("system", "closed"),
    ]  # fmt: skip


def test_script_gets_the_thread_in_place_of_the_page(
    operator: FlaskClient, store: ConversationStore
) -> None:
    conversation_id = say(store)

    part = send(operator, conversation_id, "reply", is_part=True, text="At once.", key="1")

    assert part.lstrip().startswith('<section id="messages"')
    assert "At once." in part
    assert "<html" not in part


def test_form_without_its_token_says_nothing(
    operator: FlaskClient, store: ConversationStore
) -> None:
    conversation_id = say(store)

    answer = operator.post(f"{thread_of(conversation_id)}/reply", data={"text": "Hi"})

    assert answer.status_code == 403
    assert len(shown(store, conversation_id)) == 2


def test_blank_reply_is_refused_and_the_conversation_stays_the_assistants(
    operator: FlaskClient, store: ConversationStore
) -> None:
    conversation_id = say(store)
    token = form_token(operator.get(thread_of(conversation_id)))

    answer = operator.post(
        f"{thread_of(conversation_id)}/reply", data={"token": token, "text": " \r\n"}
    )

    assert answer.status_code == 400
    assert store.read_thread(conversation_id).conversation.state == "bot"


def test_longest_reply_fits_into_its_form(operator: FlaskClient, store: ConversationStore) -> None:
    conversation_id = say(store)
    token = form_token(operator.get(thread_of(conversation_id)))

    answer = operator.post(
        f"{thread_of(conversation_id)}/reply",
        data={"token": token, "text": "\N{GRINNING FACE}" * 20_000},
        content_type="multipart/form-data",
    )

    assert answer.status_code == 303


def test_conversation_is_read_when_somebody_looks(
    operator: FlaskClient, store: ConversationStore
) -> None:
    conversation_id = ask_for_person(store)
    page = thread_of(conversation_id)

    def unread() -> int:
        return store.read_thread(conversation_id).conversation.unread

    ask(store, "One")
    operator.get(f"{page}?poll=1&seen=false", headers=PART)
    assert unread() == 1
    operator.get(f"{page}?poll=1&seen=true", headers=PART)
    assert unread() == 0
    ask(store, "Two", "turn-0010")
    operator.get(page)
    assert unread() == 0


def test_reply_becomes_the_owners_answer(operator: FlaskClient, store: ConversationStore) -> None:
    conversation_id = say(store)
    ask_for_person(store)
    ask(store, "Do you ship to Norway?")
    store.people.say(ByOperator(conversation_id, "Ada"), "Yes, in five days.", key="1")
    html = operator.get(thread_of(conversation_id)).text
    link = re.search(r'href="([^"]+)">Add to knowledge', html)
    assert link is not None

    form = operator.get(link[1].replace("&amp;", "&")).text

    assert "Do you ship to Norway?</textarea>" in form
    assert "Yes, in five days.</textarea>" in form


def test_unknown_message_becomes_nothing(operator: FlaskClient, store: ConversationStore) -> None:
    conversation_id = say(store)

    page = operator.get(f"/dashboard/answers/edit?conversation={conversation_id}&message=none")

    assert page.status_code == 404


def test_deliveries_tell_that_nobody_outside_is_told(
    operator: FlaskClient, store: ConversationStore
) -> None:
    ask_for_person(store)

    told = text_of(operator.get(DELIVERIES).text)

    assert "Nobody outside of this dashboard." in told
    assert "conversation.waiting kept here just now" in told


def test_deliveries_tell_what_failed_and_try_a_test(
    make_app: "MakeApp", store: ConversationStore
) -> None:
    app = make_app(
        DASHBOARD_PASSWORD=PASSWORD,
        SECRET_KEY=SECRETS[0],
        # A private address, which nobody is posted to unless it is listed.
        NOTIFY_CHAT_URL="http://127.0.0.1:9/hook",
    )
    operator = app.test_client()
    sign_in(operator)
    ask_for_person(store)
    (notice,) = store.people.claim_notices("me", lease_s=60, limit=10)
    failed = notice._replace(
        pending=["chat"], attempts=3, problem="chat answered 500", is_given_up=True
    )
    store.people.settle_notice("me", failed, retry_in_s=None)
    page = operator.get(DELIVERIES)

    tested = operator.post(f"{DELIVERIES}/test", data={"token": form_token(page)})

    for words in ("given up", "3 in vain", "chat answered 500", "your chat"):
        assert words in text_of(page.text), words
    assert "Your chat: " in text_of(tested.text)
    assert "took it" not in text_of(tested.text)


def test_operator_reads_the_thread_of_an_assistant_that_is_gone(
    operator: FlaskClient, store: ConversationStore
) -> None:
    conversation_id = say(store, assistant="gone", answer=an_answer())

    assert operator.get(thread_of(conversation_id)).status_code == 200


def test_nothing_runs_that_visitors_and_operators_wrote(
    operator: FlaskClient, store: ConversationStore
) -> None:
    bad = '"><script>alert(1)</script><img src=x onerror=alert(1)>[a](javascript:alert(1))'
    conversation_id = ask_for_person(store)
    page = Page(f"javascript:alert(1)//{bad}", bad)
    asked = a_question(turn_id="turn-0009", content=bad, page=page)
    store.begin_turn(asked, history_limit=1, lease_s=60)
    store.people.set_contact(SESSION, Contact('"onfocus=alert(1)//@b.c', bad[:80]))
    store.people.say(ByOperator(conversation_id, bad[:80]), bad, key="key-1")
    store.set_user(SESSION, bad)

    for address in (thread_of(conversation_id), INBOX, DELIVERIES, "/dashboard/conversations"):
        for node in LexborHTMLParser(operator.get(address).text).css("*"):
            assert not [name for name in node.attributes if name.startswith("on")], node.html
            assert (node.tag, node.attributes.get("src")) != ("img", "x")
            assert not (node.attributes.get("href") or "").startswith("javascript:"), node.html
            assert not (node.tag == "script" and "alert" in node.text())
