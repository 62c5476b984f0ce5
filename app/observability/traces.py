"""Traces for OpenTelemetry, where the owner wants them: a span for each request and each turn.

A span holds names, times, counts and the request's id; no text, key or address.
"""

import logging
import time
from typing import TYPE_CHECKING, Any

from flask import Flask, Response

from app import __version__
from app.domain.conversation import Answer
from app.domain.events import TurnEnded
from app.settings import Settings
from app.web.current_request import current_request

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span, Tracer

log = logging.getLogger(__name__)

_NS = 1_000_000_000


class Traces:
    """Makes spans of one application's requests and turns."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._tracer: Tracer | None = None
        # The spans of requests whose turns have not ended, by the request's id.
        self._asked: dict[str, Context] = {}

    def begin_request(self) -> None:
        """Open a request's span, under the caller's where it names one."""
        from opentelemetry.propagate import extract
        from opentelemetry.trace import SpanKind, set_span_in_context

        request = current_request()
        route = request.url_rule.rule if request.url_rule else "none"
        request.span = self._spans().start_span(
            f"{request.method} {route}",
            extract({"traceparent": request.headers.get("traceparent", "")}),
            SpanKind.SERVER,
            {
                "http.request.method": request.method,
                "http.route": route,
                "perch.request_id": request.id,
            },
        )
        if request.is_counted:  # it may begin a turn
            self._asked[request.id] = set_span_in_context(request.span)

    def end_request(self, response: Response) -> None:
        """Close a request's span; a stream goes on in its turn's."""
        from opentelemetry.trace import StatusCode

        request = current_request()
        span: Span | None = request.span
        if span is None:
            return
        span.set_attribute("http.response.status_code", response.status_code)
        if response.status_code >= 500:
            span.set_status(StatusCode.ERROR)
        span.end()
        if request.is_put_aside or not response.is_streamed:
            self._asked.pop(request.id, None)

    def add_turn(self, ended: TurnEnded) -> None:
        """Add the span of a turn that has ended, under its request's."""
        from opentelemetry.trace import SpanKind

        asked = self._asked.pop(ended.request_id or "", None)
        answer = ended.answer
        if answer is None:
            return
        ended_at = time.time()
        began_at = ended_at - (answer.latency_ms or 0) / 1000
        span = self._spans().start_span(
            "turn",
            asked,
            SpanKind.INTERNAL,
            _attributes(ended, answer),
            start_time=round(began_at * _NS),
        )
        if answer.first_token_ms is not None:
            first = began_at + answer.first_token_ms / 1000
            span.add_event("first token", timestamp=round(first * _NS))
        span.end(round(ended_at * _NS))

    def _spans(self) -> "Tracer":
        # Made in the worker: its exporter has a thread, which no fork survives.
        if self._tracer is None:
            self._tracer = _tracer(self._endpoint)
        return self._tracer


def make(settings: Settings) -> Traces | None:
    """Return what traces an application, if the owner has named a place for it."""
    if settings.otel_endpoint is None:
        return None
    try:
        import opentelemetry.exporter.otlp.proto.http
        import opentelemetry.sdk  # noqa: F401
    except ImportError:
        log.warning(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, but the SDK is not installed: "
            "pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http"
        )
        return None
    return Traces(settings.otel_endpoint)


def register(app: Flask, traces: Traces) -> None:
    """Trace every request of an application."""
    app.before_request(traces.begin_request)

    @app.after_request
    def end_request(response: Response) -> Response:
        traces.end_request(response)
        return response


def _tracer(endpoint: str) -> "Tracer":
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    # OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win.
    ours = Resource({"service.name": "perch", "service.version": __version__})
    provider = TracerProvider(resource=ours.merge(OTELResourceDetector().detect()))
    exporter = OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider.get_tracer("perch", __version__)


def _attributes(ended: TurnEnded, answer: Answer) -> dict[str, Any]:
    usage = answer.usage
    told = {
        "perch.request_id": ended.request_id,
        "perch.attempt": ended.turn.attempt,
        "perch.outcome": ended.outcome,
        "perch.deltas": ended.token_count,
        "gen_ai.operation.name": "chat",
        "gen_ai.response.model": answer.model,
        "gen_ai.usage.input_tokens": usage.prompt_tokens if usage else None,
        "gen_ai.usage.output_tokens": usage.completion_tokens if usage else None,
    }
    return {name: value for name, value in told.items() if value is not None}
