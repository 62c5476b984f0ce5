"""What the routes work with, kept on the application."""

from dataclasses import dataclass
from typing import cast

from flask import current_app

from app.budget.meter import Meter
from app.completion.breaker import Breaker
from app.completion.protocol import CompletionModel
from app.redis_link import RedisLink
from app.retention import Retention
from app.settings import Settings
from app.storage.protocol import ConversationStore
from app.storage.spool import AnswerSpool
from app.switches import Switches
from app.turns import TurnService
from app.web.ended_sign_ins import EndedSignIns
from app.web.limits import Limits
from app.web.metrics import Metrics
from app.web.operator import Operators
from app.web.readiness import Readiness
from app.web.tokens import SessionTokens

_KEY = "perch"


@dataclass(frozen=True, slots=True)
class Services:
    """One application's collaborators."""

    settings: Settings
    store: ConversationStore
    turns: TurnService
    model: CompletionModel
    fallback: CompletionModel | None
    spool: AnswerSpool
    retention: Retention | None
    readiness: Readiness
    limits: Limits
    switches: Switches
    meter: Meter
    breaker: Breaker
    metrics: Metrics
    tokens: SessionTokens
    operators: Operators | None
    redis: RedisLink | None
    ended_sign_ins: EndedSignIns
    model_name: str


def services() -> Services:
    """Return the current application's collaborators."""
    return cast(Services, current_app.extensions[_KEY])
