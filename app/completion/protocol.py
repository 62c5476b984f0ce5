"""What a model must do."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from app.completion.model_list import ListedModel
from app.domain.conversation import PromptMessage, Usage
from app.domain.errors import ModelFailure

Receive = Callable[[Sequence[str]], bool]
"""Takes the deltas of one network read; answers whether more may come.

It may be called from gevent's hub, so it never blocks and never raises.
"""


@dataclass(slots=True)
class Outcome:
    """What a model tells beside its words: filled in as it does, final when it has ended."""

    has_begun: bool = False
    """Whether it has said anything, or why it ends without a word."""
    has_thought: bool = False
    """Whether it is known to have said anything that is no part of the answer."""
    finish_reason: str | None = None
    """Why it ended, in its provider's words; ``None`` while it did not say."""
    usage: Usage | None = None
    """The tokens used, where the provider told."""
    model: str | None = None
    """The model that answered, by its own account."""
    refusal: str | None = None
    """What it said in place of an answer that it refuses."""
    first_failure: ModelFailure | None = None
    """Why another model did not begin to answer, where one was asked before, in vain."""


class Completion(Protocol):
    """One run of the model, open until its context is left."""

    @property
    def outcome(self) -> Outcome:
        """What it tells; another one's where another model takes its place."""
        ...

    def relay(self, receive: Receive) -> bool:
        """Hand over deltas as they arrive, and wait.

        Returns true when the model has ended, false when ``receive`` did
        not want more for now: call again to go on.

        Raises:
            ModelFailure: what was handed over is all there will be.
        """
        ...


class CompletionModel(Protocol):
    """Something that answers prompts."""

    def stream(
        self,
        prompt: Sequence[PromptMessage],
        *,
        request_id: str | None = None,
        second_limit: int | None = None,
    ) -> AbstractContextManager[Completion]:
        """Start a completion; leaving its context stops the model.

        ``second_limit`` is given where the same prompt was asked and all that
        the answer might take went on thoughts: ask without them, or else with
        this limit.

        Sends the prompt, at the latest when the context is entered, and returns
        once the model has accepted it.

        Raises:
            ModelFailure: the model did not start.
        """
        ...

    def close(self) -> None:
        """Give back connections."""
        ...


@runtime_checkable
class RemoteModel(Protocol):
    """A model on a server that can be asked about itself."""

    @property
    def learnt(self) -> str:
        """What the server is known to take, in one line for the owner."""
        ...

    def list_models(self) -> Sequence[ListedModel]:
        """Return the models that the server has; none where it does not tell.

        Raises:
            ModelFailure: it could not be asked, or refuses the key.
        """
        ...
