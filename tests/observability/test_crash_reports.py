"""Crashes told to Sentry: the place, and nothing that anybody said."""

import json
import logging
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
import sentry_sdk

from app.storage.protocol import ConversationStore
from tests.data import ADMIN_KEY, WIDGET_KEY
from tests.fakes import ScriptedModel, TroubledStore
from tests.servers.collector import Collector, running_collector

if TYPE_CHECKING:
    from tests.conftest import MakeApp

pytestmark = pytest.mark.slow  # Sentry takes a while to begin, and to end

SAID = "PLUM"
BODY = {"sessionId": "session-of-plum", "message": f"My secret is {SAID}"}


@pytest.fixture
def sentry() -> Iterator[Collector]:
    with running_collector() as collector:
        yield collector
        sentry_sdk.get_client().close(timeout=2)
        sentry_sdk.init()


@pytest.fixture
def store(store: ConversationStore) -> TroubledStore:
    """A store with a bug, which quotes the visitor."""
    troubled = TroubledStore(store)
    troubled.before_begin = RuntimeError(f"cannot read {SAID}")
    return troubled


def dsn(collector: Collector) -> str:
    return f"http://public@{collector.address}/1"


def crash(make_app: "MakeApp", **variables: str) -> None:
    client = make_app(**variables).test_client()
    headers = {"x-api-key": WIDGET_KEY, "X-Request-Id": "request-0001", "Cookie": "a=secret"}

    assert client.post("/v1/chat?q=query", json=BODY, headers=headers).status_code == 500


def events(collector: Collector) -> list[dict[str, Any]]:
    """Return what Sentry was told; an envelope holds its header, the item's, and the event."""
    sentry_sdk.flush(timeout=5)
    return [json.loads(body.splitlines()[2]) for _, body in collector.bodies]


def test_a_crash_is_told_with_its_place(make_app: "MakeApp", sentry: Collector) -> None:
    crash(make_app, SENTRY_DSN=dsn(sentry))

    (event,) = events(sentry)
    (error,) = event["exception"]["values"]
    assert (error["type"], event["logger"]) == ("RuntimeError", "app.web.problems")
    assert error["stacktrace"]["frames"][-1]["function"] == "_meet"
    assert event["logentry"]["message"] == "A request failed unexpectedly"
    assert event["tags"] == {"request_id": "request-0001", "endpoint": "headless.chat"}


def test_nothing_of_the_visitor_and_no_key_leaves(make_app: "MakeApp", sentry: Collector) -> None:
    crash(make_app, SENTRY_DSN=dsn(sentry))
    logging.getLogger("app.somewhere").error("A turn of %s failed", SAID)
    sentence = f"could not parse {SAID}"  # as libraries do it
    logging.getLogger("some.library").error(sentence)

    told = events(sentry)
    everything = json.dumps(told)
    assert len(told) == 3
    for secret in (SAID, "plum", WIDGET_KEY, ADMIN_KEY, "secret", "query"):
        assert secret not in everything


def test_without_a_dsn_nothing_is_told(make_app: "MakeApp", sentry: Collector) -> None:
    crash(make_app)

    assert events(sentry) == []


def test_an_sdk_that_is_not_there_is_one_warning(
    make_app: "MakeApp", monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "sentry_sdk", None)

    crash(make_app, SENTRY_DSN="http://public@127.0.0.1:9/1")

    assert [
        line.message for line in caplog.records if line.name == "app.observability.crash_reports"
    ] == ["SENTRY_DSN is set, but Sentry's SDK is not installed: pip install sentry-sdk"]


def test_a_model_with_a_bug_is_told_too(
    make_app: "MakeApp", sentry: Collector, model: ScriptedModel, store: TroubledStore
) -> None:
    store.before_begin = None
    model.script("Nine", RuntimeError(SAID))
    client = make_app(SENTRY_DSN=dsn(sentry)).test_client()

    client.post("/v1/chat", json=BODY, headers={"x-api-key": WIDGET_KEY})

    told = events(sentry)
    assert "A model ended in an unexpected error" in [
        event["logentry"]["message"] for event in told
    ]
    assert SAID not in json.dumps(told)
