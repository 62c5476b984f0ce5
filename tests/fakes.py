"""Stand-ins at the protocols: a model that plays a script, a store that has bad days."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import gevent
from gevent.event import Event

from app.completion.protocol import Outcome, Receive
from app.domain.conversation import Answer, Finished, PromptMessage, Turn, Usage
from app.domain.errors import TurnInProgress
from app.storage.protocol import ConversationStore

WAIT_S = 20.0  # for what happens at once, on a slow machine


def until(look: Callable[[], object]) -> None:
    """Let other greenlets run until something is so."""
    with gevent.Timeout(WAIT_S, AssertionError("it never became true")):
        while not look():
            gevent.sleep(0.001)


class Gate:
    """Where a fake stops until its test lets it go on."""

    def __init__(self) -> None:
        self._reached = Event()
        self._opened = Event()

    def wait_reached(self) -> None:
        """Return when somebody stands before the gate."""
        assert self._reached.wait(WAIT_S), "nobody came to the gate"

    def open(self) -> None:
        self._opened.set()

    def pass_through(self) -> None:
        """Stand before the gate until it is open."""
        self._reached.set()
        assert self._opened.wait(WAIT_S), "the gate was never opened"


Read = Sequence[str] | Gate | Exception


class ScriptedModel:
    """A ``CompletionModel`` that plays reads: deltas, gates, failures.

    ``prompts`` are what it was asked; ``open_count`` is how many completions
    have not been left.
    """

    def __init__(self) -> None:
        self.prompts: list[Sequence[PromptMessage]] = []
        self.request_ids: list[str | None] = []
        self.second_limits: list[int | None] = []
        self.open_count = 0
        self.script("Hello", " there")

    def script(
        self,
        *reads: Read | str,
        start: Gate | Exception | None = None,
        finish_reason: str | None = "stop",
        usage: Usage | None = None,
        refusal: str | None = None,
    ) -> None:
        """Answer like this from now on; a plain string is a read of one delta."""
        self._start = start
        self._reads = [[read] if isinstance(read, str) else read for read in reads]
        self._told = {"finish_reason": finish_reason, "usage": usage, "refusal": refusal}

    @contextmanager
    def stream(
        self,
        prompt: Sequence[PromptMessage],
        *,
        request_id: str | None = None,
        second_limit: int | None = None,
    ) -> Iterator["ScriptedCompletion"]:
        self.prompts.append(prompt)
        self.request_ids.append(request_id)
        self.second_limits.append(second_limit)
        if isinstance(self._start, Exception):
            raise self._start
        if self._start is not None:
            self._start.pass_through()
        self.open_count += 1
        try:
            yield ScriptedCompletion(self._reads, self._told)
        finally:
            self.open_count -= 1

    def close(self) -> None: ...


class ScriptedCompletion:
    def __init__(self, reads: Sequence[Read], told: dict[str, Any]) -> None:
        self._reads = deque(reads)
        self._told = told
        self.outcome = Outcome(model="scripted")

    def relay(self, receive: Receive) -> bool:
        while self._reads:
            read = self._reads.popleft()
            if isinstance(read, Gate):
                read.pass_through()
            elif isinstance(read, Exception):
                raise read
            else:
                self.outcome.has_begun = True
                if not receive(read):
                    return False
        self.outcome.has_begun |= self._told["finish_reason"] is not None
        for name, value in self._told.items():
            setattr(self.outcome, name, value)
        return True


class TroubledStore:
    """A real store whose ``finish_turn`` waits or fails when told to."""

    def __init__(self, store: ConversationStore) -> None:
        self._store = store
        self.before_begin: Gate | Exception | None = None
        self.before_finish: Gate | Exception | None = None
        self.refused = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def begin_turn(self, *args: Any, **kwargs: Any) -> Turn:
        _meet(self.before_begin)
        try:
            return self._store.begin_turn(*args, **kwargs)
        except TurnInProgress:
            self.refused += 1
            raise

    def finish_turn(self, turn: Turn, answer: Answer) -> Finished | None:
        _meet(self.before_finish)
        return self._store.finish_turn(turn, answer)


def _meet(trouble: Gate | Exception | None) -> None:
    if isinstance(trouble, Exception):
        raise trouble
    if trouble is not None:
        trouble.pass_through()
