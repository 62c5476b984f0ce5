"""Visitors who wait, in one process and over a bus that the test carries."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import gevent
import pytest

from app.bus.protocol import BusMessage, SessionChanged
from app.domain.conversation import Message, SessionEvent, SessionEvents
from app.domain.errors import Overloaded, ServerRestarting, SessionExpired, StorageUnavailable
from app.operations.waiting import Waiting
from tests.fakes import until

NEVER_S = 1000.0
LONG_S = 20.0


class Events:
    """The events of sessions; ``looks`` are the sessions that were looked at."""

    def __init__(self) -> None:
        self.of: dict[str, list[SessionEvent]] = {}
        self.looks: list[str] = []
        self.failure: Exception | None = None
        self.is_gone = False

    def add(self, session_id: str) -> None:
        events = self.of.setdefault(session_id, [])
        n = len(events) + 1
        events.append(SessionEvent(n, Message("operator", f"word {n}")))

    def events_since(self, session_id: str, after: int, *, limit: int = 100) -> SessionEvents:
        self.looks.append(session_id)
        if self.failure is not None:
            raise self.failure
        if self.is_gone:
            return SessionEvents("bot", [], 0)
        events = self.of.get(session_id, [])
        return SessionEvents("human", events[after:][:limit], max(after, len(events)))


class Wire:
    """A bus whose messages the test carries."""

    def __init__(self) -> None:
        self.sent: list[BusMessage] = []
        self.receive: Callable[[BusMessage], object] = lambda _: None

    def send(self, message: BusMessage) -> None:
        self.sent.append(message)

    def listen(self, receive: Callable[[BusMessage], object]) -> None:
        self.receive = receive


@pytest.fixture
def events() -> Events:
    return Events()


def make(events: Events, most: int = 100, look_every_s: float = NEVER_S) -> Waiting:
    return Waiting(events, most, look_every_s=look_every_s)  # type: ignore[arg-type]


@contextmanager
def waiting_in(
    waiting: Waiting, session_id: str = "s-1", after: int = 0, **options: object
) -> "Iterator[gevent.Greenlet[..., SessionEvents | None]]":
    """A visitor who waits by now."""
    before = waiting.count
    waiter = gevent.spawn(waiting.wait, session_id, after, LONG_S, **options)
    until(lambda: waiting.count > before)
    gevent.sleep(0)
    yield waiter
    waiter.kill()


def test_news_that_are_there_already_are_told_at_once(events: Events) -> None:
    events.add("s-1")

    found = make(events).wait("s-1", 0, LONG_S)

    assert found == SessionEvents("human", events.of["s-1"], 1)


def test_who_does_not_wait_hears_that_there_is_nothing(events: Events) -> None:
    assert make(events).read("s-1", 0) is None


def test_waiter_is_woken_by_what_this_process_changes(events: Events) -> None:
    waiting = make(events)
    with waiting_in(waiting) as waiter, waiting_in(waiting, "s-2") as other:
        events.add("s-1")
        waiting.tell("s-1")

        assert waiter.get(timeout=LONG_S).next == 1
        assert not other.ready()
    assert waiting.count == 0


def test_all_waiters_of_a_session_are_woken(events: Events) -> None:
    waiting = make(events)
    with waiting_in(waiting) as one, waiting_in(waiting) as other:
        events.add("s-1")
        waiting.tell("s-1")

        assert one.get(timeout=LONG_S) == other.get(timeout=LONG_S) is not None


def test_other_processes_are_told_and_heard(events: Events) -> None:
    wire = Wire()
    waiting = Waiting(events, 100, wire, look_every_s=NEVER_S)  # type: ignore[arg-type]
    waiting.tell("s-9")
    with waiting_in(waiting) as waiter:
        events.add("s-1")
        wire.receive(SessionChanged("s-1"))

        assert waiter.get(timeout=LONG_S).next == 1
    assert wire.sent == [SessionChanged("s-9")]


@pytest.mark.slow
def test_what_nobody_says_is_found_by_one_look_a_session(events: Events) -> None:
    waiting = make(events, look_every_s=0.001)
    with waiting_in(waiting) as one, waiting_in(waiting, after=1) as other:
        events.looks.clear()
        until(lambda: len(events.looks) >= 2)
        events.add("s-1")

        assert one.get(timeout=LONG_S).next == 1
        assert not other.ready()
        events.add("s-1")
        assert other.get(timeout=LONG_S).next == 2
    until(lambda: not waiting._is_looking)


@pytest.mark.slow
def test_sessions_are_looked_at_in_turn(events: Events) -> None:
    waiting = make(events, look_every_s=0.001)
    with waiting_in(waiting, "s-1"), waiting_in(waiting, "s-2"), waiting_in(waiting, "s-3"):
        events.looks.clear()
        until(lambda: len(events.looks) >= 6)

        assert sorted(events.looks[:3]) == sorted(events.looks[3:6]) == ["s-1", "s-2", "s-3"]


def test_store_that_is_away_keeps_waiters_waiting(events: Events) -> None:
    waiting = make(events, look_every_s=0.001)
    with waiting_in(waiting) as waiter:
        events.failure = StorageUnavailable()
        events.looks.clear()
        until(lambda: len(events.looks) >= 2)
        assert not waiter.ready()
        events.failure = None
        events.add("s-1")

        assert waiter.get(timeout=LONG_S).next == 1


def test_waiter_hears_that_the_session_was_deleted(events: Events) -> None:
    waiting = make(events)
    with waiting_in(waiting) as waiter:
        events.failure = SessionExpired()
        waiting.tell("s-1")

        with pytest.raises(SessionExpired):
            waiter.get(timeout=LONG_S)


def test_waiter_hears_that_the_conversation_is_gone(events: Events) -> None:
    waiting = make(events, look_every_s=0.001)
    events.add("s-1")
    with waiting_in(waiting, after=1) as waiter:
        events.is_gone = True

        assert waiter.get(timeout=LONG_S) == SessionEvents("bot", [], 0)
    assert waiting.read("s-1", 0) is None


def test_who_leaves_gives_up_the_place(events: Events) -> None:
    waiting = make(events)
    leave: list[Callable[[], None]] = []

    @contextmanager
    def watching(call: Callable[[], None]) -> Iterator[None]:
        leave.append(call)
        yield

    with waiting_in(waiting, watching=watching) as waiter:
        leave[0]()

        assert waiter.get(timeout=LONG_S) is None
    assert waiting.count == 0


def test_more_than_may_wait_are_refused(events: Events) -> None:
    waiting = make(events, most=1)
    with waiting_in(waiting), pytest.raises(Overloaded) as refused:
        waiting.wait("s-2", 0, LONG_S)

    assert refused.value.retry_after_s == 5.0
    assert waiting.wait("s-2", 0, 0.001) is None


def test_a_client_may_wait_so_often_and_others_all_the_same(events: Events) -> None:
    waiting = make(events)
    options = {"client": "192.0.2.1", "most_of_client": 1}
    with waiting_in(waiting, **options):
        with pytest.raises(Overloaded):
            waiting.wait("s-2", 0, LONG_S, client="192.0.2.1", most_of_client=1)

        assert waiting.wait("s-2", 0, 0.001, client="192.0.2.2", most_of_client=1) is None


def test_process_that_goes_down_lets_all_go_at_once(events: Events) -> None:
    waiting = make(events)
    with waiting_in(waiting) as one, waiting_in(waiting, "s-2") as other:
        waiting.end()

        assert one.get(timeout=LONG_S) is other.get(timeout=LONG_S) is None
    with pytest.raises(ServerRestarting):
        waiting.wait("s-1", 0, LONG_S)
    events.add("s-1")
    assert waiting.read("s-1", 0) is not None
