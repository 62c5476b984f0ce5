"""Turns: a question is stored, answered once, and the answer is stored."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import gevent
from structlog.contextvars import bind_contextvars

from app.bus.protocol import StopBus, StopRequest
from app.completion.protocol import CompletionModel
from app.domain.conversation import Answer, PromptMessage, Question, Turn, TurnDone, TurnFailed
from app.domain.errors import Overloaded, ServerRestarting, TooManyRequests, TurnInProgress
from app.storage.protocol import ConversationStore
from app.turns.admission import Admission, Ticket
from app.turns.endings import Ending
from app.turns.prompts import make_prompt
from app.turns.transcript import Outlet
from app.turns.turn import KeepAnswer, RunningTurn, TurnLimits

_BUSY_POLL_S = 0.25
_BUSY_RETRY_S = 1.0
_OVERLOADED_RETRY_S = 5.0
_RESTARTING_RETRY_S = 2.0
_DRAIN_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class TurnPolicy:
    """What the settings decide of all turns.

    ``lease_grace_s`` is how long after its deadline a turn still owns its
    session, so that a slow write is not overtaken.
    """

    system_prompt: str
    history_limit: int = 30
    max_prompt_tokens: int = 8000
    busy_wait_s: float = 5.0
    lease_grace_s: float = 10.0
    max_running: int = 1500
    limits: TurnLimits = field(default_factory=TurnLimits)


@dataclass(frozen=True, slots=True)
class BegunTurn:
    """A turn that is ours to run, what its model is asked, and what it was let in with.

    ``turn`` holds no prompt of its own: a long one would be held to the answer's end.
    """

    turn: Turn
    prompt: Sequence[PromptMessage]
    ticket: Ticket


class TurnService:
    """Begins turns and keeps hold of those that run in this process.

    ``told`` hears of each that has ended.
    """

    def __init__(
        self,
        store: ConversationStore,
        model: CompletionModel,
        policy: TurnPolicy,
        admission: Admission,
        keep: KeepAnswer = lambda _turn, _answer: None,
        buses: Sequence[StopBus] = (),
        told: Callable[[RunningTurn], None] = lambda _running: None,
    ) -> None:
        self._store = store
        self._model = model
        self._policy = policy
        self._admission = admission
        self._keep = keep
        self._buses = buses
        self._told = told
        self._listening = False
        self._system = PromptMessage("system", policy.system_prompt)
        self._running: dict[str, RunningTurn] = {}
        self._beginning = 0
        self._draining = False

    def begin(self, question: Question, client: str) -> BegunTurn:
        """Store a question and own its turn.

        Waits for the session's running turn, up to the policy's limit.
        ``client`` is what a visitor's address is limited by.

        Raises:
            TurnInProgress: it still runs, or this very turn does.
            TurnMismatch, TurnNotLast, StorageUnavailable: see the store.
            Overloaded: this process holds as many turns as it may, of all
                or of this client.
            SwitchedOff, ModelPaused, BudgetExhausted, DailyLimitReached:
                see ``Admission``.
        """
        self.admit()
        self._beginning += 1
        try:
            asked = [self._system, PromptMessage("user", question.content)]
            ticket = self._admission.admit(client, question.session_id, asked)
            try:
                return self._cover(self._begin(question), ticket)
            except BaseException:
                ticket.give_back()
                raise
        finally:
            self._beginning -= 1

    def run(
        self, begun: BegunTurn, request_id: str | None = None, outlet: Outlet | None = None
    ) -> RunningTurn:
        """Start to answer a turn; the caller reads its events, or cancels it."""
        turn = begun.turn
        running = RunningTurn(
            turn,
            begun.prompt,
            begun.ticket,
            self._store,
            self._model,
            self._policy.limits,
            self._keep,
            request_id,
        )
        if turn.answer is None:
            self._running[turn.session_id] = running
            self._listen()
        running.start(self._forget, outlet)
        return running

    def complete(self, running: RunningTurn) -> TurnDone:
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
        request = StopRequest(session_id, turn_id)
        if not self._stop_here(request):
            for bus in self._buses:
                bus.send(request)

    def admit(self) -> None:
        """Refuse a turn that this process cannot take now."""
        if self._draining:
            raise ServerRestarting(retry_after_s=_RESTARTING_RETRY_S)
        if self._held >= self._policy.max_running:
            raise Overloaded(retry_after_s=_OVERLOADED_RETRY_S)

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

    def _begin(self, question: Question) -> Turn:
        give_up_at = time.monotonic() + self._policy.busy_wait_s
        lease_s = self._policy.limits.turn_timeout_s + self._policy.lease_grace_s
        while True:
            try:
                return self._store.begin_turn(
                    question, history_limit=self._policy.history_limit, lease_s=lease_s
                )
            except TurnInProgress as busy:
                left_s = give_up_at - time.monotonic()
                if left_s <= 0 or busy.turn_id == question.turn_id:
                    raise TurnInProgress(
                        retry_after_s=_BUSY_RETRY_S, turn_id=busy.turn_id
                    ) from busy
            self._wait_for(question.session_id, left_s)
            if self._draining:
                raise ServerRestarting(retry_after_s=_RESTARTING_RETRY_S)

    def _cover(self, turn: Turn, ticket: Ticket) -> BegunTurn:
        """Make a turn's whole prompt, and pay for it; one that is answered needs none."""
        bind_contextvars(conversation=turn.conversation_id, turn=turn.id)
        if turn.answer is not None:
            return BegunTurn(turn, (), ticket)
        max_tokens = self._policy.max_prompt_tokens
        prompt, tokens = make_prompt(self._system, turn.prompt, max_tokens, ticket.fit)
        try:
            ticket.cover(tokens)
        except TooManyRequests as refused:
            # The question stands; the same turn may be tried again tomorrow.
            self._store.finish_turn(turn, Answer("", "error", error_code=refused.code))
            raise
        return BegunTurn(replace(turn, prompt=()), prompt, ticket)

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
            for bus in self._buses:
                bus.listen(self._stop_here)

    def _stop_here(self, request: StopRequest) -> bool:
        running = self._running.get(request.session_id)
        if running is None or request.turn_id not in (None, running.turn.id):
            return False
        running.cancel(Ending.STOPPED)
        return True

    def _forget(self, running: RunningTurn) -> None:
        running.ticket.give_back()
        if self._running.get(running.turn.session_id) is running:
            del self._running[running.turn.session_id]
        self._told(running)
