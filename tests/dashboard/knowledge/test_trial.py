"""A question tried in the dashboard."""

from typing import TYPE_CHECKING

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.domain.knowledge import Found
from tests.dashboard.door import PASSWORD, SECRETS, text_of
from tests.knowledge_parts import FixedKnowledge, let_know

if TYPE_CHECKING:
    from tests.conftest import MakeApp

HERE = "/dashboard/knowledge/test"


@pytest.fixture
def knowledge() -> FixedKnowledge:
    return FixedKnowledge()


@pytest.fixture
def app(make_app: "MakeApp", knowledge: FixedKnowledge) -> Flask:
    app = make_app(DASHBOARD_PASSWORD=PASSWORD, SECRET_KEY=SECRETS[0])
    let_know(app, knowledge)
    return app


def test_nothing_is_looked_for_before_a_question_stands_there(
    operator: FlaskClient, knowledge: FixedKnowledge
) -> None:
    assert operator.get(HERE).status_code == 200
    assert knowledge.asked == []


def test_trial_shows_passages_what_would_be_sent_and_the_verdict(
    operator: FlaskClient, knowledge: FixedKnowledge
) -> None:
    query = {"question": "May I send <it> back?", "before": "Hi", "page": "https://shop.example/"}

    html = operator.get(HERE, query_string=query).text

    (asked,) = knowledge.asked
    assert (asked.question, asked.before) == ("May I send <it> back?", "Hi")
    assert asked.page_url == "https://shop.example/"
    text = text_of(html)
    assert "Would answer from these" in text
    assert "[1] Returns › How long" in text
    assert "score 3.50" in text
    assert "matched: return" in text
    assert "75 %" in text
    assert "May I send &lt;it&gt; back?" in html.partition("<pre")[2]


def test_owners_answer_is_shown_as_it_would_be_said(
    operator: FlaskClient, knowledge: FixedKnowledge
) -> None:
    knowledge.found = Found(owners_answer="Yes, *always*.")

    text = text_of(operator.get(HERE, query_string={"question": "Returns?"}).text)

    assert "The owner&#39;s answer, word for word" in text
    assert "Yes, *always*." in text


def test_small_talk_is_told_as_such(operator: FlaskClient, knowledge: FixedKnowledge) -> None:
    knowledge.found = Found(has_content=False)

    assert "small talk" in operator.get(HERE, query_string={"question": "Thanks!"}).text
