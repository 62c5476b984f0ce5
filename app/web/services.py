"""What the routes work with, kept on the application."""

from dataclasses import dataclass
from typing import Protocol

from app.assistants import Assistants
from app.bus.redis_connection import RedisLink
from app.notifications.outbox import Outbox
from app.notifications.return_link import ReturnLinks
from app.notifications.sender import Sender
from app.operations.knowledge.commands import Spawn
from app.operations.knowledge.index_builds import IndexBuilds
from app.operations.knowledge.learning_schedule import LearningSchedule
from app.operations.people import People
from app.operations.retention import Retention
from app.operations.switches import Switches
from app.operations.waiting import Waiting
from app.settings import Settings
from app.storage.protocol import ConversationStore
from app.storage.retry_queue import RetryQueue
from app.turns.service import TurnService
from app.web.current_request import current_application
from app.web.guards.ended_sign_ins import EndedSignIns
from app.web.guards.operator import Operators
from app.web.guards.tokens import SessionTokens
from app.web.rates import Limits
from app.web.readiness import Readiness

_KEY = "perch"


class MetricsReader(Protocol):
    """What the routes read of the metrics."""

    def gauge(self, name: str) -> float:
        """Return a gauge's value, over all workers of this machine."""
        ...

    def render(self) -> bytes:
        """Return all metrics as Prometheus reads them."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """One application's collaborators."""

    settings: Settings
    store: ConversationStore
    turns: TurnService
    assistants: Assistants
    retry_queue: RetryQueue
    retention: Retention | None
    readiness: Readiness
    limits: Limits
    switches: Switches
    metrics: MetricsReader
    tokens: SessionTokens
    operators: Operators | None
    redis: RedisLink | None
    ended_sign_ins: EndedSignIns
    index_builds: IndexBuilds
    learning: LearningSchedule
    people: People
    waiting: Waiting
    return_links: ReturnLinks
    outbox: Outbox
    sender: Sender
    spawn: Spawn
    """Starts a command: the learner."""

    def end_session(self, session_id: str) -> None:
        """Let a session's running turn stop, and who waits hear that what they wait in is gone."""
        self.turns.stop(session_id)
        self.waiting.tell(session_id)


def services() -> Services:
    """Return the current application's collaborators."""
    found: Services = current_application().extensions[_KEY]
    return found
