"""Makes what assistants know of their owners' pages."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from app.domain.errors import StorageUnavailable
from app.domain.knowledge import Similarities, StoreState
from app.knowledge.library import Library
from app.knowledge.vectors.spawn import make_nearest
from app.operations.knowledge.index_builds import IndexBuilds
from app.settings import AssistantSettings, Settings
from app.storage.cached_read import CachedRead

Nearest = Callable[[Path, str, int], Similarities | None]


class Libraries:
    """Makes the library of each assistant; they share the builds of indexes, and the sidecar."""

    def __init__(
        self, settings: Settings, state: CachedRead[StoreState], builds: IndexBuilds
    ) -> None:
        self._folder = settings.knowledge_path
        self._state = state
        self._builds = builds
        self._nearest = make_nearest(settings)

    def make(self, assistant: AssistantSettings) -> Library:
        """Return an assistant's library; it opens nothing before the first question."""
        return Library(
            self._folder,
            assistant.id,
            max_tokens=assistant.knowledge.max_tokens,
            version=partial(self._version, assistant.id),
            request_build=partial(self._builds.request, assistant.id),
            nearest=self._nearest,
        )

    def _version(self, assistant: str) -> int:
        try:
            return self._state.get().knowledge.get(assistant, 0)
        except StorageUnavailable:  # what was learnt stays known while the store is away
            seen = self._state.seen
            return seen.knowledge.get(assistant, 0) if seen else 0
