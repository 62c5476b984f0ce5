"""The documents that an assistant knows, and how more of them are learnt."""

import io
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.operations.knowledge.learning import MAX_FILE_BYTES
from app.storage.protocol import ConversationStore
from tests.dashboard.door import PASSWORD, SECRETS, form_token, text_of
from tests.knowledge_parts import (
    ASSISTANT,
    PAGE,
    FixedKnowledge,
    Spawned,
    a_document,
    cite,
    let_know,
    put,
)

if TYPE_CHECKING:
    from tests.conftest import MakeApp

HERE = "/dashboard/knowledge"
PART = {"HX-Request": "true"}


@pytest.fixture
def spawned() -> Spawned:
    return Spawned()


@pytest.fixture
def app(make_app: "MakeApp", tmp_path: Path, spawned: Spawned) -> Flask:
    app = make_app(
        DASHBOARD_PASSWORD=PASSWORD,
        SECRET_KEY=SECRETS[0],
        SITE_URL="https://shop.example/",
        KNOWLEDGE_PATH=str(tmp_path / "knowledge"),
    )
    let_know(app, FixedKnowledge(), spawned)
    return app


@pytest.fixture
def token(operator: FlaskClient) -> str:
    return form_token(operator.get(HERE))


def report(store: ConversationStore, **fields: object) -> None:
    told = {
        "state": "learning",
        "updatedAt": time.time_ns() // 1_000_000,
        "done": 9,
        "total": 40,
        "counts": {"learned": 7, "skipped": 2},
        "current": "https://shop.example/<next>",
        "entries": [{"url": "https://shop.example/tag", "state": "skipped", "reason": "noindex"}],
        **fields,
    }
    store.documents.put_report(ASSISTANT, json.dumps(told))


def test_nothing_known_leads_to_the_forms(operator: FlaskClient) -> None:
    html = operator.get(HERE).text

    assert "Nothing is known yet" in html
    assert 'value="https://shop.example"' in html
    assert '<details class="card more" open>' in html


def test_document_stands_with_its_state_and_how_often_it_was_cited(
    store: ConversationStore, operator: FlaskClient
) -> None:
    put(store, a_document(problem="it answered 500", is_pinned=True))
    for number in range(2):
        cite(store, PAGE, number)

    text = text_of(operator.get(HERE).text)

    assert "Stale: it answered 500. What is told is the last good copy." in text
    assert "stale pinned cited 2 times in 30 days" in text


def test_document_is_shown_as_it_was_read(store: ConversationStore, operator: FlaskClient) -> None:
    put(store, a_document(title="<b>Returns</b>"))

    html = operator.get(f"{HERE}/document", query_string={"key": PAGE}).text

    assert "&lt;b&gt;Returns&lt;/b&gt;" in html
    assert "You have 30 days." in html
    assert 'rel="noopener noreferrer nofollow"' in html


def test_address_that_is_not_of_the_web_is_no_link(
    store: ConversationStore, operator: FlaskClient
) -> None:
    put(store, a_document(key="file:x", url="javascript:alert(1)"))

    html = operator.get(f"{HERE}/document", query_string={"key": "file:x"}).text

    assert 'href="javascript' not in html


def test_forgetting_asks_first(store: ConversationStore, operator: FlaskClient, token: str) -> None:
    put(store, a_document())

    question = operator.get(f"{HERE}/forget", query_string={"key": PAGE}).text
    assert store.documents.read_document(ASSISTANT, PAGE) is not None
    done = operator.post(
        f"{HERE}/forget", data={"token": token, "key": PAGE}, follow_redirects=True
    )

    assert "Forget this document?" in question
    assert "The document is forgotten." in done.text
    assert store.documents.read_document(ASSISTANT, PAGE) is None


def test_pin_is_set_and_taken_off(
    store: ConversationStore, operator: FlaskClient, token: str
) -> None:
    put(store, a_document())

    for to, is_pinned in (("pinned", True), ("unpinned", False)):
        data = {"token": token, "key": PAGE, "to": to}
        assert operator.post(f"{HERE}/pin", data=data).status_code == 303

        document = store.documents.read_document(ASSISTANT, PAGE)
        assert document is not None
        assert document.is_pinned is is_pinned


def test_text_is_written_and_edited(
    store: ConversationStore, operator: FlaskClient, token: str
) -> None:
    data = {"token": token, "title": "Hours", "text": "# Week\nNine to five.\n" + "あ" * 90_000}
    written = operator.post(f"{HERE}/text", data=data, content_type="multipart/form-data")
    (known,) = store.documents.list_documents(ASSISTANT, limit=5).documents
    form = operator.get(f"{HERE}/text", query_string={"key": known.key}).text

    assert written.status_code == 303
    assert "# Week\nNine to five." in form
    assert f'name="key" value="{known.key}"' in form


def test_refused_text_is_not_lost(operator: FlaskClient, token: str) -> None:
    data = {"token": token, "title": " ", "text": "A long evening's work.", "url": "nowhere"}

    refused = operator.post(f"{HERE}/text", data=data, content_type="multipart/form-data")

    assert refused.status_code == 400
    assert "The title is missing." in refused.text
    assert "A long evening&#39;s work." in refused.text


def test_form_without_its_token_changes_nothing(
    store: ConversationStore, operator: FlaskClient, spawned: Spawned
) -> None:
    put(store, a_document())

    for path in ("learning", "file", "pin", "forget", "text"):
        data = {"key": PAGE, "order": "again", "to": "pinned", "title": "A", "text": "B"}
        assert operator.post(f"{HERE}/{path}", data=data).status_code == 403

    assert spawned.words == []
    assert store.documents.read_document(ASSISTANT, PAGE) is not None


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ("site", ["https://shop.example/"]),
        ("sitemap", ["--sitemap", "https://shop.example/"]),
        ("again", ["--refresh"]),
    ],
)
def test_learner_is_started(
    operator: FlaskClient, token: str, spawned: Spawned, order: str, words: list[str]
) -> None:
    data = {"token": token, "order": order, "url": "https://shop.example/"}

    page = operator.post(f"{HERE}/learning", data=data, follow_redirects=True)

    assert spawned.words == [["learn", *words, "--assistant", ASSISTANT]]
    assert "The learner is started" in page.text


def test_parts_of_a_site_are_learnt(operator: FlaskClient, token: str, spawned: Spawned) -> None:
    data = {
        "token": token, "order": "site", "url": "https://shop.example/",
        "only": "/docs/* /help/*", "excluded": "/docs/old/*",
    }  # fmt: skip

    operator.post(f"{HERE}/learning", data=data)

    assert spawned.words[0][1:8] == [
        "https://shop.example/", "--only", "/docs/*", "--only", "/help/*", "--not", "/docs/old/*",
    ]  # fmt: skip


def test_learner_is_asked_to_stop(
    store: ConversationStore, operator: FlaskClient, token: str
) -> None:
    operator.post(f"{HERE}/learning", data={"token": token, "order": "cancel"})

    assert store.documents.put_report(ASSISTANT, "{}") is False


def test_file_is_handed_to_the_learner(operator: FlaskClient, token: str, spawned: Spawned) -> None:
    content = b"%PDF" * 100_000
    data = {"token": token, "file": (io.BytesIO(content), "Handbook.pdf")}

    response = operator.post(f"{HERE}/file", data=data, content_type="multipart/form-data")

    assert response.status_code == 303
    assert spawned.files == {"Handbook.pdf": content}


@pytest.mark.parametrize(
    ("name", "length", "status"),
    [("", "", 400), ("a.exe", "", 400), ("a.pdf", str(2 * MAX_FILE_BYTES), 413)],
)
def test_file_that_cannot_be_learnt_is_refused_in_words(
    operator: FlaskClient, token: str, spawned: Spawned, name: str, length: str, status: int
) -> None:
    data = {"token": token, "file": (io.BytesIO(b"x"), name)}

    response = operator.post(
        f"{HERE}/file",
        data=data,
        content_type="multipart/form-data",
        environ_overrides={"CONTENT_LENGTH": length} if length else {},
    )

    assert response.status_code == status
    assert spawned.words == []


def test_progress_is_drawn_with_counts_and_the_current_address(
    store: ConversationStore, operator: FlaskClient
) -> None:
    report(store)

    html = operator.get(HERE).text

    assert "<progress" in html
    assert "9 of 40 looked at · 7 learned · 2 skipped" in text_of(html)
    assert "https://shop.example/&lt;next&gt;" in html
    assert 'hx-trigger="every 2s"' in html
    assert 'value="40"' not in html
    assert 'max="40" value="9"' in html
    assert 'value="cancel"' in html


def test_part_that_looks_for_news_is_drawn_only_where_there_is_some(
    store: ConversationStore, operator: FlaskClient
) -> None:
    report(store)
    shown = operator.get(f"{HERE}/learning", headers=PART).text
    version = shown.partition("version=")[2].partition('"')[0].partition("&")[0]

    same = operator.get(f"{HERE}/learning?poll=1&version={version}", headers=PART)
    report(store, counts={"learned": 8})
    news = operator.get(f"{HERE}/learning?poll=1&version={version}", headers=PART)

    assert same.status_code == 204
    assert "8 learned" in text_of(news.text)
    assert "<html" not in news.text


def test_ended_report_offers_to_look_again(store: ConversationStore, operator: FlaskClient) -> None:
    report(store, state="done", current=None)

    html = operator.get(HERE).text

    assert "Learnt <time" in html
    assert "skipped: noindex" in html
    assert 'value="again"' in html
    assert "<progress" not in html.partition('id="learning"')[2].partition("</section>")[0]


def test_page_runs_no_script_of_its_own(operator: FlaskClient) -> None:
    for path in (HERE, f"{HERE}/test", "/dashboard/unanswered", "/dashboard/answers"):
        page = operator.get(path)

        assert page.status_code == 200
        assert "script-src 'self'" in page.headers["Content-Security-Policy"]
        assert "<script>" not in page.text
        assert " style=" not in page.text
        assert " onclick=" not in page.text
