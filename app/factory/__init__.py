"""Puts the parts together: ``create_app`` makes an application from settings."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NoReturn

import click
from flask import Flask, Request
from flask.json.provider import DefaultJSONProvider
from flask.sessions import NullSession, SessionInterface
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter, RequestRedirect
from werkzeug.wsgi import get_host

from app import cli, dashboard
from app.assistants import Assistant
from app.domain.events import TurnEnded
from app.domain.shutdowns import advise_shutdown
from app.factory.services import Parts, make_services
from app.observability import crash_reports, refusals, request_log
from app.observability.metrics import Metrics
from app.observability.metrics import register as register_metrics
from app.observability.traces import Traces
from app.observability.traces import make as make_traces
from app.observability.traces import register as register_traces
from app.routes import (
    admin,
    chat,
    demo,
    front_ends,
    headless,
    inbox,
    knowledge,
    openai,
    people,
    session,
    system,
    widget,
)
from app.routes import metrics as metrics_route
from app.settings import Settings
from app.web import problems
from app.web.answer_headers import AnswerHeaders
from app.web.guards import guards
from app.web.proxies import ForwardedHeaders, TrustedProxies
from app.web.services import Services

__all__ = ("Parts", "create_app")

log = logging.getLogger(__name__)

_BLUEPRINTS = (
    session.opening,
    people.returning,
    metrics_route.blueprint,
    dashboard.signing_in,
    chat.blueprint,
    headless.blueprint,
    openai.blueprint,
    front_ends.blueprint,
    session.blueprint,
    people.blueprint,
    admin.blueprint,
    knowledge.blueprint,
    inbox.blueprint,
    dashboard.blueprint,
    widget.blueprint,
    system.blueprint,
    demo.blueprint,
)
# Far above any valid request: 4,000 characters are at most 24 KiB of JSON.
_MAX_BODY_BYTES = 256 * 1024


class _Perch(Flask):
    """Flask for plain functions only, as everything here is."""

    def raise_routing_exception(self, request: Request) -> NoReturn:
        """Raise what the router found, its redirects without a host."""
        found = request.routing_exception
        if isinstance(found, RequestRedirect):
            raise HTTPException(response=problems.lead_on(found))
        super().raise_routing_exception(request)

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Return what finds a request's route: by its path, for no route is one host's."""
        if request is None:
            return super().create_url_adapter(request)
        request.host = get_host(request.environ)  # refuses one that is none
        return self.url_map.bind(
            request.host,
            script_name=request.root_path,
            url_scheme=request.scheme,
            default_method=request.method,
            path_info=request.path,
            query_args=request.query_string.decode(errors="replace"),
        )

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function as it is: asking each one what it is costs 20 µs a request."""
        return func


class _NoSessions(SessionInterface):
    """Flask's own sessions, which nothing here uses: opening one took a step a request."""

    _none = NullSession()

    def open_session(self, app: Flask, request: Request) -> NullSession:
        """Return a session that refuses to be written to."""
        return self._none


class _Json(DefaultJSONProvider):
    """JSON in the order of the schemas, readable in every script."""

    sort_keys = False
    ensure_ascii = False


def create_app(settings: Settings, parts: Parts | None = None) -> Flask:
    """Build the application.

    Opens no connection and starts no thread, so that it may run before
    gunicorn forks.
    """
    # A command signs nothing, and leaves nothing behind that it was not asked for.
    is_command = click.get_current_context(silent=True) is not None
    app = _make_flask()

    metrics, traces = Metrics(), make_traces(settings)
    services = make_services(
        settings, parts or Parts(), metrics, _listeners(metrics, traces), keep_secret=not is_command
    )
    app.extensions["perch"] = services

    proxies = TrustedProxies(settings.trusted_proxies)
    application = ForwardedHeaders(app.wsgi_app, proxies, settings.public_path)
    app.wsgi_app = AnswerHeaders(application, settings, services.assistants.origins)  # type: ignore[method-assign]
    request_log.register(app)  # names the request for all that follow
    guards.register(app, settings)
    problems.register(app)

    for blueprint in _BLUEPRINTS:
        app.register_blueprint(blueprint)
    cli.register(app)

    refusals.register(app, services.store)
    crash_reports.register(settings)
    register_metrics(app, metrics)
    if traces:
        register_traces(app, traces)
    _read_figures(metrics, services)
    if not is_command:
        _remark(settings)
        for assistant in services.assistants:  # before the fork: all workers share them
            assistant.meter.tokenizer.load()
    return app


def _make_flask() -> Flask:
    app = _Perch("app")
    app.session_interface = _NoSessions()
    app.config["MAX_CONTENT_LENGTH"] = _MAX_BODY_BYTES
    app.url_map.merge_slashes = False  # it would answer `/v1//chat` with a redirect in HTML
    app.json = _Json(app)
    return app


def _remark(settings: Settings) -> None:
    """Say what an owner should know, once."""
    if settings.ignored:
        log.info(
            "Ignored variables that this server does not need: %s", ", ".join(settings.ignored)
        )
    today = datetime.now(UTC).date()
    for notice in sorted({each.model.notice(today) or "" for each in settings.assistants} - {""}):
        log.warning("%s. %s", notice, advise_shutdown())
    for name, proxy in settings.used_proxies:
        log.info("%s is asked over the proxy %s", name, proxy)
    if settings.web_concurrency > 1 and not settings.redis_url:
        log.warning(
            "%d workers and no REDIS_URL: each worker counts limits and budgets for itself, so "
            "that visitors may do %d times as much. Set REDIS_URL, or WEB_CONCURRENCY=1",
            settings.web_concurrency,
            settings.web_concurrency,
        )


def _listeners(metrics: Metrics, traces: Traces | None) -> list[Callable[[TurnEnded], None]]:
    listeners: list[Callable[[TurnEnded], None]] = [metrics.count_turn, request_log.log_turn]
    if traces is not None:
        listeners.append(traces.add_turn)
    return listeners


def _read_figures(metrics: Metrics, services: Services) -> None:
    turns, assistants = services.turns, services.assistants
    metrics.read("perch_workers", lambda: 1)
    metrics.read("perch_running_turns", lambda: turns.running_count)
    metrics.read("perch_waiting_visitors", lambda: services.waiting.count)
    metrics.read("perch_spooled_answers", lambda: len(services.retry_queue))

    def add_up(name: str, count: Callable[[Assistant], float]) -> None:
        metrics.read(name, lambda: sum(map(count, assistants)))

    add_up("perch_breaker_open", lambda each: each.breaker.state != "closed")
    add_up("perch_breaker_openings", lambda each: each.breaker.opened)
    add_up("perch_model_misconfigured", lambda each: each.breaker.trouble is not None)
    add_up("perch_budget_tokens", lambda each: each.meter.budget)
    add_up("perch_budget_spent_tokens", lambda each: each.meter.spent_today)
    add_up("perch_budget_refused_turns", lambda each: each.meter.counters["refused"])
    add_up("perch_budget_near_days", lambda each: each.meter.counters["near"])
    add_up("perch_budget_estimated_tokens", lambda each: each.meter.counters["estimated"])
    add_up("perch_budget_recorded_tokens", lambda each: each.meter.counters["recorded"])
