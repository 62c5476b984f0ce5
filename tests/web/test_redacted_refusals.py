"""A provider that quotes the question or the key: neither the log nor a page has them."""

import html
import json
import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from app.factory import create_app
from tests.compiled_rules import keep_compiled_rules
from tests.data import WIDGET_KEY, some_settings
from tests.servers.perch import NO_LIMITS
from tests.servers.upstream import Upstream

KEY = "sk-of-the-owner-0123456789-abcdef"
HEADER = "a-secret-of-the-owners-gateway"
PASSWORD = "open sesame 123"
STRETCH = 12

QUOTINGS: list[Callable[[str], str]] = [str, str.upper, json.dumps, ascii, html.escape, quote]
Shape = Callable[[str], dict[str, Any]]


def in_json(told: Any) -> dict[str, Any]:
    return {"body": json.dumps(told), "headers": {"Content-Type": "application/json"}}


def in_stream(*events: str) -> dict[str, Any]:
    return {"status": 200, "body": "".join(f"{each}\n\n" for each in events)}


def page(text: str) -> str:
    return f"<!doctype html><html><title>{text}</title><body>{text}</body></html>"


HALF = 'data: {"choices":[{"index":0,"delta":{"content":"Half"}}]}'
SHAPES: dict[str, Shape] = {
    "a message": lambda text: in_json({"error": {"message": f"Not allowed: {text}"}}),
    "every field": lambda text: in_json(
        {"error": dict.fromkeys(("message", "code", "type", "param", "status"), text)}
    ),
    "a validator": lambda text: in_json(
        {"detail": [{"loc": ["body", text], "msg": text, "input": text, "type": text}]}
    ),
    "a list": lambda text: in_json([{"error": {"message": text, "details": [{"reason": text}]}}]),
    "errors": lambda text: in_json({"errors": [{"message": text}], "success": False}),
    "JSON in JSON": lambda text: in_json(
        {"error": {"metadata": {"raw": json.dumps({"error": {"message": text}})}}}
    ),
    "a page": lambda text: {"body": page(text), "headers": {"Content-Type": "text/html"}},
    "a sentence": lambda text: {"body": text, "headers": {"Content-Type": "text/plain"}},
    "a page as 200": lambda text: {
        "status": 200,
        "body": page(text),
        "headers": {"Content-Type": "text/html"},
    },
    "a document as 200": lambda text: {**in_json({"error": text}), "status": 200},
    "an address": lambda text: {
        "status": 308,
        "body": "",
        "headers": {"Location": f"https://h.example/v1?said={quote(text)}"},
    },
    "an error of a stream": lambda text: in_stream(
        "data: " + json.dumps({"error": {"message": text, "code": 401, "param": text}})
    ),
    "an event of a stream": lambda text: in_stream(
        "event: error\ndata: " + json.dumps({"message": text, "type": text})
    ),
    "an error behind words": lambda text: in_stream(
        HALF, "data: " + json.dumps({"error": {"message": text, "code": "invalid_api_key"}})
    ),
    "an error of a choice": lambda text: in_stream(
        HALF,
        "data: " + json.dumps({"choices": [{"delta": {}, "error": {"message": text}}]}),
    ),
    "what is no JSON": lambda text: in_stream(HALF, f"data: {{{text}"),
}
WORDS = st.lists(
    st.text("abcdefghijklmnopqrstuvwxyzäöüéñß", min_size=3, max_size=10), min_size=4, max_size=9
).map(" ".join)


class Listener(logging.Handler):
    """Keeps what the standard library's loggers are told."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def client(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    """A client of a server over the upstream, signed in at the dashboard."""
    directory: Path = tmp_path_factory.mktemp("redacted")
    keep_compiled_rules()
    variables = {
        "SQLITE_PATH": str(directory / "chat.db"),
        "SPOOL_PATH": str(directory / "spool"),
        "WIDGET_API_KEY": WIDGET_KEY,
        "DASHBOARD_PASSWORD": PASSWORD,
        "OPENAI_API_KEY": KEY,
        "OPENAI_EXTRA_HEADERS": json.dumps({"x-gateway-key": HEADER}),
        "OPENAI_BASE_URL": upstream.url,
        "OPENAI_MODEL": "m-1",
        "RATE_LIMIT_MAX_REQUESTS": "1000000",
        **NO_LIMITS,
    }
    client = create_app(some_settings(**variables)).test_client()
    token = re.search(r'name="token" value="(\w+)"', client.get("/dashboard/login").text)
    assert token is not None
    form = {"password": PASSWORD, "token": token[1]}
    assert client.post("/dashboard/login", data=form).status_code == 303
    return client


def plain(text: str) -> str:
    """Return letters and digits in one case, a blank for whatever stands between them."""
    return re.sub(r"[\W_]+", " ", text.casefold())


def stretches(text: str) -> Iterator[str]:
    bare = plain(text).strip()
    return (bare[at : at + STRETCH] for at in range(len(bare) - STRETCH + 1))


@settings(max_examples=150)
@given(
    question=WORDS,
    shape=st.sampled_from(sorted(SHAPES)),
    quoting=st.sampled_from(QUOTINGS),
    status=st.sampled_from([400, 401, 403, 404, 422, 429]),
    path=st.sampled_from(["/v1/chat", "/v1/chat/stream"]),
)
def test_nothing_of_a_question_or_a_key_is_told(
    upstream: Upstream,
    client: FlaskClient,
    question: str,
    shape: str,
    quoting: Callable[[str], str],
    status: int,
    path: str,
) -> None:
    quoted = f"{quoting(question)} with Bearer {quoting(KEY)} and {quoting(HEADER)}"
    upstream.script(**{"status": status, **SHAPES[shape](quoted)})
    listener = Listener()
    logging.getLogger().addHandler(listener)
    body = {"sessionId": f"s-{abs(hash(question))}", "message": question}
    try:
        with capture_logs() as lines:
            answer = client.post(path, json=body, headers={"x-api-key": WIDGET_KEY}, buffered=True)
    finally:
        logging.getLogger().removeHandler(listener)
    strip = re.search(r'<div class="strip".*?</div>', client.get("/dashboard/").text, re.DOTALL)

    assert "error" in answer.text
    assert strip is not None
    told = plain(
        " ".join([*map(str, lines), *listener.lines, html.unescape(strip[0]), answer.text])
        + client.get("/ready").text
    )
    for secret in (question, KEY, HEADER):
        assert not [each for each in stretches(secret) if each in told]
