"""Makes what the routes work with, and chooses the store and the buses."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from app.assistants import Assistants
from app.bus.joined import JoinedBus
from app.bus.machines import MachineBus
from app.bus.protocol import Bus
from app.bus.redis_connection import RedisLink
from app.bus.workers import WorkerBus
from app.completion.protocol import CompletionModel
from app.domain.events import TurnEnded
from app.factory.assistants import Tell, make_assistant
from app.factory.knowledge import Libraries
from app.factory.notifications import make_notifications
from app.observability.metrics import Metrics
from app.operations.knowledge.commands import Spawn, spawn_command
from app.operations.knowledge.index_builds import IndexBuilds
from app.operations.knowledge.learning_schedule import LearningSchedule
from app.operations.people import People
from app.operations.retention import Retention
from app.operations.switches import Switches
from app.operations.waiting import LOOK_EVERY_S, LOOK_WITH_BUS_EVERY_S, Waiting
from app.settings import Settings
from app.storage.cached_read import cache_state
from app.storage.convex import ConvexStore
from app.storage.measured import MeasuredStore
from app.storage.protocol import ConversationStore
from app.storage.retry_queue import RetryQueue
from app.storage.sqlite import SqliteStore
from app.turns.admission import Admission
from app.turns.service import TurnService
from app.web import rates
from app.web.guards import secret_keys, tokens
from app.web.guards.ended_sign_ins import EndedSignIns
from app.web.guards.operator import Operators
from app.web.readiness import Readiness
from app.web.services import Services

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """Replacements for what the settings would choose; tests use them."""

    store: ConversationStore | None = None
    model: CompletionModel | None = None
    fallback: CompletionModel | None = None
    spawn: Spawn = spawn_command


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
    state = cache_state(store)
    builds = IndexBuilds(parts.spawn)
    libraries = Libraries(settings, state, builds)
    notifications = make_notifications(settings, store, store.people, secrets)
    tell = notifications.outbox.tell_of_day
    assistants = _assistants(settings, parts, store, redis, libraries, tell)
    switches = Switches(store, state, settings.switched_off_message)
    retry_queue = RetryQueue(settings.spool_path, store.finish_turn)
    workers = WorkerBus() if settings.web_concurrency > 1 else None
    buses = _buses(settings, redis, workers)
    bus = JoinedBus(buses)
    turns = TurnService(
        store, assistants, Admission([switches.check]), settings.max_streams, retry_queue.keep,
        bus, workers, listeners,
    )  # fmt: skip
    waiting = Waiting(
        store.people,
        settings.max_waiting,
        bus,
        look_every_s=LOOK_WITH_BUS_EVERY_S if buses else LOOK_EVERY_S,
    )
    return Services(
        settings=settings,
        store=store,
        turns=turns,
        assistants=assistants,
        retry_queue=retry_queue,
        retention=Retention(store, settings.retention_days) if settings.retention_days else None,
        readiness=Readiness(store),
        switches=switches,
        metrics=metrics,
        limits=rates.make(settings, redis),
        tokens=_tokens(settings, secrets),
        operators=_operators(settings, secrets[0]),
        ended_sign_ins=EndedSignIns(store),
        redis=redis,
        index_builds=builds,
        learning=LearningSchedule(store, settings.assistants),
        people=People(
            settings,
            store,
            stop=turns.stop,
            tell=waiting.tell,
            wake=notifications.sender.wake,
        ),
        waiting=waiting,
        return_links=notifications.links,
        outbox=notifications.outbox,
        sender=notifications.sender,
        spawn=parts.spawn,
    )


def _store(settings: Settings) -> ConversationStore:
    # Of what begins, the webhook alone is told.
    notes_starts = settings.webhook_url is not None
    if settings.convex_url and settings.convex_deploy_key:
        return ConvexStore(
            settings.convex_url,
            settings.convex_deploy_key,
            timeout_s=settings.storage_timeout_s,
            proxies=settings.proxies,
            notes_starts=notes_starts,
        )
    if settings.sqlite_path is None:  # the settings refuse this
        raise ValueError("neither CONVEX_URL nor SQLITE_PATH is set")
    return SqliteStore(
        settings.sqlite_path, timeout_s=settings.storage_timeout_s, notes_starts=notes_starts
    )


def _redis(settings: Settings, secret: bytes) -> RedisLink | None:
    if settings.redis_url is None:
        return None
    return RedisLink(
        settings.redis_url,
        timeout_s=settings.redis_timeout_s,
        retry_s=settings.redis_retry_s,
        name_key=secret_keys.derive_key(secret, "redis names"),
    )


def _assistants(
    settings: Settings,
    parts: Parts,
    store: ConversationStore,
    redis: RedisLink | None,
    libraries: Libraries,
    tell: Tell,
) -> Assistants:
    made = (
        make_assistant(each, settings, store, redis, parts.model, parts.fallback, tell)
        for each in settings.assistants
    )
    return Assistants([replace(each, knowledge=libraries.make(each.settings)) for each in made])


def _buses(settings: Settings, redis: RedisLink | None, workers: WorkerBus | None) -> list[Bus]:
    buses: list[Bus] = [workers] if workers else []
    if settings.redis_url and redis:
        buses.append(MachineBus(settings.redis_url, redis))
    return buses


def _tokens(settings: Settings, secrets: Sequence[bytes]) -> tokens.SessionTokens:
    keys = [secret_keys.derive_key(secret, tokens.PURPOSE) for secret in secrets]
    return tokens.SessionTokens(keys, live_s=settings.session_token_ttl_s)


def _operators(settings: Settings, secret: bytes) -> Operators | None:
    if settings.dashboard_password is None:
        return None
    return Operators(
        secret,
        settings.dashboard_password,
        idle_s=settings.dashboard_idle_s,
        longest_s=settings.dashboard_session_s,
    )
