"""How often visitors were refused by a limit."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from app.domain.conversation import DEFAULT_ASSISTANT
from app.domain.errors import StorageUnavailable
from app.domain.figures import Counts
from app.observability.refusals import RefusalTally
from app.storage.protocol import ConversationStore
from tests.data import SESSION, WIDGET_KEY
from tests.fakes import until

if TYPE_CHECKING:
    from tests.conftest import MakeApp


class Told:
    """A store that hears of refusals, when it can be reached."""

    def __init__(self) -> None:
        self.is_away = False
        self.counts: list[tuple[str, Counts]] = []

    def add_figures(self, counts: Counts, assistant: str) -> None:
        if self.is_away:
            raise StorageUnavailable
        self.counts.append((assistant, counts))


def a_tally(store: Told) -> RefusalTally:
    return RefusalTally(store, tell_after_s=0.01)  # type: ignore[arg-type]


def test_many_refusals_are_one_write() -> None:
    store = Told()
    tally = a_tally(store)

    for _ in range(100):
        tally.count(DEFAULT_ASSISTANT)
    until(lambda: store.counts)

    assert store.counts == [(DEFAULT_ASSISTANT, {"limits_hit": 100})]


def test_refusals_of_each_assistant_are_told_apart() -> None:
    store = Told()
    tally = a_tally(store)

    for assistant in ("shop", DEFAULT_ASSISTANT, "shop"):
        tally.count(assistant)
    until(lambda: store.counts)

    assert store.counts == [("shop", {"limits_hit": 2}), (DEFAULT_ASSISTANT, {"limits_hit": 1})]


def test_refusals_go_on_being_told() -> None:
    store = Told()
    tally = a_tally(store)
    tally.count(DEFAULT_ASSISTANT)
    until(lambda: store.counts)

    tally.count(DEFAULT_ASSISTANT)
    until(lambda: len(store.counts) == 2)

    assert store.counts == [
        (DEFAULT_ASSISTANT, {"limits_hit": 1}),
        (DEFAULT_ASSISTANT, {"limits_hit": 1}),
    ]


def test_what_the_store_does_not_take_is_told_later() -> None:
    store = Told()
    tally = a_tally(store)
    tally.count(DEFAULT_ASSISTANT)
    store.is_away = True
    tally.tell()
    store.is_away = False

    tally.count(DEFAULT_ASSISTANT)
    until(lambda: store.counts)

    assert store.counts == [(DEFAULT_ASSISTANT, {"limits_hit": 2})]


def test_refused_visitor_is_in_the_figures(make_app: "MakeApp", store: ConversationStore) -> None:
    app = make_app(RATE_LIMIT_MAX_REQUESTS="1")
    app.extensions["refusals"].tell_after_s = 0.01
    body = {"sessionId": SESSION, "message": "Hello"}

    statuses = [
        app.test_client().post("/v1/chat", json=body, headers={"x-api-key": WIDGET_KEY}).status_code
        for _ in range(3)
    ]

    def limits_hit() -> int:
        today = f"{datetime.now(UTC):%Y-%m-%d}"
        return sum(found.limits_hit for found in store.read_figures(today, today))

    assert statuses == [200, 429, 429]
    until(lambda: limits_hit() == 2)
