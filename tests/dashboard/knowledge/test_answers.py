"""The owner's own answers, in the dashboard."""

from typing import TYPE_CHECKING

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.storage.protocol import ConversationStore
from tests.dashboard.door import PASSWORD, SECRETS, form_token
from tests.knowledge_parts import ASSISTANT, ask_in_vain

if TYPE_CHECKING:
    from tests.conftest import MakeApp

HERE = "/dashboard/answers"


@pytest.fixture
def app(make_app: "MakeApp") -> Flask:
    return make_app(DASHBOARD_PASSWORD=PASSWORD, SECRET_KEY=SECRETS[0])


def save(operator: FlaskClient, **fields: str) -> str:
    token = form_token(operator.get(f"{HERE}/edit"))
    data = {"token": token, "question": "Hours?", "answer": "Nine to five.", **fields}
    return operator.post(
        HERE, data=data, content_type="multipart/form-data", follow_redirects=True
    ).text


def test_unanswered_question_is_answered_with_it_filled_in(
    store: ConversationStore, operator: FlaskClient
) -> None:
    ask_in_vain(store, "Ship to Japan?")

    form = operator.get(f"{HERE}/edit", query_string={"question": "Ship to Japan?"}).text
    done = save(operator, question="Ship to Japan?", answer="Yes, <b>within</b> a week.")

    assert "Ship to Japan?</textarea>" in form
    assert "answered with your words" in done
    assert "Yes, &lt;b&gt;within&lt;/b&gt; a week." in done
    assert store.documents.list_gaps(ASSISTANT, limit=5) == ()


def test_answer_is_changed_in_place(operator: FlaskClient) -> None:
    page = save(operator)
    answer_id = page.partition("/dashboard/answers/edit?id=")[2].partition('"')[0]

    form = operator.get(f"{HERE}/edit", query_string={"id": answer_id}).text
    page = save(operator, id=answer_id, question="When do you open?")

    assert "Nine to five.</textarea>" in form
    assert "When do you open?" in page
    assert "Hours?" not in page


def test_refused_answer_is_not_lost(operator: FlaskClient) -> None:
    page = save(operator, question="??", answer="A careful answer.")

    assert "The question has no words." in page
    assert "A careful answer.</textarea>" in page


def test_deleting_asks_first(operator: FlaskClient) -> None:
    answer_id = save(operator).partition("/dashboard/answers/edit?id=")[2].partition('"')[0]

    question = operator.get(f"{HERE}/delete", query_string={"id": answer_id})
    done = operator.post(
        f"{HERE}/delete",
        data={"token": form_token(question), "id": answer_id},
        follow_redirects=True,
    )

    assert "Delete this answer?" in question.text
    assert "The answer is deleted." in done.text
    assert "You have answered no question yourself." in done.text


def test_answer_that_is_not_there_is_a_page_of_its_own(operator: FlaskClient) -> None:
    assert operator.get(f"{HERE}/edit?id=nothing").status_code == 404
