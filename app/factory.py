"""Puts the parts together: the only module that knows every one of them."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn

import click
from flask import Flask, Request
from flask.json.provider import DefaultJSONProvider
from flask.sessions import NullSession, SessionInterface
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from app import cli, dashboard
from app.bus.machines import MachineBus
from app.bus.protocol import StopBus
from app.bus.redis_connection import RedisLink
from app.bus.workers import WorkerBus
from app.completion.breaker import Breaker, BreakerModel
from app.completion.demo import NAME as DEMO_MODEL_NAME
from app.completion.demo import DemoModel
from app.completion.fallback import FallbackModel, check_both
from app.completion.protocol import CompletionModel
from app.domain.events import TurnEnded
from app.domain.shutdowns import advise_shutdown
from app.limits.budget import Budgets, Meter
from app.limits.estimate import Tokenizer
from app.limits.ledger import Ledger, MemoryLedger
from app.limits.recorded import RecordedSpend
from app.limits.redis_ledger import RedisLedger
from app.observability import crash_reports, refusals, request_log
from app.observability.metrics import Metrics
from app.observability.metrics import register as register_metrics
from app.observability.traces import Traces
from app.observability.traces import make as make_traces
from app.observability.traces import register as register_traces
from app.operations.retention import Retention
from app.operations.switches import Switches
from app.routes import admin, chat, demo, headless, session, system, widget
from app.routes import metrics as metrics_route
from app.settings import Settings
from app.storage.convex import ConvexStore
from app.storage.measured import measured
from app.storage.protocol import ConversationStore
from app.storage.retry_queue import AnswerSpool
from app.storage.sqlite import SqliteStore
from app.turns.admission import Admission, Guard
from app.turns.service import TurnService
from app.web import problems, rates
from app.web.answer_headers import AnswerHeaders
from app.web.guards import guards as security
from app.web.guards import secret_keys, tokens
from app.web.guards.ended_sign_ins import EndedSignIns
from app.web.guards.operator import Operators
from app.web.proxies import ForwardedHeaders, TrustedProxies
from app.web.readiness import Readiness
from app.web.services import Services

if TYPE_CHECKING:
    from app.completion.openai.model import OpenAIOptions

log = logging.getLogger(__name__)

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


@dataclass(frozen=True, slots=True)
class Parts:
    """Replacements for what the settings would choose; tests use them."""

    store: ConversationStore | None = None
    model: CompletionModel | None = None
    fallback: CompletionModel | None = None


def create_app(settings: Settings, parts: Parts | None = None) -> Flask:
    """Build the application.

    Opens no connection and starts no thread, so that it may run before
    gunicorn forks.
    """
    parts = parts or Parts()
    # A command signs nothing, and leaves nothing behind that it was not asked for.
    is_command = click.get_current_context(silent=True) is not None
    secrets = secret_keys.read_secrets(settings, keep=not is_command)
    app = _Perch(__name__)
    app.session_interface = _NoSessions()
    app.config["MAX_CONTENT_LENGTH"] = _MAX_BODY_BYTES
    app.url_map.merge_slashes = False  # it would answer `/v1//chat` with a redirect in HTML
    app.json = _Json(app)
    crash_reports.register(settings)
    metrics = Metrics()
    traces = make_traces(settings)
    store = measured(parts.store or _store(settings), metrics.time_call)
    redis = _redis(settings)
    model = parts.model or _model(settings)
    fallback = parts.fallback or _fallback(settings)
    breaker = _breaker(settings)
    asked, check_models = _behind_breakers(model, breaker, fallback, settings)
    switches = Switches(store, settings.switched_off_message)
    meter = _meter(settings, store, redis)
    spool = AnswerSpool(settings.spool_path, store.finish_turn)
    app.extensions["perch"] = Services(
        settings=settings,
        store=store,
        turns=TurnService(
            store,
            asked,
            settings.turns,
            Admission(
                meter,
                [switches.check, check_models],
                settings.max_streams_per_ip,
            ),
            keep=spool.keep,
            buses=_buses(settings, redis),
            listeners=_listeners(metrics, traces),
        ),
        model=model,
        fallback=fallback,
        spool=spool,
        retention=Retention(store, settings.retention_days) if settings.retention_days else None,
        readiness=Readiness(store),
        switches=switches,
        meter=meter,
        breaker=breaker,
        metrics=metrics,
        limits=rates.make(settings, redis),
        tokens=_tokens(settings, secrets),
        operators=_operators(settings, secrets[0]),
        ended_sign_ins=EndedSignIns(store),
        redis=redis,
        model_name=settings.openai_model if settings.has_model else DEMO_MODEL_NAME,
    )
    app.wsgi_app = ForwardedHeaders(  # type: ignore[method-assign]
        app.wsgi_app, TrustedProxies(settings.trusted_proxies), settings.public_path
    )
    app.wsgi_app = AnswerHeaders(app.wsgi_app, settings)  # type: ignore[method-assign]
    request_log.register(app)
    security.register(app, settings)
    problems.register(app)
    refusals.register(app, store)
    app.register_blueprint(session.door)
    app.register_blueprint(metrics_route.blueprint)
    app.register_blueprint(dashboard.door)
    cli.register(app)
    for part in (chat, headless, session, admin, dashboard, widget, system, demo):
        app.register_blueprint(part.blueprint)
    register_metrics(app, metrics)
    if traces:
        register_traces(app, traces)
    _read_figures(metrics, app.extensions["perch"])
    if not is_command:
        _remark(settings)
        meter.tokenizer.load()  # before the fork: all workers share it
    return app


def _remark(settings: Settings) -> None:
    """Say what an owner should know, once."""
    if settings.ignored:
        log.info(
            "Ignored variables that this server does not need: %s", ", ".join(settings.ignored)
        )
    if (notice := settings.model_notice(datetime.now(UTC).date())) is not None:
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
    turns, breaker, meter = services.turns, services.breaker, services.meter
    metrics.read("perch_workers", lambda: 1)
    metrics.read("perch_running_turns", lambda: turns.running_count)
    metrics.read("perch_spooled_answers", lambda: len(services.spool))
    metrics.read("perch_breaker_open", lambda: breaker.state != "closed")
    metrics.read("perch_breaker_openings", lambda: breaker.opened)
    metrics.read("perch_model_misconfigured", lambda: breaker.trouble is not None)
    metrics.read("perch_budget_tokens", lambda: meter.budget)
    metrics.read("perch_budget_spent_tokens", lambda: meter.spent_today)
    metrics.read("perch_budget_refused_turns", lambda: meter.counters["refused"])
    metrics.read("perch_budget_near_days", lambda: meter.counters["near"])
    metrics.read("perch_budget_estimated_tokens", lambda: meter.counters["estimated"])
    metrics.read("perch_budget_recorded_tokens", lambda: meter.counters["recorded"])


def _store(settings: Settings) -> ConversationStore:
    if settings.convex_url and settings.convex_deploy_key:
        return ConvexStore(
            settings.convex_url,
            settings.convex_deploy_key,
            timeout_s=settings.storage_timeout_s,
            proxies=settings.proxies,
        )
    if settings.sqlite_path is None:  # the settings refuse this
        raise ValueError("neither CONVEX_URL nor SQLITE_PATH is set")
    return SqliteStore(settings.sqlite_path, timeout_s=settings.storage_timeout_s)


def _redis(settings: Settings) -> RedisLink | None:
    if settings.redis_url is None:
        return None
    return RedisLink(
        settings.redis_url,
        timeout_s=settings.redis_timeout_s,
        retry_s=settings.redis_retry_s,
        name_key=secret_keys.derive_key(secret_keys.read_secrets(settings)[0], "redis names"),
    )


def _model(settings: Settings) -> CompletionModel:
    if not settings.has_model:
        return DemoModel()
    # Half of the start-up time, and the demo needs none of it.
    from app.completion.openai.model import OpenAIModel

    return OpenAIModel(_options(settings))


def _fallback(settings: Settings) -> CompletionModel | None:
    if not settings.has_fallback or settings.openai_fallback_model is None:
        return None
    from app.completion.openai.model import OpenAIModel

    options = _options(settings)
    if settings.openai_fallback_base_url is not None:
        # Keys and headers are the first server's secrets: another one never sees them.
        options = replace(
            options, api_key=None, reasoning_effort=None, extra_body={}, extra_headers={}
        )
    return OpenAIModel(
        replace(
            options,
            api_key=settings.openai_fallback_api_key or options.api_key,
            model=settings.openai_fallback_model,
            base_url=settings.openai_fallback_base_url or settings.openai_base_url,
        )
    )


def _options(settings: Settings) -> "OpenAIOptions":
    from app.completion.openai.model import OpenAIOptions

    return OpenAIOptions(
        api_key=settings.openai_api_key,
        model=settings.openai_model,
        base_url=settings.openai_base_url,
        reasoning_effort=settings.openai_reasoning_effort,
        extra_body=settings.openai_extra_body,
        extra_headers=settings.openai_extra_headers,
        max_output_tokens=settings.turns.max_output_tokens,
        connect_timeout_s=settings.model_connect_timeout_s,
        first_token_timeout_s=settings.model_first_token_timeout_s,
        read_timeout_s=settings.model_read_timeout_s,
        proxies=settings.proxies,
    )


def _behind_breakers(
    model: CompletionModel, breaker: Breaker, fallback: CompletionModel | None, settings: Settings
) -> tuple[CompletionModel, Guard]:
    """Return what turns ask, and what refuses them while nobody would answer."""
    guarded = BreakerModel(model, breaker)
    if fallback is None:
        return guarded, breaker.check
    spare = _breaker(settings)
    other = BreakerModel(fallback, spare)
    name = settings.openai_fallback_model or ""
    return FallbackModel(guarded, other, name), check_both(breaker, spare)


def _buses(settings: Settings, redis: RedisLink | None) -> list[StopBus]:
    buses: list[StopBus] = []
    if settings.web_concurrency > 1:
        buses.append(WorkerBus())
    if settings.redis_url and redis:
        buses.append(MachineBus(settings.redis_url, redis))
    return buses


def _tokens(settings: Settings, secrets: Sequence[bytes]) -> tokens.SessionTokens:
    keys = [secret_keys.derive_key(secret, tokens.PURPOSE) for secret in secrets]
    return tokens.SessionTokens(keys, live_s=settings.session_token_ttl_s)


def _meter(settings: Settings, store: ConversationStore, redis: RedisLink | None) -> Meter:
    recorded = RecordedSpend(store)
    ledger: Ledger = (
        RedisLedger(
            redis, recorded, settings.turns.max_prompt_tokens + settings.turns.max_output_tokens
        )
        if redis
        else MemoryLedger(recorded, settings.web_concurrency)
    )
    budgets = Budgets(
        service=settings.budget_tokens_per_day,
        client=settings.budget_tokens_per_ip_day,
        session=settings.budget_tokens_per_session_day,
        exhausted_message=settings.budget_exhausted_message,
    )
    names = [settings.openai_model]
    if settings.has_fallback and settings.openai_fallback_model:
        names.append(settings.openai_fallback_model)
    tokenizer = Tokenizer.of(*names)
    return Meter(
        ledger,
        budgets,
        settings.turns.max_output_tokens,
        tokenizer=tokenizer,
        counts_alike=len(names) == 1 or tokenizer in (Tokenizer.O200K, Tokenizer.CL100K),
    )


def _breaker(settings: Settings) -> Breaker:
    patience_s = settings.model_first_token_timeout_s
    return Breaker(replace(settings.breaker, probe_patience_s=patience_s))


def _operators(settings: Settings, secret: bytes) -> Operators | None:
    if settings.dashboard_password is None:
        return None
    return Operators(
        secret,
        settings.dashboard_password,
        idle_s=settings.dashboard_idle_s,
        longest_s=settings.dashboard_session_s,
    )
