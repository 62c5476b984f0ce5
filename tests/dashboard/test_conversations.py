"""Conversations as the operator finds and reads them."""

import re
from typing import TYPE_CHECKING

import pytest
from flask.testing import FlaskClient

from app.domain.conversation import Feedback, Page, Usage
from app.domain.knowledge import Source
from app.storage.protocol import ConversationStore
from tests.dashboard.door import PASSWORD, SECRETS, sign_in, text_of
from tests.data import SESSION, a_failure, an_answer, say

if TYPE_CHECKING:
    from tests.conftest import MakeApp


def test_transcript_tells_all_that_is_known(
    operator: FlaskClient, store: ConversationStore
) -> None:
    conversation_id = say(
        store,
        page=Page("https://shop.example/cart", "Your cart"),
        answer=an_answer(
            content="Yes, **gladly**.", status="partial", model="gpt-4.1", latency_ms=2100,
            usage=Usage(1000, 500), first_token_ms=320, finish_reason="stopped",
        ),
    )  # fmt: skip
    thread = store.read_thread(conversation_id)
    store.rate_message(SESSION, thread.messages[1].id, Feedback("down", "Not helpful"))

    html = operator.get(f"/dashboard/conversations/{conversation_id}").text

    for words in (
        "What are your hours?", "<strong>gladly</strong>", "gpt-4.1", "first word after 320 ms",
        "whole after 2.1 s", "+ 500 tokens", "0.0060", "cut short", "disliked", "Not helpful",
        "ended: stopped", "Your cart", "https://shop.example/cart", SESSION,
    ):  # fmt: skip
        assert words in html, words


def test_answer_from_pages_links_to_their_hosts_and_the_visitors_alone(
    operator: FlaskClient, store: ConversationStore
) -> None:
    said = "[a](https://docs.example/x) [b](https://shop.example/y) [c](https://evil.example/z)"
    sources = [Source(1, "Docs", "https://docs.example/"), Source(2, "Price list")]
    page = Page("https://shop.example/cart", "Your cart")
    grounded = say(store, page=page, answer=an_answer(content=said, sources=sources))
    plain = say(store, "another", answer=an_answer(content=said))

    shown = [operator.get(f"/dashboard/conversations/{each}").text for each in (grounded, plain)]

    assert [
        [f'href="https://{host}.example/' in html for host in ("docs", "shop", "evil")]
        for html in shown
    ] == [[True, True, False], [True, True, True]]


def test_list_leads_with_the_question(operator: FlaskClient, store: ConversationStore) -> None:
    session_id = "ps_3f9a2c77b1d0e8a4c6f2910b7d5e3a18"
    say(store, session_id, content="Do you ship\nto Norway?", answer=an_answer(content="*Yes*!"))
    say(store, session_id, "turn-0002", content="How long?", answer=a_failure())
    thread = store.read_session(session_id, limit=10)
    assert thread is not None
    store.rate_message(session_id, thread.messages[1].id, Feedback("down"))

    html = operator.get("/dashboard/conversations").text

    row = text_of(html[html.index('<ol class="rows">') : html.index("</ol>")])
    assert row.startswith("How long?")
    for words in ("Visitor 3f9a2c", "3 messages", "disliked", "failed"):
        assert words in row
    assert session_id not in row
    assert f'title="Session {session_id}"' in html


def test_answer_stands_below_its_question(operator: FlaskClient, store: ConversationStore) -> None:
    say(store, content="Do you ship?", answer=an_answer(content="*Yes*, to `Norway`."))

    html = operator.get("/dashboard/conversations").text

    assert re.search(r"Do you ship\?</a>\s*<p[^>]*>Yes, to Norway\.</p>", html)


def test_search_shows_the_found_words_and_leads_to_them(
    operator: FlaskClient, store: ConversationStore
) -> None:
    conversation_id = say(store, content="Hi", answer=an_answer(content="Made of **Dyneema** <b>."))
    say(store, turn_id="turn-0002", content="Thanks")
    answer_id = store.read_thread(conversation_id).messages[1].id

    html = operator.get("/dashboard/conversations?q=dyneema+made").text
    found = re.search(r'href="(/dashboard/conversations/[^"]+#m-[^"]+)"', html)
    assert found is not None
    shown = operator.get(found[1].replace("&amp;", "&")).text

    assert "<mark>Made</mark> of <mark>Dyneema</mark> &lt;b&gt;." in html
    assert "1 fits" in html
    assert found[1].endswith(f"#m-{answer_id}")
    assert "<strong><mark>Dyneema</mark></strong>" in shown
    assert f'id="m-{answer_id}"' in shown


def test_search_for_words_that_stand_apart_says_that_it_wants_them_together(
    operator: FlaskClient, store: ConversationStore
) -> None:
    say(store, content="A refund?", answer=an_answer(content="The exact steps are these."))

    apart = operator.get('/dashboard/conversations?q="exact+steps"+refund').text
    together = operator.get('/dashboard/conversations?q="exact+steps"+these').text
    one = operator.get("/dashboard/conversations?q=zzzz").text

    assert "No message has all of these words." in apart
    assert "<mark>exact steps</mark>" in together
    assert "all of these words" not in one


@pytest.mark.parametrize("field", ["conversation_id", "session_id", "request_id"])
def test_conversation_is_found_by_each_of_its_ids(
    operator: FlaskClient, store: ConversationStore, field: str
) -> None:
    say(store, "another-session", "turn-0002")
    answer = an_answer(request_id="5f2c0a9d77e1b3c4")
    conversation_id = say(store, SESSION, content="Which one?", answer=answer)
    ids = {
        "conversation_id": conversation_id,
        "session_id": SESSION,
        "request_id": "5f2c0a9d77e1b3c4",
    }

    html = operator.get("/dashboard/conversations", query_string={"q": ids[field]}).text

    assert "1 fits" in html
    assert "Which one?" in html


def test_deletion_asks_by_the_visitors_question(
    operator: FlaskClient, store: ConversationStore
) -> None:
    conversation_id = say(store, content="Do you ship?", answer=an_answer(content="We do."))

    asked = operator.get(f"/dashboard/conversations/{conversation_id}/delete").text

    assert "Do you ship?" in asked


def test_match_of_a_long_conversation_is_on_the_page_that_it_leads_to(
    operator: FlaskClient, store: ConversationStore
) -> None:
    for number in range(70):
        say(store, turn_id=f"turn-{number:04}", content="needle" if number == 1 else "hay")

    html = operator.get("/dashboard/conversations?q=needle").text
    found = re.search(r'href="(/dashboard/conversations/[^"]+)#(m-[^"]+)"', html)
    assert found is not None

    assert f'id="{found[2]}"' in operator.get(found[1].replace("&amp;", "&")).text


def test_transcript_tells_why_a_turn_failed(
    operator: FlaskClient, store: ConversationStore
) -> None:
    failure = a_failure(error_code="model_misconfigured", request_id="5f2c0a9d77e1b3c4")
    conversation_id = say(store, answer=failure)

    text = text_of(operator.get(f"/dashboard/conversations/{conversation_id}").text)

    for words in ("refuses the key", "model_misconfigured", "5f2c0a9d77e1b3c4"):
        assert words in text


def test_costs_have_their_currency(make_app: "MakeApp", store: ConversationStore) -> None:
    client = make_app(
        DASHBOARD_PASSWORD=PASSWORD, SECRET_KEY=SECRETS[0], MODEL_PRICES="EUR gpt-4.1=2/8"
    ).test_client()
    sign_in(client)
    conversation_id = say(store, answer=an_answer(model="gpt-4.1", usage=Usage(1000, 500)))

    overview = text_of(client.get("/dashboard/").text)
    transcript = client.get(f"/dashboard/conversations/{conversation_id}").text

    assert "0.0060 EUR a conversation" in overview
    assert "<dt>Cost</dt><dd>0.0060\N{NARROW NO-BREAK SPACE}EUR</dd>" in transcript


def test_wrong_filter_is_told_on_the_page(operator: FlaskClient) -> None:
    response = operator.get("/dashboard/conversations?from=soon")

    assert response.status_code == 200
    assert "from: Not a time" in response.text
