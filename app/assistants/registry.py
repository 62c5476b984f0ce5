"""The assistants of a deployment, found by their keys and by their ids."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from app.completion.breaker import Breaker
from app.completion.protocol import CompletionModel
from app.domain.conversation import DEFAULT_ASSISTANT
from app.domain.origin import AllowedOrigins
from app.knowledge.protocol import Knowledge
from app.limits.budget import Meter
from app.settings import AssistantSettings


@dataclass(frozen=True, slots=True)
class Assistant:
    """One assistant at work: its settings, and what it shares with no other.

    Turns ask ``asked``, which is ``model`` and ``fallback`` behind their breakers;
    ``check_models`` raises while neither would answer. ``knowledge`` is what its owner's
    pages say, where this process may look into it.
    """

    settings: AssistantSettings
    origins: AllowedOrigins
    model_name: str
    model: CompletionModel
    fallback: CompletionModel | None
    asked: CompletionModel
    breaker: Breaker
    check_models: Callable[[], None]
    meter: Meter
    knowledge: Knowledge | None = None

    @property
    def id(self) -> str:
        """What its conversations, tokens and figures carry."""
        return self.settings.id


class Assistants:
    """All assistants of a deployment; the first is the default."""

    def __init__(self, assistants: Sequence[Assistant]) -> None:
        self.default = assistants[0]
        self.ids = tuple(each.id for each in assistants)
        self.origins = AllowedOrigins(
            origin for each in assistants for origin in each.settings.origins
        )
        """Those of all: a preflight does not say whom it is for."""
        self._by_id = {each.id: each for each in assistants}
        # By digest, so that the time of a look-up tells nothing of a key.
        self._by_key = {
            digest_key(key): each for each in assistants for key in each.settings.widget_api_keys
        }

    def __iter__(self) -> Iterator[Assistant]:
        """Yield all of them, the default first."""
        return iter(self._by_id.values())

    def __getitem__(self, assistant_id: str) -> Assistant:
        """Return the assistant of an id that is known."""
        return self._by_id[assistant_id]

    def get(self, assistant_id: str) -> Assistant | None:
        """Return the assistant of an id, if there is one."""
        return self._by_id.get(assistant_id)

    def of_key(self, key: str) -> Assistant | None:
        """Return the assistant that a widget key opens, if it opens any."""
        return self._by_key.get(digest_key(key))

    @property
    def are_several(self) -> bool:
        """Whether there are others than the default."""
        return self.ids != (DEFAULT_ASSISTANT,)


def digest_key(key: str) -> bytes:
    """Return what a key is compared by: of any key the same length, and no text outside ASCII."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
