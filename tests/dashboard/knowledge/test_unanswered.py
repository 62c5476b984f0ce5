"""What was asked in vain, in the dashboard."""

from typing import TYPE_CHECKING

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.storage.protocol import ConversationStore
from tests.dashboard.door import PASSWORD, SECRETS, form_token, text_of
from tests.knowledge_parts import FixedKnowledge, ask_in_vain, let_know

if TYPE_CHECKING:
    from tests.conftest import MakeApp

HERE = "/dashboard/unanswered"


@pytest.fixture
def app(make_app: "MakeApp") -> Flask:
    app = make_app(DASHBOARD_PASSWORD=PASSWORD, SECRET_KEY=SECRETS[0])
    let_know(app, FixedKnowledge())
    return app


def test_questions_stand_grouped_with_the_nearest_passages(
    store: ConversationStore, operator: FlaskClient
) -> None:
    ask_in_vain(store, "Ship to <Japan>?")
    ask_in_vain(store, "ship to japan", "not_cited")

    html = operator.get(HERE).text

    text = text_of(html)
    assert "1 question, asked 2 times" in text
    assert "nothing found" in text
    assert "pages found, none cited" in text
    assert "1 nearest passage" in text
    assert "You have 30 days." in text
    assert "<Japan>" not in html


def test_answer_and_page_begin_with_the_question(
    store: ConversationStore, operator: FlaskClient
) -> None:
    ask_in_vain(store, "Ship to Japan?")

    html = operator.get(HERE).text

    assert "/dashboard/answers/edit?question=Ship+to+Japan" in html
    assert "/dashboard/knowledge/text?title=Ship+to+Japan" in html


def test_dismissed_question_is_off_the_list(
    store: ConversationStore, operator: FlaskClient
) -> None:
    ask_in_vain(store, "Ship to Japan?")
    page = operator.get(HERE)
    group = page.text.partition('name="id" value="')[2].partition('"')[0]

    done = operator.post(
        f"{HERE}/dismiss", data={"token": form_token(page), "id": group}, follow_redirects=True
    )

    assert "The question is off the list." in done.text
    assert "No question is unanswered." in done.text


def test_list_is_read_by_pages(store: ConversationStore, operator: FlaskClient) -> None:
    for number in range(21):
        ask_in_vain(store, f"Question {number}?")

    first, second = operator.get(HERE).text, operator.get(f"{HERE}?begin=20").text

    assert first.count("Dismiss") == 20
    assert second.count("Dismiss") == 1
    assert operator.get(f"{HERE}?begin=x").status_code == 200


def test_table_is_a_download(store: ConversationStore, operator: FlaskClient) -> None:
    ask_in_vain(store, "Ship to Japan?")

    table = operator.get(f"{HERE}/export?sep=semicolon")

    assert table.mimetype == "text/csv"
    assert "unanswered-" in table.headers["Content-Disposition"]
    assert '"Ship to Japan?";"1"' in table.text
