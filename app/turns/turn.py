"""One turn while it runs: owned by its producer, read by whoever is there.

The producer is a greenlet that reads the model and stores the answer. With an
outlet it is the reader's own: deltas go from the model's socket to the
visitor's inside gevent's hub, and nobody is woken for them. Without one it is
a greenlet of its own that feeds the reader.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import gevent
from gevent.event import Event
from structlog.contextvars import bind_contextvars

from app.completion.endings import failure_of_ending, raise_limit
from app.completion.protocol import Completion, CompletionModel, SecondChoice
from app.completion.thinking import cut_thinking
from app.domain.conversation import (
    Answer,
    Heartbeat,
    PromptMessage,
    TokensReceived,
    Turn,
    TurnDone,
    TurnEvent,
    TurnFailed,
    TurnStarted,
    Usage,
)
from app.domain.errors import (
    Conflict,
    ModelFailure,
    ModelInterrupted,
    ModelTimeout,
    ServerRestarting,
    ServiceError,
    StorageUnavailable,
)
from app.limits.budget import Spending
from app.storage.protocol import ConversationStore
from app.turns.admission import Ticket
from app.turns.endings import Ending, Verdict, judge
from app.turns.transcript import Outlet, Relay

log = logging.getLogger(__name__)

_RESTART_RETRY_S = 2.0

KeepAnswer = Callable[[Turn, Answer], None]
"""Holds an answer that the store would not take; never raises."""


@dataclass(frozen=True, slots=True)
class TurnLimits:
    """What every turn is held to, and the owner's words where the model has none."""

    turn_timeout_s: float = 120.0
    heartbeat_s: float = 12.0
    # At most 800 KB: a message must fit into one document of Convex (1 MiB).
    max_answer_chars: int = 200_000
    max_output_tokens: int = 800
    refusal_message: str = "I can't help with that."


class RunningTurn:
    """A turn in progress. ``start`` it once; ``events`` has one reader."""

    __slots__ = (
        "_earlier_tokens",
        "_earlier_usage",
        "_ended",
        "_ending",
        "_interruptible",
        "_keep",
        "_limits",
        "_model",
        "_on_end",
        "_producer",
        "_prompt",
        "_relay",
        "_settled",
        "_started_at",
        "_store",
        "_terminal",
        "_was_asked",
        "answer",
        "request_id",
        "ticket",
        "turn",
    )

    def __init__(
        self,
        turn: Turn,
        prompt: Sequence[PromptMessage],
        ticket: Ticket,
        store: ConversationStore,
        model: CompletionModel,
        limits: TurnLimits,
        keep: KeepAnswer,
        request_id: str | None = None,
    ) -> None:
        self.turn = turn
        self.ticket = ticket
        self.answer: Answer | None = None
        self._store = store
        self._model = model
        self._limits = limits
        self._keep = keep
        self.request_id = request_id
        self._relay = Relay(limits.max_answer_chars)
        self._ended = Event()
        self._terminal: TurnEvent | None = None
        self._ending: Ending | None = None
        self._was_asked = False
        self._settled = False
        self._interruptible = False
        self._producer: Any = None
        # Until the first word: an attempt that comes to none is made once more.
        self._prompt = prompt
        # Of that attempt.
        self._earlier_usage: Usage | None = None
        self._earlier_tokens = 0
        self._started_at = time.monotonic()

    def start(self, on_end: Callable[["RunningTurn"], None], outlet: Outlet | None = None) -> None:
        """Begin to answer; a turn that is complete already is only told again.

        With an ``outlet`` it begins when its events are read. ``on_end`` is
        called once, when the answer is stored.
        """
        self._on_end = on_end
        stored = self.turn.answer
        if stored is None:
            self._relay.outlet = outlet
            if outlet is None:
                self._produce_apart()
            return
        self._settled = True
        self._relay.tell_again(stored.content)
        self._end(self._done(stored.content, stored.finish_reason, stored.id))

    def events(self) -> Iterator[TurnEvent]:
        """Yield what happens, until the one terminal event.

        With an outlet, deltas and heartbeats go there and are not yielded.
        """
        yield TurnStarted(self.turn.conversation_id, self.turn.id)
        relay = self._relay
        if relay.outlet is not None:
            self._produce_here(relay.outlet)
        while True:
            if relay.is_waiting:
                yield TokensReceived(relay.take())
            elif self._terminal is not None:
                break
            elif not relay.wait(self._limits.heartbeat_s):
                yield Heartbeat()
        yield self._terminal

    def cancel(self, ending: Ending) -> None:
        """Stop the model and keep what was said.

        The first call decides; one that comes while the answer is being
        stored, or later, changes nothing. May be called from the hub.
        """
        if self._settled:
            return
        if self._ending is None:
            self._ending = ending
        if self._producer is None:
            self._produce_apart()  # nobody may ever read its events
        elif self._interruptible:
            gevent.get_hub().loop.run_callback(self._interrupt)

    def wait_ended(self, timeout_s: float) -> bool:
        """Wait until the answer is stored; false when it took longer."""
        return bool(self._ended.wait(timeout_s))

    @property
    def token_count(self) -> int:
        """How many deltas have come so far."""
        return self._relay.count

    @property
    def first_token_ms(self) -> int | None:
        """How long after the turn's start the first delta came."""
        first_at = self._relay.first_at
        return None if first_at is None else round((first_at - self._started_at) * 1000)

    @property
    def failure(self) -> ServiceError | None:
        """What went wrong, unless the visitor had left."""
        if isinstance(self._terminal, TurnFailed) and self._ending is not Ending.LEFT:
            return self._terminal.error
        return None

    @property
    def outcome(self) -> str:
        """How the turn ended, in one word for logs and metrics."""
        if self.failure is not None:
            return self.failure.code
        if self._ending is not None:
            return self._ending.value
        return "done" if self._terminal is not None else "running"

    def _produce_apart(self) -> None:
        self._relay.outlet = None
        self._producer = gevent.spawn(self._produce_bound)

    def _produce_bound(self) -> None:
        # A greenlet inherits no context, and the hub, which has none, may have begun this one.
        turn = self.turn
        bind_contextvars(id=self.request_id, conversation=turn.conversation_id, turn=turn.id)
        self._produce()

    def _produce_here(self, outlet: Outlet) -> None:
        self._producer = gevent.getcurrent()
        beat_s = self._limits.heartbeat_s
        heart = gevent.get_hub().loop.timer(beat_s, beat_s)
        heart.start(outlet.beat)
        try:
            self._produce()
        finally:
            # From here the connection belongs to whoever writes what is yielded.
            heart.stop()
            heart.close()
            self._relay.outlet = None

    def _produce(self) -> None:
        deadline = gevent.get_hub().loop.timer(self._limits.turn_timeout_s)
        deadline.start(self.cancel, Ending.DEADLINE)
        try:
            terminal = self._conclude(*self._complete())
        except Exception:
            log.exception("A turn ended in an unexpected error")
            terminal = TurnFailed(ServiceError())
        finally:
            deadline.stop()
            deadline.close()
        self._end(terminal)

    def _complete(self) -> tuple[Completion | None, ServiceError | None]:
        """Run the model to its end; return what it told, and what went wrong."""
        completion = None
        self._interruptible = True
        try:
            if self._ending is None:
                self._was_asked = True
                self._relay.on_first = self._forget_prompt
                second_limit = None
                while True:
                    try:
                        with self._model.stream(
                            self._prompt, request_id=self.request_id, second_limit=second_limit
                        ) as completion:
                            self._hand_over(completion)
                        break
                    except ModelInterrupted as failure:
                        if not failure.ran_out or second_limit is not None:
                            raise
                        second_limit = self._afford_second(completion)
                        if second_limit is None:
                            raise
                        completion = None  # it is paid for
        except _Cancelled:
            pass
        except gevent.GreenletExit:  # meant for the reader, whose greenlet this is
            self._ending = self._ending or Ending.LEFT
        except ServiceError as error:
            return completion, error
        except Exception:  # a bug must not cost what was said, nor hold the session's lease
            log.exception("A model ended in an unexpected error")
            return completion, ServiceError()
        finally:
            self._interruptible = False
            self._settled = True
        return completion, None

    def _hand_over(self, completion: Completion) -> None:
        while not completion.relay(self._relay.receive) and not self._relay.is_full:
            self._make_room()

    def _afford_second(self, completion: Completion | None) -> int | None:
        """Pay for a second attempt, with the highest limit that the budget covers."""
        limit = self._limits.max_output_tokens
        usage = completion.usage if completion else None
        for second_limit in (raise_limit(limit), limit):
            if self.ticket.cover_again(second_limit):
                self._earlier_usage = usage
                self._earlier_tokens = self.ticket.estimate(
                    usage, limit, _first_failure_of(completion)
                )
                return second_limit
        return None

    def _forget_prompt(self) -> None:
        self._prompt = ()

    def _make_room(self) -> None:
        try:
            self._relay.make_room()
        except OSError:
            self._ending = self._ending or Ending.LEFT
            raise _Cancelled from None

    def _conclude(self, completion: Completion | None, failure: ServiceError | None) -> TurnEvent:
        """Store the answer, and say how the turn ended."""
        failure = failure or self._failure_of_end(completion)
        self.answer = answer = self._answer(completion, failure)
        try:
            finished = self._store.finish_turn(self.turn, answer)
            if finished is None:
                return TurnFailed(Conflict("The conversation was deleted or answered elsewhere"))
        except ServiceError as error:
            log.warning("The answer of a turn was not stored: %s", error.__cause__ or error)
            self._keep(self.turn, answer)
            return TurnFailed(error)
        except Exception:  # a bug in a store is to the visitor what its absence is
            log.exception("The answer of a turn was not stored")
            self._keep(self.turn, answer)
            return TurnFailed(StorageUnavailable())
        failure = self._cut_short() or failure
        if failure is not None:
            return TurnFailed(failure)
        return self._done(answer.content, answer.finish_reason, finished.message_id)

    def _pay(
        self, completion: Completion | None, said: str, failure: ServiceError | None
    ) -> int | None:
        was_cut = self._ending is not None or self._relay.is_full
        spending = Spending(
            self._was_asked,
            completion.usage if completion else None,
            said,
            self.token_count,
            failure,
            was_cut=was_cut,
            earlier_tokens=self._earlier_tokens,
            has_thought=completion is not None and completion.has_thought,
            first_failure=_first_failure_of(completion),
        )
        try:
            return self.ticket.settle(spending)
        except Exception:  # an account in disorder must not cost the answer
            log.exception("A turn was not paid for: what was reserved stays spent")
            return None

    def _answer(self, completion: Completion | None, failure: ServiceError | None) -> Answer:
        said = self._relay.text
        usage = completion.usage if completion else None
        told = cut_thinking(said).strip()
        content, status, finish_reason = self._verdict(told, completion, failure)
        failed = self._cut_short() or failure
        return Answer(
            content=content,
            status=status,
            model=completion.model if completion else None,
            usage=_add(self._earlier_usage, usage),
            latency_ms=round((time.monotonic() - self._started_at) * 1000),
            first_token_ms=self.first_token_ms,
            finish_reason=finish_reason,
            charged_tokens=self._pay(completion, said, failure),
            error_code=failed.code if failed else None,
            request_id=self.request_id,
        )

    def _verdict(
        self, said: str, completion: Completion | None, failure: ServiceError | None
    ) -> Verdict:
        if self._ending is not None:
            return said, "partial", self._ending.value
        if self._relay.is_full:
            return said, "complete", "length"
        if failure is None and completion is not None and completion.finish_reason is not None:
            return judge(said, completion, self._limits.refusal_message)
        return said, "partial" if said else "error", None

    def _failure_of_end(self, completion: Completion | None) -> ServiceError | None:
        if self._ending is not None or self._relay.is_full or completion is None:
            return None
        reason = completion.finish_reason
        if reason is None:
            return ModelInterrupted()
        has_said = bool(self._relay.text.strip() or completion.refusal)
        return failure_of_ending(reason, has_said=has_said, usage=completion.usage)

    def _cut_short(self) -> ServiceError | None:
        if self._ending is Ending.DEADLINE:
            return ModelTimeout()
        if self._ending is Ending.RESTARTING:
            return ServerRestarting(retry_after_s=_RESTART_RETRY_S)
        return None

    def _done(self, content: str, finish_reason: str | None, message_id: str | None) -> TurnDone:
        marked = finish_reason if finish_reason != "stop" else None
        return TurnDone(content, self.turn.conversation_id, self.turn.id, marked, message_id)

    def _end(self, terminal: TurnEvent) -> None:
        self._terminal = terminal
        self._relay.wake()
        self._ended.set()
        self._on_end(self)

    def _interrupt(self) -> None:
        if self._interruptible and self._producer is not None:
            self._interruptible = False
            self._producer.throw(_Cancelled())


def _first_failure_of(completion: Completion | None) -> ModelFailure | None:
    """Return why the model that was asked before does not answer, if one was."""
    return completion.first_failure if isinstance(completion, SecondChoice) else None


def _add(earlier: Usage | None, usage: Usage | None) -> Usage | None:
    """Return what two attempts used together, as far as the provider told."""
    if earlier is None or usage is None:
        return earlier or usage
    return Usage(
        earlier.prompt_tokens + usage.prompt_tokens,
        earlier.completion_tokens + usage.completion_tokens,
        (earlier.reasoning_tokens or 0) + (usage.reasoning_tokens or 0) or None,
    )


class _Cancelled(Exception):
    """Thrown into a producer that waits for its model."""
