"""Takes notices out of the outbox and tells the targets, until they have taken them.

Every worker of every machine looks now and then whether somebody does; one has the lease. A
notice is settled after each of its targets: when the process dies, nobody who has taken it
is told again, and whoever has the lease next goes on. Where the store is away just then,
this process remembers who has taken it.
"""

import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

import gevent
from gevent.event import Event
from gevent.pool import Pool

from app.domain.clock import now_ms
from app.domain.errors import StorageUnavailable
from app.domain.people import Notice
from app.notifications.delivery import NotTaken, NotYet, Pending, Target
from app.notifications.facts import Facts, read_facts
from app.settings import AssistantSettings
from app.storage.people_store import PeopleStore
from app.storage.protocol import ConversationStore

log = logging.getLogger(__name__)

_JOB = "notifications"
# Whoever puts a notice wakes the sender of its process. Each look is a call of the store,
# and some stores are paid by the call.
_LOOK_EVERY_S = 10.0
# Of those without the lease: as long as it lasts, nobody is told after a crash.
_OTHERS_LOOK_EVERY_S = 30.0
_LEASE_S = 60.0
_RENEW_EVERY_S = 20.0
_BATCH = 8
# Of a notice that is being sent. What has taken half of it begins no other attempt, of
# which the longest takes 30 s.
_NOTICE_LEASE_S = 90.0
_LAST_ATTEMPT_AFTER_S = 45.0
# Between two targets of a notice: only a process that died in the second leaves it so.
_AFTER_CRASH_S = 60.0
# Older ones were put before anybody was to be told: nobody wants to hear of them now.
_OLDEST_MS = 24 * 3600 * 1000
_MAX_PROBLEM_CHARS = 300


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a test: ``problem`` is ``None`` where the target took it."""

    target: str
    problem: str | None


class Sender:
    """Sends the notices of a deployment. ``clock`` is in ms since the Unix epoch."""

    def __init__(
        self,
        store: ConversationStore,
        people: PeopleStore,
        assistants: Mapping[str, AssistantSettings],
        targets: Sequence[Target],
        *,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self.targets = targets
        self._store = store
        self._people = people
        self._assistants = assistants
        self._by_name = {each.name: each for each in targets}
        self._clock = clock
        # Drawn at the first use: applications are made before the workers are forked.
        self._holder = ""
        self._renewed_at: int | None = None
        self._awake = Event()
        self._is_ending = False
        self._has_ended = Event()
        self._has_ended.set()
        # Of notices that could not be settled: the names of those that have taken them.
        self._taken_by: dict[str, set[str]] = {}

    def wake(self) -> None:
        """Look into the outbox at once, where this process has the lease."""
        self._awake.set()

    def watch(self) -> None:
        """Send whatever there is, until ``end``; returns at once where nobody is to be told."""
        self._has_ended.clear()
        try:
            while self.targets and not self._is_ending:
                self._send_some()
            self._give_lease_back()
        finally:
            self._has_ended.set()

    def end(self, patience_s: float) -> None:
        """Begin no attempt any more, and leave the rest to others.

        Returns when what was being told is settled, at the latest after ``patience_s``.
        """
        self._is_ending = True
        self._awake.set()
        self._has_ended.wait(patience_s)

    def run(self) -> int:
        """Take up to ``_BATCH`` notices that are due, and attempt them; returns how many.

        Raises:
            StorageUnavailable: nothing was taken.
        """
        self._holder = self._holder or secrets.token_hex(8)
        notices = self._people.claim_notices(self._holder, lease_s=_NOTICE_LEASE_S, limit=_BATCH)
        if not notices:
            return 0
        renewal = gevent.spawn(self._keep_lease)
        try:
            # Those of one conversation one after the other: what was told a moment ago counts.
            of_conversation = attrgetter("conversation_id")
            ordered = sorted(notices, key=lambda each: str(each.conversation_id))
            groups = [list(each) for _, each in groupby(ordered, of_conversation)]
            claimed_at = self._clock()
            Pool(_BATCH).map(lambda group: self._send_each(group, claimed_at), groups)
        finally:
            renewal.kill()
        return len(notices)

    def test(self, assistant: str) -> list[Outcome]:
        """Tell all targets of an assistant at once that this is a test; the outbox knows nothing.

        The visitor's mails go over the same server as the owner's: they are not tried alone.
        """
        notice = Notice(f"test-{secrets.token_hex(12)}", "test", self._clock(), assistant)
        facts = read_facts(self._store, self._assistants, notice)
        outcomes = []
        for target in self.targets:
            if facts is None or not target.is_for(facts):
                continue
            try:
                target.send(facts)
                outcomes.append(Outcome(target.name, None))
            except NotTaken as failure:
                outcomes.append(Outcome(target.name, str(failure)))
        return outcomes

    def _send_some(self) -> None:
        """Send a batch where this process has the lease; without more to send, wait for it."""
        has_lease = has_more = False
        try:
            has_lease = self._has_lease()
            has_more = has_lease and self.run() == _BATCH
        except StorageUnavailable as error:
            log.warning("Notices are sent later: %s", error.__cause__ or error)
        except Exception:  # a bug must not end the watch of a worker that lives for months
            log.exception("Notices failed unexpectedly")
        if not (has_more or self._is_ending):
            self._awake.wait(_LOOK_EVERY_S if has_lease else _OTHERS_LOOK_EVERY_S)
            self._awake.clear()

    def _has_lease(self) -> bool:
        now = self._clock()
        if self._renewed_at is not None and now - self._renewed_at < _RENEW_EVERY_S * 1000:
            return True
        self._holder = self._holder or secrets.token_hex(8)
        has_it = self._store.begin_job(_JOB, self._holder, lease_s=_LEASE_S, every_s=0)
        self._renewed_at = now if has_it else None
        return has_it

    def _give_lease_back(self) -> None:
        if self._renewed_at is not None:
            with suppress(StorageUnavailable):
                self._store.end_job(_JOB, self._holder)

    def _keep_lease(self) -> None:
        while True:
            gevent.sleep(_RENEW_EVERY_S)
            try:
                self._has_lease()
            except StorageUnavailable:
                log.debug("The lease of the notices was not prolonged")

    def _send_each(self, notices: Sequence[Notice], claimed_at: int) -> None:
        for notice in sorted(notices, key=attrgetter("created_at")):
            try:
                self._send(notice, claimed_at)
            except StorageUnavailable as error:
                # Its lease ends, and it is claimed again.
                log.warning("A notice is settled later: %s", error.__cause__ or error)
            except Exception:
                log.exception("A notice failed unexpectedly")

    def _send(self, notice: Notice, claimed_at: int) -> None:
        facts = read_facts(self._store, self._assistants, notice)
        pending = self._expand(notice, facts)
        problems: list[str] = []
        for at, each in enumerate(pending):
            now = self._clock()
            if facts is None or each.is_over or each.not_before > now:
                continue
            if self._is_ending:
                break
            if now - claimed_at > _LAST_ATTEMPT_AFTER_S * 1000:
                return
            pending[at], problem = self._attempt(facts, each)
            if problem:
                problems.append(problem)
            elif at + 1 < len(pending) and pending[at] == _TAKEN:
                left = tuple(str(other) for other in pending if other != _TAKEN)
                self._settle(notice._replace(pending=left), _AFTER_CRASH_S)
        self._finish(notice, [each for each in pending if each != _TAKEN], problems)

    def _expand(self, notice: Notice, facts: Facts | None) -> list[Pending]:
        """Return who is still to be told; before the first attempt, everybody whom it concerns."""
        if facts is None:
            return []
        if notice.pending is not None:
            known = map(Pending.parse, notice.pending)
            pending = [each for each in known if each.name in self._by_name]
        elif notice.created_at < self._clock() - _OLDEST_MS:
            pending = []
        else:
            pending = [Pending(each.name) for each in self.targets if each.is_for(facts)]
        taken_by = self._taken_by.get(notice.id, ())
        return [each for each in pending if each.name not in taken_by]

    def _attempt(self, facts: Facts, pending: Pending) -> tuple[Pending, str | None]:
        """Tell one target; returns what becomes of it, and what was wrong."""
        notice = facts.notice
        try:
            self._by_name[pending.name].send(facts)
        except NotYet as later:
            return pending.put_off(later.at), None
        except NotTaken as not_taken:
            failure = not_taken
        except StorageUnavailable:
            raise
        except Exception:  # of one target: the others are told all the same
            log.exception("A target of notices failed unexpectedly: %s", pending.name)
            failure = NotTaken("failed unexpectedly: see the log")
        else:
            self._taken_by.setdefault(notice.id, set()).add(pending.name)
            return _TAKEN, None
        left = pending.after(failure, self._clock())
        problem = f"{pending.name} {failure}"
        note = log.error if left.is_over else log.warning
        what = "it is given up" if left.is_over else "it is tried again"
        note("%s was not told of %s (%s): %s", pending.name, notice.type, failure.problem, what)
        return left, problem

    def _finish(self, notice: Notice, left: Sequence[Pending], problems: Sequence[str]) -> None:
        alive = [each for each in left if not each.is_over]
        settled = notice._replace(
            pending=tuple(str(each) if alive else each.name for each in left),
            attempts=notice.attempts + len(problems),
            problem="; ".join(problems)[:_MAX_PROBLEM_CHARS] or notice.problem,
            is_given_up=bool(left) and not alive,
        )
        if not alive:
            self._settle(settled, None)
            return
        due_at = min(each.not_before for each in alive)
        self._settle(settled, max(0.0, (due_at - self._clock()) / 1000))

    def _settle(self, notice: Notice, retry_in_s: float | None) -> None:
        self._people.settle_notice(self._holder, notice, retry_in_s=retry_in_s)
        self._taken_by.pop(notice.id, None)


_TAKEN = Pending("")
