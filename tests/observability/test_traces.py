"""Traces for OpenTelemetry: a request and its turn, without a word of it."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from app.domain.conversation import Usage
from app.domain.errors import ModelUnavailable
from tests.data import ADMIN_KEY, SESSION, WIDGET_KEY
from tests.fakes import ScriptedModel, until
from tests.servers.collector import Collector, running_collector

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.conftest import MakeApp

pytestmark = pytest.mark.slow  # OpenTelemetry takes a while to begin, and to end

TRACE = "0af7651916cd43dd8448eb211c80319c"
HEADERS = {
    "x-api-key": WIDGET_KEY,
    "X-Request-Id": "request-0001",
    "traceparent": f"00-{TRACE}-b7ad6b7169203331-01",
}
BODY = {"sessionId": SESSION, "message": "My secret is PLUM"}


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    # The SDK's own: how long spans wait for others.
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
    with running_collector() as collector:
        yield collector


@pytest.fixture
def traced(make_app: "MakeApp", collector: Collector) -> "FlaskClient":
    endpoint = f"http://{collector.address}"
    return make_app(OTEL_EXPORTER_OTLP_ENDPOINT=endpoint).test_client()


def spans(collector: Collector, count: int) -> dict[str, Span]:
    """Return so many spans, by name, when they have come."""
    until(lambda: len(_spans(collector)) >= count)
    return {span.name: span for span in _spans(collector)}


def _spans(collector: Collector) -> list[Span]:
    sent = [ExportTraceServiceRequest.FromString(body) for _, body in collector.bodies]
    return [
        span
        for request in sent
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def attributes(span: Span) -> dict[str, object]:
    told = {each.key: each.value for each in span.attributes}
    return {name: getattr(value, value.WhichOneof("value")) for name, value in told.items()}


def test_a_turn_stands_under_its_request_in_the_callers_trace(
    traced: "FlaskClient", collector: Collector, model: ScriptedModel
) -> None:
    model.script("Nine", " to five", usage=Usage(24, 2))

    traced.post("/v1/chat/stream", json=BODY, headers=HEADERS).get_data()

    told = spans(collector, 2)
    request, turn = told["POST /v1/chat/stream"], told["turn"]
    assert (request.trace_id.hex(), turn.trace_id.hex()) == (TRACE, TRACE)
    assert turn.parent_span_id == request.span_id
    assert [event.name for event in turn.events] == ["first token"]
    assert attributes(request) == {
        "http.request.method": "POST",
        "http.route": "/v1/chat/stream",
        "http.response.status_code": 200,
        "perch.request_id": "request-0001",
    }
    assert attributes(turn) == {
        "perch.request_id": "request-0001",
        "perch.attempt": 1,
        "perch.outcome": "done",
        "perch.deltas": 2,
        "gen_ai.operation.name": "chat",
        "gen_ai.response.model": "scripted",
        "gen_ai.usage.input_tokens": 24,
        "gen_ai.usage.output_tokens": 2,
    }


def test_a_failure_marks_its_request(
    traced: "FlaskClient", collector: Collector, model: ScriptedModel
) -> None:
    model.script(start=ModelUnavailable())

    traced.post("/v1/chat", json=BODY, headers=HEADERS)

    told = spans(collector, 2)
    assert told["POST /v1/chat"].status.code == 2
    assert attributes(told["turn"])["perch.outcome"] == "model_unavailable"


def test_nothing_that_was_said_and_no_key_leaves(
    traced: "FlaskClient", collector: Collector
) -> None:
    traced.post("/v1/chat", json=BODY, headers=HEADERS)
    traced.get("/v1/admin/conversations?q=PLUM", headers={"x-admin-api-key": ADMIN_KEY})

    spans(collector, 3)
    everything = b"".join(body for _, body in collector.bodies)
    for secret in (b"PLUM", b"Hello", SESSION.encode(), WIDGET_KEY.encode(), ADMIN_KEY.encode()):
        assert secret not in everything


def test_an_sdk_that_is_not_there_is_one_warning(
    make_app: "MakeApp", monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk", None)

    client = make_app(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9").test_client()

    assert client.post("/v1/chat", json=BODY, headers=HEADERS).status_code == 200
    (warning,) = [
        line.message for line in caplog.records if line.name == "app.observability.traces"
    ]
    assert "not installed" in warning
