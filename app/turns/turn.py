"""One turn while it runs: asked, stored, and read by whoever is there.

Its producer is a greenlet that asks the model and stores the answer. With an
outlet it is that of the first reader: deltas go from the model's socket to the
visitor's inside gevent's hub, and nobody is woken for them (ADR 10). Without one
it is a greenlet of its own. Where nobody reads any more, it goes on for a
grace (ADR 19).
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from typing import Any

import gevent
from gevent.event import Event
from structlog.contextvars import bind_contextvars

from app.completion.protocol import CompletionModel
from app.domain.conversation import Answer, PromptMessage, Turn
from app.domain.errors import Conflict, ServiceError, StorageUnavailable
from app.domain.events import (
    Heartbeat,
    SourcesFound,
    TokensReceived,
    TurnEnded,
    TurnEvent,
    TurnFailed,
    TurnStarted,
)
from app.domain.grounding import Grounds
from app.limits.budget import Reservation
from app.settings import TurnPolicy
from app.storage.protocol import ConversationStore
from app.turns.asking import Asking, Interrupted
from app.turns.endings import Ending, SaidWhole
from app.turns.readers import Readers
from app.turns.settlement import done, settle
from app.turns.transcript import Outlet, Transcript

log = logging.getLogger(__name__)

KeepAnswer = Callable[[Turn, Answer], None]
"""Holds an answer that the store would not take; never raises."""


class State(Enum):
    """How far a turn has come."""

    NEW = "new"
    ASKING = "asking"
    STORING = "storing"
    OVER = "over"


class RunningTurn:
    """A turn in progress: ``start`` it once; who asked reads its ``events``.

    Any number may join its ``readers`` and ``read`` it; each of them leaves once.
    It is written on for ``grace_s`` when the last of them has gone. ``on_end`` is
    called once, when the answer is stored.
    """

    __slots__ = (
        "_answer",
        "_asking",
        "_ended",
        "_ending",
        "_grounds",
        "_keep",
        "_on_end",
        "_outlet",
        "_policy",
        "_producer",
        "_protocol",
        "_started_at",
        "_state",
        "_store",
        "_terminal",
        "_transcript",
        "readers",
        "request_id",
        "reservation",
        "turn",
    )

    def __init__(
        self,
        turn: Turn,
        prompt: Sequence[PromptMessage],
        reservation: Reservation,
        store: ConversationStore,
        model: CompletionModel,
        policy: TurnPolicy,
        keep: KeepAnswer,
        on_end: Callable[["RunningTurn"], None] = lambda _running: None,
        request_id: str | None = None,
        grace_s: float = 0.0,
        protocol: str = "",
        grounds: Grounds | None = None,
    ) -> None:
        self.turn = turn
        self.reservation = reservation
        self.request_id = request_id
        self._protocol = protocol
        self._store = store
        self._policy = policy
        self._keep = keep
        self._on_end = on_end
        self._grounds = grounds
        self._transcript = Transcript(policy.max_answer_chars)
        self._asking = Asking(
            model, prompt, self._transcript, reservation, policy.max_output_tokens
        )
        self._state = State.NEW
        self._ending: Ending | None = None
        self._outlet: Outlet | None = None
        self._producer: Any = None
        self.readers = Readers(grace_s)
        self._answer: Answer | None = None
        self._terminal: TurnEvent | None = None
        self._ended = Event()
        self._started_at = time.monotonic()

    def start(self, outlet: Outlet | None = None) -> None:
        """Begin to answer; with an ``outlet``, as soon as somebody reads the events."""
        self._outlet = outlet
        if outlet is None:
            self._produce_apart()

    def events(self) -> Iterator[TurnEvent]:
        """Yield to who asked what happens, from the beginning to the one terminal event.

        Where there is an outlet, deltas and heartbeats go through it, and are not
        yielded.

        Raises:
            BrokenPipeError: the visitor behind the outlet reads too slowly.
        """
        yield from self._begin()
        if self._outlet is not None:
            outlet, self._outlet = self._outlet, None
            self._produce_here(outlet)
            if self._terminal is not None:
                yield self._terminal
        else:
            yield from self._read()

    def read(self) -> Iterator[TurnEvent]:
        """Yield the same to one who has joined; what was said before comes as one text."""
        yield from self._begin()
        yield from self._read()

    def leave(self, outlet: Outlet | None = None) -> None:
        """Note that a reader has gone, and with it the ``outlet`` that it had.

        May be called from the hub.
        """
        if self._state in (State.STORING, State.OVER):
            return
        if outlet is not None:
            self._transcript.drop()
        self.readers.leave(self._end_unread)
        if self._producer is None:  # nobody may ever read its events
            self._produce_apart()

    def cancel(self, ending: Ending) -> None:
        """Stop the model and keep what was said.

        The first call decides; one that comes while the answer is being
        stored, or later, changes nothing. May be called from the hub.
        """
        if self._ending is not None or self._state in (State.STORING, State.OVER):
            return
        self._ending = ending
        if self._producer is None:
            self._produce_apart()  # nobody may ever read its events
        elif self._state is State.ASKING:
            gevent.get_hub().loop.run_callback(self._interrupt)

    def wait_ended(self, timeout_s: float) -> bool:
        """Wait until the answer is stored; false when it took longer."""
        return bool(self._ended.wait(timeout_s))

    @property
    def failure(self) -> ServiceError | None:
        """What went wrong, unless the visitor had left."""
        if isinstance(self._terminal, TurnFailed) and self._ending is not Ending.LEFT:
            return self._terminal.error
        return None

    def summary(self) -> TurnEnded:
        """Return what there is to tell of the turn when it is over."""
        failure = self.failure
        if failure is not None:
            outcome = failure.code
        else:
            outcome = self._ending.value if self._ending is not None else "done"
        return TurnEnded(
            self.turn,
            self._answer,
            outcome,
            failure,
            self._transcript.count,
            (time.monotonic() - self._started_at) * 1000,
            self.request_id,
            grounds=self._grounds,
            protocol=self._protocol,
        )

    def _begin(self) -> Iterator[TurnEvent]:
        yield TurnStarted(self.turn.conversation_id, self.turn.id)
        grounds = self._grounds
        if grounds is not None and grounds.fixed is None:
            yield SourcesFound(grounds.sources)

    def _read(self) -> Iterator[TurnEvent]:
        reader = self._transcript.read()
        try:
            if said := "".join(reader.take()):
                yield TokensReceived([said])
            while True:
                terminal = self._terminal
                if tokens := reader.take():
                    yield TokensReceived(tokens)
                elif terminal is not None:
                    yield terminal
                    return
                elif not reader.wait(self._policy.heartbeat_s):
                    yield Heartbeat()
        finally:
            reader.close()

    def _produce_apart(self) -> None:
        self._outlet = None
        self._producer = gevent.spawn(self._produce_bound)

    def _produce_bound(self) -> None:
        # A greenlet inherits no context, and the hub, which has none, may have begun this one.
        turn = self.turn
        bind_contextvars(id=self.request_id, conversation=turn.conversation_id, turn=turn.id)
        self._produce()

    def _produce_here(self, outlet: Outlet) -> None:
        self._producer = gevent.getcurrent()
        beat_s = self._policy.heartbeat_s
        heart = gevent.get_hub().loop.timer(beat_s, beat_s)
        heart.start(outlet.beat)
        self._transcript.attach(outlet)
        try:
            self._produce()
        finally:
            # From here the connection belongs to whoever writes what is yielded.
            heart.stop()
            heart.close()
            self._transcript.detach(self._policy.turn_timeout_s)

    def _produce(self) -> None:
        deadline = gevent.get_hub().loop.timer(self._policy.turn_timeout_s)
        deadline.start(self.cancel, Ending.DEADLINE)
        try:
            self._ask()
            terminal = self._store_answer()
        except Exception:
            log.exception("A turn ended in an unexpected error")
            terminal = TurnFailed(ServiceError())
        finally:
            deadline.stop()
            deadline.close()
            self.readers.close()
        self._state = State.OVER
        self._terminal = terminal
        self._transcript.wake()
        self._ended.set()
        self._on_end(self)

    def _ask(self) -> None:
        self._state = State.ASKING
        try:
            if self._ending is not None:
                return
            if self._grounds is not None and self._grounds.fixed is not None:
                self._transcript.receive([self._grounds.fixed])
                self._asking.asked.completion = SaidWhole()
            else:
                self._asking.run(self.request_id)
        except gevent.GreenletExit:  # meant for the reader, whose greenlet this is
            self._ending = self._ending or Ending.LEFT
        finally:
            self._state = State.STORING

    def _store_answer(self) -> TurnEvent:
        """Settle, store the answer, and say how the turn ended."""
        settled = settle(
            self._asking.asked,
            self._transcript,
            self._ending,
            self.reservation,
            self._policy.refusal_message,
            self._started_at,
            self.request_id,
            self._grounds,
        )
        self._answer = answer = settled.answer
        try:
            finished = self._store.finish_turn(self.turn, answer)
        except ServiceError as error:
            log.warning("The answer of a turn was not stored: %s", error.__cause__ or error)
            self._keep(self.turn, answer)
            return TurnFailed(error)
        except Exception:  # a bug in a store is to the visitor what its absence is
            log.exception("The answer of a turn was not stored")
            self._keep(self.turn, answer)
            return TurnFailed(StorageUnavailable())
        if finished is None:
            return TurnFailed(Conflict("The conversation was deleted or answered elsewhere"))
        if settled.failure is not None:
            return TurnFailed(settled.failure)
        return done(self.turn, answer, finished.message_id)

    def _end_unread(self) -> None:
        self.cancel(Ending.LEFT)

    def _interrupt(self) -> None:
        if self._state is State.ASKING:
            self._producer.throw(Interrupted())
