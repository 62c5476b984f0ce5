"""Turns: a question is stored, answered once, and the answer is stored."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import gevent
from structlog.contextvars import bind_contextvars

from app.assistants import Assistant, Assistants
from app.bus.protocol import Bus, BusMessage, StopRequest, TurnRelay
from app.domain.conversation import Answer, PromptMessage, Question, Turn
from app.domain.errors import (
    BudgetExhausted,
    DailyLimitReached,
    ModelPaused,
    Overloaded,
    ServerRestarting,
    ServiceError,
    SwitchedOff,
    TooManyRequests,
    TurnInProgress,
)
from app.domain.events import TurnDone, TurnEnded, TurnFailed
from app.domain.grounding import Grounds
from app.limits.budget import Reservation
from app.settings import TurnPolicy
from app.storage.protocol import ConversationStore
from app.turns.admission import Admission
from app.turns.endings import RESTART_RETRY_S, Ending
from app.turns.finding import Finding
from app.turns.following import Following
from app.turns.prompts import Prompts
from app.turns.repeated import HeldTurn, RepeatedTurn
from app.turns.transcript import Outlet
from app.turns.turn import KeepAnswer, RunningTurn

log = logging.getLogger(__name__)

_BUSY_POLL_S = 0.25
_BUSY_RETRY_S = 1.0
_OVERLOADED_RETRY_S = 5.0
_DRAIN_POLL_S = 0.05
# What keeps a model from being asked, and nobody from being heard by a person.
_OF_MODELS = (BudgetExhausted, DailyLimitReached, ModelPaused, SwitchedOff)

StartedTurn = RunningTurn | RepeatedTurn


@dataclass(frozen=True, slots=True)
class BegunTurn:
    """A turn that is ours to run, who is asked what, and what it was let in with.

    ``turn`` holds no prompt of its own: a long one would be held to the answer's end.
    ``grounds`` are what a grounded answer stands on. Without a ``reservation`` no model
    may be asked: a person is to answer.
    """

    turn: Turn
    assistant: Assistant
    prompt: Sequence[PromptMessage]
    reservation: Reservation | None
    grounds: Grounds | None = None


class TurnService:
    """Begins turns and keeps hold of those that run in this process.

    ``max_running`` bounds them all together. ``listeners`` hear of each that has
    ended, in their order. Who did not ask reads them through ``following``.
    """

    def __init__(
        self,
        store: ConversationStore,
        assistants: Assistants,
        admission: Admission,
        max_running: int,
        keep: KeepAnswer = lambda _turn, _answer: None,
        bus: Bus | None = None,
        relay: TurnRelay | None = None,
        listeners: Sequence[Callable[[TurnEnded], None]] = (),
    ) -> None:
        self._store = store
        self._assistants = assistants
        self._admission = admission
        self._max_running = max_running
        self._keep = keep
        self._bus = bus
        self._listeners = listeners
        self._listening = False
        self._running: dict[str, RunningTurn] = {}
        self._beginning = 0
        self._draining = False
        self._relay = relay
        self.following = Following(
            store, admission, self._running, relay, self._refuse_while_draining
        )

    def begin(self, question: Question, client: str) -> BegunTurn:
        """Store a question and own its turn.

        Waits for the session's running turn, up to the policy's limit; one that
        nobody reads any more is ended for it.
        ``client`` is what a visitor's address is limited by. The question's
        assistant is one of ours.

        Raises:
            TurnInProgress: it still runs, or this very turn does.
            AssistantMismatch, TurnMismatch, TurnNotLast, StorageUnavailable: see the store.
            Overloaded: this process holds as many turns as it may, of all
                or of this client.
            SwitchedOff, ModelPaused, BudgetExhausted, DailyLimitReached:
                see ``Admission``; not where a person is to answer.
        """
        self._refuse_one_too_many()
        self._beginning += 1
        try:
            assistant = self._assistants[question.assistant]
            policy = assistant.settings.turns
            prompts = Prompts(policy)
            opening = prompts.opening(question)
            try:
                reservation = self._admission.admit(assistant, client, question.session_id, opening)
            except _OF_MODELS as refused:
                return self._begin_for_people(question, assistant, refused)
            try:
                finding = Finding(assistant, question)
                turn = self._begin(question, policy)
                if question.history:
                    said = [*question.history, *turn.prompt[-1:]]
                    turn = replace(turn, prompt=said[-policy.history_limit :])
                grounds = finding.grounds(turn)
                return self._cover(turn, assistant, prompts, reservation, grounds)
            except BaseException:
                reservation.give_back()
                raise
        finally:
            self._beginning -= 1

    def run(
        self,
        begun: BegunTurn,
        request_id: str | None = None,
        outlet: Outlet | None = None,
        *,
        can_return: bool = False,
        protocol: str = "",
    ) -> StartedTurn:
        """Start to answer a turn; the caller reads its events, and leaves.

        Where the visitor ``can_return``, the turn waits for that. Where a person is to
        answer, no model is asked. ``protocol`` is how it was asked for, as listeners hear.
        """
        turn, policy = begun.turn, begun.assistant.settings.turns
        reservation = begun.reservation
        if reservation is None or turn.answer is not None or turn.state != "bot":
            if reservation is not None:
                reservation.give_back()
            if turn.answer is not None:
                told = RepeatedTurn(turn, request_id, protocol=protocol)
            else:
                holding = begun.assistant.settings.people.holding_message
                told = HeldTurn(turn, holding, request_id, protocol)
            self._tell(told.summary())
            return told
        running = RunningTurn(
            turn,
            begun.prompt,
            reservation,
            self._store,
            begun.assistant.asked,
            policy,
            self._keep,
            self._forget,
            request_id,
            policy.leave_grace_s if can_return else 0,
            protocol,
            begun.grounds,
        )
        self._running[turn.session_id] = running
        self._listen()
        running.start(outlet)
        return running

    def complete(self, running: StartedTurn) -> TurnDone:
        """Wait for the whole answer.

        Raises:
            ServiceError: what a stream would end with.
        """
        for event in running.events():
            if isinstance(event, TurnDone):
                return event
            if isinstance(event, TurnFailed):
                raise event.error
        raise AssertionError("a turn ends with a terminal event")

    def stop(self, session_id: str, turn_id: str | None = None) -> None:
        """Stop a running turn, whichever process runs it; what was said is kept.

        Without ``turn_id``, whichever turn of the session runs.
        """
        self._stop(StopRequest(session_id, turn_id))

    def _refuse_one_too_many(self) -> None:
        self._refuse_while_draining()
        if self._held >= self._max_running:
            raise Overloaded(retry_after_s=_OVERLOADED_RETRY_S)

    def _refuse_while_draining(self) -> None:
        if self._draining:
            raise ServerRestarting(retry_after_s=RESTART_RETRY_S)

    @property
    def is_draining(self) -> bool:
        """Whether the process is going down and takes no new turns."""
        return self._draining

    @property
    def running_count(self) -> int:
        """How many turns run in this process."""
        return len(self._running)

    def drain(self, patience_s: float, save_s: float = 5.0) -> None:
        """Take no new turns; let running ones finish, then end them.

        Returns when all have stored what was said, at the latest ``save_s``
        after ``patience_s``.
        """
        self._draining = True
        deadline = time.monotonic() + patience_s
        while self._held and time.monotonic() < deadline:
            gevent.sleep(_DRAIN_POLL_S)
        deadline = time.monotonic() + save_s
        while self._held and time.monotonic() < deadline:
            for running in list(self._running.values()):
                running.cancel(Ending.RESTARTING)
            gevent.sleep(_DRAIN_POLL_S)

    @property
    def _held(self) -> int:
        # A turn that begins counts from its admission: many may wait for the
        # store at once, and none must be cut off between the store and `run`.
        return len(self._running) + self._beginning

    def _begin(self, question: Question, policy: TurnPolicy) -> Turn:
        give_up_at = time.monotonic() + policy.busy_wait_s
        lease_s = policy.turn_timeout_s + policy.lease_grace_s
        while True:
            try:
                return self._store.begin_turn(
                    question, history_limit=policy.history_limit, lease_s=lease_s
                )
            except TurnInProgress as busy:
                left_s = give_up_at - time.monotonic()
                if left_s <= 0 or busy.turn_id == question.turn_id:
                    raise TurnInProgress(
                        retry_after_s=_BUSY_RETRY_S, turn_id=busy.turn_id
                    ) from busy
            self._stop(StopRequest(question.session_id, if_unread=True))
            self._wait_for(question.session_id, left_s)
            self._refuse_while_draining()

    def _begin_for_people(
        self, question: Question, assistant: Assistant, refused: ServiceError
    ) -> BegunTurn:
        """Take a question in that is for a person; raise ``refused`` where it is for a model."""
        thread = self._store.read_session(question.session_id, limit=1)
        if thread is None or thread.conversation.state == "bot":
            raise refused
        turn = self._begin(question, assistant.settings.turns)
        if turn.answer is None and turn.state == "bot":  # given back meanwhile
            self._store.finish_turn(turn, Answer("", "error", error_code=refused.code))
            raise refused
        bind_contextvars(conversation=turn.conversation_id, turn=turn.id)
        return BegunTurn(turn.without_prompt(), assistant, (), None)

    def _cover(
        self,
        turn: Turn,
        assistant: Assistant,
        prompts: Prompts,
        reservation: Reservation,
        grounds: Grounds | None,
    ) -> BegunTurn:
        """Make a turn's whole prompt, and pay for it; one that asks no model needs none."""
        bind_contextvars(conversation=turn.conversation_id, turn=turn.id)
        is_said = grounds is not None and grounds.fixed is not None
        if turn.answer is not None or turn.state != "bot" or is_said:
            return BegunTurn(turn.without_prompt(), assistant, (), reservation, grounds)
        prompt, tokens = prompts.make(turn.prompt, reservation.fit, grounds)
        try:
            reservation.cover(tokens)
        except TooManyRequests as refused:
            # The question stands; the same turn may be tried again tomorrow.
            self._store.finish_turn(turn, Answer("", "error", error_code=refused.code))
            raise
        return BegunTurn(turn.without_prompt(), assistant, prompt, reservation, grounds)

    def _wait_for(self, session_id: str, left_s: float) -> None:
        running = self._running.get(session_id)
        if running is not None:
            running.wait_ended(left_s)
        else:  # it runs in another process
            gevent.sleep(min(_BUSY_POLL_S, left_s))

    def _listen(self) -> None:
        # Not before a turn runs here: by then the process has been forked.
        if not self._listening:
            self._listening = True
            if self._relay is not None:
                self._relay.offer(self.following.join)
            if self._bus is not None:
                self._bus.listen(self._receive)

    def _stop(self, request: StopRequest) -> None:
        if not self._stop_here(request) and self._bus is not None:
            self._bus.send(request)

    def _receive(self, message: BusMessage) -> None:
        if isinstance(message, StopRequest):
            self._stop_here(message)

    def _stop_here(self, request: StopRequest) -> bool:
        running = self._running.get(request.session_id)
        if running is None or request.turn_id not in (None, running.turn.id):
            return False
        if not request.if_unread:
            running.cancel(Ending.STOPPED)
        elif not running.readers.are_there:
            running.cancel(Ending.LEFT)
        return True

    def _forget(self, running: RunningTurn) -> None:
        running.reservation.give_back()
        if self._running.get(running.turn.session_id) is running:
            del self._running[running.turn.session_id]
        self._tell(running.summary())

    def _tell(self, ended: TurnEnded) -> None:
        for listener in self._listeners:
            try:
                listener(ended)
            except Exception:  # who watches must not cost who is watched
                log.exception("A turn that ended was not told to all")
