"""What scripts do with an assistant's knowledge."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.operations.knowledge.learning import MAX_FILE_BYTES
from app.storage.protocol import ConversationStore
from tests.data import ADMIN_KEY
from tests.knowledge_parts import (
    ASSISTANT,
    PAGE,
    FixedKnowledge,
    Spawned,
    a_document,
    ask_in_vain,
    let_know,
    put,
)

if TYPE_CHECKING:
    from tests.conftest import MakeApp

KEY = {"x-admin-api-key": ADMIN_KEY}
BASE = "/v1/admin/knowledge"


@pytest.fixture
def spawned() -> Spawned:
    return Spawned()


@pytest.fixture
def knowledge() -> FixedKnowledge:
    return FixedKnowledge()


@pytest.fixture
def app(make_app: "MakeApp", tmp_path: Path, spawned: Spawned, knowledge: FixedKnowledge) -> Flask:
    app = make_app(KNOWLEDGE_PATH=str(tmp_path / "knowledge"))
    let_know(app, knowledge, spawned)
    return app


@pytest.fixture
def scripts(app: Flask) -> FlaskClient:
    return app.test_client()


def get(scripts: FlaskClient, path: str, **query: str) -> Any:
    response = scripts.get(f"{BASE}{path}", headers=KEY, query_string=query)
    assert response.status_code == 200, response.text
    return response.json


def test_every_change_is_in_an_index_before_anybody_asks(
    store: ConversationStore, scripts: FlaskClient, knowledge: FixedKnowledge
) -> None:
    put(store, a_document())
    changes: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", "/corrections", {"json": {"question": "Open?", "answer": "Always."}}),
        ("POST", "/texts", {"json": {"title": "Hours", "text": "Always."}}),
        ("POST", "/pin", {"json": {"key": PAGE, "pinned": True}}),
        ("DELETE", "/document", {"query_string": {"key": PAGE}}),
    ]

    for count, (method, path, given) in enumerate(changes, 1):
        answer = scripts.open(f"{BASE}{path}", method=method, headers=KEY, **given)
        assert answer.status_code < 300, answer.text
        assert knowledge.builds == count


def test_documents_are_listed_with_their_state(
    store: ConversationStore, scripts: FlaskClient
) -> None:
    put(store, a_document(problem="it answered 500", is_pinned=True))

    (listed,) = get(scripts, "/documents")["documents"]

    assert listed.pop("changedAt") > 0
    assert listed == {
        "key": PAGE,
        "kind": "page",
        "title": "Returns",
        "state": "stale",
        "problem": "it answered 500",
        "pinned": True,
        "url": PAGE,
        "language": "en",
        "learntAt": 1_700_000_000_000,
    }


def test_document_is_read_pinned_and_forgotten_by_its_key(
    store: ConversationStore, scripts: FlaskClient
) -> None:
    put(store, a_document())

    pinned = scripts.post(f"{BASE}/pin", json={"key": PAGE, "pinned": True}, headers=KEY).json
    read = get(scripts, "/document", key=PAGE)
    gone = scripts.delete(f"{BASE}/document", query_string={"key": PAGE}, headers=KEY)
    again = scripts.delete(f"{BASE}/document", query_string={"key": PAGE}, headers=KEY)

    assert pinned["pinned"]
    assert read["sections"] == [{"heading": "How long", "text": "You have 30 days."}]
    assert gone.json == {"deleted": 1}
    assert (again.status_code, again.json["error"]) == (404, "There is no such document")


def test_text_is_put_under_its_id(scripts: FlaskClient) -> None:
    text = {"id": "hours", "title": "Hours", "text": "Nine to five.", "url": "https://a.example/"}

    put_ = scripts.post(f"{BASE}/texts", json=text, headers=KEY)

    assert put_.json["key"] == "text:hours"
    assert get(scripts, "/document", key="text:hours")["sections"][0]["text"] == "Nine to five."


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ({"url": "https://a.example/"}, ["https://a.example/"]),
        (
            {"url": "https://a.example/", "only": ["/docs/*"], "not": ["/docs/old/*"]},
            ["https://a.example/", "--only", "/docs/*", "--not", "/docs/old/*"],
        ),
        ({"sitemap": "https://a.example/s.xml"}, ["--sitemap", "https://a.example/s.xml"]),
        ({"refresh": True}, ["--refresh"]),
    ],
)
def test_learner_is_started(
    scripts: FlaskClient, spawned: Spawned, order: dict[str, object], words: list[str]
) -> None:
    response = scripts.post(f"{BASE}/learn", json=order, headers=KEY)

    assert (response.status_code, response.json) == (202, {"started": True})
    assert spawned.words == [["learn", *words, "--assistant", ASSISTANT]]


@pytest.mark.parametrize(
    "order",
    [{}, {"refresh": False}, {"url": "https://a.example/", "refresh": True}, {"url": "a.example"}],
)
def test_order_that_is_not_one_is_refused(
    scripts: FlaskClient, spawned: Spawned, order: dict[str, object]
) -> None:
    response = scripts.post(f"{BASE}/learn", json=order, headers=KEY)

    assert (response.status_code, [*response.json["details"]]) == (400, ["url"])
    assert spawned.words == []


def test_learner_is_not_started_twice(store: ConversationStore, scripts: FlaskClient) -> None:
    report = {"state": "learning", "updatedAt": time.time_ns() // 1_000_000, "counts": {}}
    store.documents.put_report(ASSISTANT, json.dumps(report))

    response = scripts.post(f"{BASE}/learn", json={"refresh": True}, headers=KEY)

    assert (response.status_code, response.json["code"]) == (409, "conflict")
    assert get(scripts, "/report") == {"learning": True, "report": report}


def test_nothing_is_reported_before_anything_was_learnt(scripts: FlaskClient) -> None:
    assert get(scripts, "/report") == {"learning": False}


def test_learner_is_asked_to_stop(store: ConversationStore, scripts: FlaskClient) -> None:
    response = scripts.post(f"{BASE}/cancel", headers=KEY)

    assert response.status_code == 202
    assert store.documents.put_report(ASSISTANT, "{}") is False


def test_file_is_handed_to_the_learner(
    scripts: FlaskClient, spawned: Spawned, tmp_path: Path
) -> None:
    content = b"%PDF" * 100_000

    response = scripts.post(
        f"{BASE}/files", query_string={"name": "Handbook.pdf"}, data=content, headers=KEY
    )

    assert response.status_code == 202, response.text
    assert spawned.files == {"Handbook.pdf": content}


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [
        ("virus.exe", b"MZ", 400),
        ("empty.md", b"", 400),
        ("huge.pdf", b"x" * (MAX_FILE_BYTES + 1), 413),
    ],
)
def test_file_that_cannot_be_learnt_leaves_nothing_behind(
    scripts: FlaskClient,
    spawned: Spawned,
    tmp_path: Path,
    name: str,
    content: bytes,
    status: int,
) -> None:
    response = scripts.post(
        f"{BASE}/files",
        query_string={"name": name},
        data=content,
        headers=KEY,
        environ_overrides={"CONTENT_LENGTH": str(len(content))},
    )

    assert response.status_code == status
    assert spawned.words == []
    uploads = tmp_path / "knowledge" / "uploads"
    assert not uploads.exists() or list(uploads.iterdir()) == []


def test_correction_is_made_changed_and_deleted(scripts: FlaskClient) -> None:
    order = {"question": "What are your hours?", "answer": "Nine to five."}
    made = scripts.post(f"{BASE}/corrections", json=order, headers=KEY).json
    changed = scripts.post(
        f"{BASE}/corrections/{made['id']}", json={**order, "answer": "Ten to six."}, headers=KEY
    ).json
    read = get(scripts, f"/corrections/{made['id']}")
    listed = get(scripts, "/corrections")["corrections"]
    gone = scripts.delete(f"{BASE}/corrections/{made['id']}", headers=KEY)

    assert made["id"] == changed["id"]
    assert read["answer"] == "Ten to six."
    assert [each["question"] for each in listed] == ["What are your hours?"]
    assert gone.json == {"deleted": 1}
    assert get(scripts, "/corrections") == {"corrections": []}


def test_gaps_are_listed_written_as_a_table_and_dismissed(
    store: ConversationStore, scripts: FlaskClient
) -> None:
    for question in ("Ship to Japan?", "ship to japan", "Wrap gifts?"):
        ask_in_vain(store, question)

    first, second = get(scripts, "/gaps")["gaps"]
    table = scripts.get(f"{BASE}/gaps.csv?sep=semicolon", headers=KEY)
    dismissed = scripts.delete(f"{BASE}/gaps/{first['id']}", headers=KEY)

    assert (first["question"], first["count"]) == ("ship to japan", 2)
    assert first["reasons"] == {"nothing_found": 2}
    assert second["conversationId"]
    assert table.mimetype == "text/csv"
    assert '"Wrap gifts?";"1"' in table.text
    assert dismissed.json == {"deleted": 2}
    assert [each["question"] for each in get(scripts, "/gaps")["gaps"]] == ["Wrap gifts?"]


def test_question_is_tried_as_the_chat_would_look_for_it(
    scripts: FlaskClient, knowledge: FixedKnowledge
) -> None:
    order = {"question": "May I send it back?", "pageUrl": "https://shop.example/"}

    trial = scripts.post(f"{BASE}/ask", json=order, headers=KEY).json

    assert knowledge.asked[0].page_url == "https://shop.example/"
    assert (trial["verdict"], trial["words"]) == ("passages", "Would answer from these")
    assert trial["passages"] == [
        {
            "key": PAGE,
            "title": "Returns",
            "heading": "How long",
            "url": PAGE,
            "text": "You have 30 days.",
            "tokens": 12,
            "score": 3.5,
            "terms": ["return"],
            "isCorrection": False,
        }
    ]
    assert trial["coverage"] == 0.75
    assert "May I send it back?" in trial["sent"]


def test_another_assistants_knowledge_is_not_touched(
    store: ConversationStore, scripts: FlaskClient
) -> None:
    put(store, a_document())

    unknown = scripts.get(f"{BASE}/documents?assistant=nobody", headers=KEY)

    assert (unknown.status_code, unknown.json["error"]) == (404, "There is no such assistant")


def test_without_the_admin_key_nothing_is_told(scripts: FlaskClient) -> None:
    for path in ("/documents", "/gaps", "/gaps.csv", "/corrections", "/report"):
        assert scripts.get(f"{BASE}{path}").status_code == 401
