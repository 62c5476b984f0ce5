"""Pages that were read wait in a file until all were: what repeats is known only then."""

import json
import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import IO, NamedTuple

from app.domain.knowledge import DocumentKind
from app.knowledge.learner.pages.page import Page, from_json, to_json


class Read(NamedTuple):
    """A page as it was read; ``key`` and ``url`` are those of the document it becomes."""

    key: str
    kind: DocumentKind
    url: str | None
    page: Page


class Spool:
    """A file without a name that ends with its process; a context manager.

    Links are left out: the crawl has them already.
    """

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile(prefix="perch-learn-")  # noqa: SIM115
        self._places: dict[str, int] = {}

    def __enter__(self) -> "Spool":
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, key: str) -> bool:
        return key in self._places

    def add(self, read: Read) -> None:
        """Keep a page; one of the same key stays as it is."""
        if read.key in self._places:
            return
        self._file.seek(0, 2)
        self._places[read.key] = self._file.tell()
        line = {**to_json(read.page), "links": []}
        self._file.write(json.dumps([read.key, read.kind, read.url, line]).encode() + b"\n")

    def __iter__(self) -> Iterator[Read]:
        for place in tuple(self._places.values()):
            yield self._at(place)

    def __getitem__(self, key: str) -> Read:
        return self._at(self._places[key])

    def _at(self, place: int) -> Read:
        self._file.seek(place)
        key, kind, url, page = json.loads(self._file.readline())
        return Read(key, kind, url, from_json(page))
