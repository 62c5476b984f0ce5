"""Makes what the routes work with: the only module that names an adapter."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

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
from app.limits.budget import Budgets, Meter
from app.limits.estimate import Tokenizer
from app.limits.ledger import Ledger, MemoryLedger
from app.limits.recorded import RecordedSpend
from app.limits.redis_ledger import RedisLedger
from app.observability.metrics import Metrics
from app.operations.retention import Retention
from app.operations.switches import Switches
from app.settings import Settings
from app.storage.convex import ConvexStore
from app.storage.measured import MeasuredStore
from app.storage.protocol import ConversationStore
from app.storage.retry_queue import AnswerSpool
from app.storage.sqlite import SqliteStore
from app.turns.admission import Admission, Guard
from app.turns.service import TurnService
from app.web import rates
from app.web.guards import secret_keys, tokens
from app.web.guards.ended_sign_ins import EndedSignIns
from app.web.guards.operator import Operators
from app.web.readiness import Readiness
from app.web.services import Services

if TYPE_CHECKING:
    from app.completion.openai.model import OpenAIOptions

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """Replacements for what the settings would choose; tests use them."""

    store: ConversationStore | None = None
    model: CompletionModel | None = None
    fallback: CompletionModel | None = None


def make_services(
    settings: Settings,
    parts: Parts,
    metrics: Metrics,
    listeners: Sequence[Callable[[TurnEnded], None]],
    *,
    keep_secret: bool,
) -> Services:
    """Return what routes work with.

    ``listeners`` hear of each turn that has ended; a secret that is made up is
    kept in a file where ``keep_secret``.
    """
    secrets = secret_keys.read_secrets(settings, keep=keep_secret)
    store = MeasuredStore(parts.store or _store(settings), metrics.time_call)
    redis = _redis(settings, secrets[0])
    model = parts.model or _model(settings)
    fallback = parts.fallback or _fallback(settings)
    breaker = _breaker(settings)
    asked, check_models = _behind_breakers(model, breaker, fallback, settings)
    switches = Switches(store, settings.switched_off_message)
    meter = _meter(settings, store, redis)
    spool = AnswerSpool(settings.spool_path, store.finish_turn)
    admission = Admission(meter, [switches.check, check_models], settings.max_streams_per_ip)
    turns = TurnService(
        store, asked, settings.turns, admission, spool.keep, _buses(settings, redis), listeners
    )
    return Services(
        settings=settings,
        store=store,
        turns=turns,
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


def _redis(settings: Settings, secret: bytes) -> RedisLink | None:
    if settings.redis_url is None:
        return None
    return RedisLink(
        settings.redis_url,
        timeout_s=settings.redis_timeout_s,
        retry_s=settings.redis_retry_s,
        name_key=secret_keys.derive_key(secret, "redis names"),
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
