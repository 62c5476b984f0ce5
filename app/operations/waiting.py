"""Visitors who wait for a person's words: each keeps a request open until there is news.

Whoever changes something in a session says so to the waiters of this process and, over the
bus, to those of others. What nobody says (a command, a machine without a common Redis, a
message that was lost) is found by looking into the store.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial

import gevent
from gevent.event import Event

from app.bus.protocol import Bus, BusMessage, SessionChanged
from app.domain.conversation import SessionEvents
from app.domain.errors import Overloaded, ServerRestarting, ServiceError, StorageUnavailable
from app.storage.people_store import PeopleStore

log = logging.getLogger(__name__)

MAX_WAIT_S = 25
# With a bus, only what it does not carry is found so.
LOOK_EVERY_S = 1.0
LOOK_WITH_BUS_EVERY_S = 5.0
# Where more sessions wait, each is looked at less often.
_MAX_LOOKS_A_S = 50
_FULL_RETRY_S = 5.0
_RESTART_RETRY_S = 2.0

Wake = Callable[[], object]
Watching = Callable[[Callable[[], None]], AbstractContextManager[object]]
"""Calls what it is given when the client leaves, while its context lasts."""


class _Waiter:
    """One request; ``after`` is the event that its client knows."""

    __slots__ = ("after", "client", "is_gone", "session_id", "wake")

    def __init__(self, session_id: str, after: int, client: str, wake: Wake) -> None:
        self.session_id = session_id
        self.after = after
        self.client = client
        self.wake = wake
        self.is_gone = False


class Waiting:
    """The waiters of this process, at most ``most``; ``bus`` tells of what others change."""

    def __init__(
        self, people: PeopleStore, most: int, bus: Bus | None = None, *, look_every_s: float
    ) -> None:
        self._people = people
        self._most = most
        self._bus = bus
        self._look_every_s = look_every_s
        self._by_session: dict[str, list[_Waiter]] = {}
        self._by_client: Counter[str] = Counter()
        self._is_listening = False
        self._is_looking = False
        self._is_ending = False

    @property
    def count(self) -> int:
        """How many wait in this process."""
        return self._by_client.total()

    def read(self, session_id: str, after: int) -> SessionEvents | None:
        """Return a session's events after one of them; ``None`` where there are none.

        A conversation that has none so far, though one was known, is another one, or gone:
        that is news, too.

        Raises:
            SessionExpired, StorageUnavailable: see the store.
        """
        found = self._people.events_since(session_id, after)
        return found if _is_news(found, after) else None

    def enter(
        self, session_id: str, after: int, wake: Wake, *, client: str = "", most_of_client: int = 0
    ) -> Callable[[], None]:
        """Take a place; ``wake`` is called, perhaps often, when there may be news.

        To be entered before the events are read: what comes meanwhile is not missed. Returns
        what gives the place up; called again, it does nothing. ``client`` may take
        ``most_of_client`` places; 0 is no limit.

        Raises:
            Overloaded: all places are taken; ServerRestarting: the process is going down.
        """
        if self._is_ending:
            raise ServerRestarting(retry_after_s=_RESTART_RETRY_S)
        is_one_too_many = 0 < most_of_client <= self._by_client[client]
        if is_one_too_many or self.count >= self._most:
            raise Overloaded(retry_after_s=_FULL_RETRY_S)
        waiter = _Waiter(session_id, after, client, wake)
        self._by_session.setdefault(session_id, []).append(waiter)
        self._by_client[client] += 1
        self._attend()
        return partial(self._leave, waiter)

    def wait(
        self,
        session_id: str,
        after: int,
        wait_s: float,
        *,
        client: str = "",
        most_of_client: int = 0,
        watching: Watching = lambda _leave: nullcontext(),
    ) -> SessionEvents | None:
        """Return a session's events after one of them, as soon as there are some.

        ``None`` where none came in time, or the client has left.

        Raises:
            Overloaded, ServerRestarting: see ``enter``.
            SessionExpired, StorageUnavailable: see the store.
        """
        give_up_at = time.monotonic() + wait_s
        news, has_left = Event(), Event()

        def leave() -> None:
            has_left.set()
            news.set()

        give_up = self.enter(
            session_id, after, news.set, client=client, most_of_client=most_of_client
        )
        try:
            with watching(leave):
                while (found := self.read(session_id, after)) is None:
                    is_woken = news.wait(give_up_at - time.monotonic())
                    if not is_woken or has_left.is_set() or self._is_ending:
                        return None
                    news.clear()
            return found
        finally:
            give_up()

    def tell(self, session_id: str) -> None:
        """Say that something was changed in a session, here and to other processes."""
        self._wake(session_id)
        if self._bus is not None:
            self._bus.send(SessionChanged(session_id))

    def end(self) -> None:
        """Let all waiters go, and nobody wait from now on: the process is going down."""
        self._is_ending = True
        for session_id in list(self._by_session):
            self._wake(session_id)

    def _leave(self, waiter: _Waiter) -> None:
        if waiter.is_gone:
            return
        waiter.is_gone = True
        waiters = self._by_session[waiter.session_id]
        waiters.remove(waiter)
        if not waiters:
            del self._by_session[waiter.session_id]
        self._by_client[waiter.client] -= 1
        if not self._by_client[waiter.client]:
            del self._by_client[waiter.client]

    def _attend(self) -> None:
        # Not before somebody waits: by then the process has been forked.
        if not self._is_listening:
            self._is_listening = True
            if self._bus is not None:
                self._bus.listen(self._receive)
        if not self._is_looking:
            self._is_looking = True
            gevent.spawn(self._look_on)

    def _receive(self, message: BusMessage) -> None:
        if isinstance(message, SessionChanged):
            self._wake(message.session_id)

    def _wake(self, session_id: str) -> None:
        for waiter in list(self._by_session.get(session_id, ())):
            waiter.wake()

    def _look_on(self) -> None:
        """Look at one session after the other, as long as somebody waits."""
        try:
            while self._by_session:
                gevent.sleep(max(self._look_every_s / len(self._by_session), 1 / _MAX_LOOKS_A_S))
                self._look_at_next()
        finally:
            self._is_looking = False

    def _look_at_next(self) -> None:
        if not self._by_session:
            return
        session_id = next(iter(self._by_session))
        waiters = self._by_session.pop(session_id)
        self._by_session[session_id] = waiters  # the next look at it comes after all others
        try:
            after = min(each.after for each in waiters)
            has_news = _is_news(self._people.events_since(session_id, after, limit=1), after)
        except StorageUnavailable:
            return
        except ServiceError:  # deleted: each hears it for itself
            has_news = True
        except Exception:
            log.exception("A look for news failed unexpectedly")
            return
        if has_news:
            self._wake(session_id)


def _is_news(found: SessionEvents, after: int) -> bool:
    return bool(found.events) or found.next < after
