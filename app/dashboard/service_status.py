"""What an operator must see on every page: that the service does not do its work as it should."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.dashboard.rendering.formats import to_count
from app.domain.errors import StorageUnavailable
from app.web.services import services

# A provider may say much.
_MAX_TEXT_CHARS = 400
MAX_INBOX = 100


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that keeps visitors from their answers, or answers from the store."""

    name: str
    text: str


def find_troubles() -> Sequence[Trouble]:
    """Return what is wrong now, of all workers of this machine."""
    found = [_switched_off(), _store(), _model(), _unsaved()]
    return [trouble for trouble in found if trouble is not None]


def count_waiting() -> int | None:
    """Return how many conversations wait for a person's next word; ``None`` without people."""
    perch = services()
    if not any(perch.settings.can_ask(each.settings) for each in perch.assistants):
        return None
    try:
        found = perch.store.people.list_inbox(assistant=None, limit=MAX_INBOX)
    except StorageUnavailable:  # which the store's own line tells
        return 0
    return sum(1 for each in found if each.state == "waiting" or each.unread)


def _switched_off() -> Trouble | None:
    try:
        is_off = services().switches.is_off
    except StorageUnavailable:  # which the store's own line tells
        return None
    text = "The assistant is switched off: visitors are told that it is not available."
    return Trouble("off", text) if is_off else None


def _store() -> Trouble | None:
    said = services().readiness.ask_store()
    if said == "ok":
        return None
    return Trouble("store", f"The store is in trouble, and no question can be asked: {said}")


def _model() -> Trouble | None:
    metrics = services().metrics
    if metrics.gauge("perch_model_misconfigured"):
        # Another worker may have heard of it, and told its log.
        cause = next(
            (each.breaker.trouble for each in services().assistants if each.breaker.trouble),
            "the log says what it told",
        )
        text = f"The model answers nobody until you mend what its provider refuses: {cause}"
        return Trouble("model", text[:_MAX_TEXT_CHARS])
    if metrics.gauge("perch_breaker_open"):
        text = "The model failed again and again, and is left alone for a while: the log says why."
        return Trouble("breaker", text)
    return None


def _unsaved() -> Trouble | None:
    count = round(services().metrics.gauge("perch_spooled_answers"))
    if not count:
        return None
    answers = "1 answer waits" if count == 1 else f"{to_count(count)} answers wait"
    return Trouble("unsaved", f"{answers} for the store: what was said is kept, and stored later.")
