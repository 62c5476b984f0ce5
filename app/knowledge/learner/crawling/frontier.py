"""Which pages are looked at next, each once."""

import heapq
from collections import Counter
from itertools import count
from urllib.parse import urlsplit

MAX_WAITING = 50_000
# More of one path are a calendar, or a filter.
_MAX_VARIANTS = 50


class Frontier:
    """Addresses that wait: first those to begin with, then new ones, then the longest unseen."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, str]] = []
        self._number = count()
        self._seen: set[str] = set()
        self._variants: Counter[str] = Counter()

    def add(self, url: str, rank: int) -> str | None:
        """Let an address wait, lowest rank first; return why not, or ``None``.

        One that waits, or was taken, is passed over.
        """
        if url in self._seen:
            return None
        if len(self._seen) >= MAX_WAITING:
            return f"more than {MAX_WAITING} addresses"
        path, query = url.partition("?")[0], urlsplit(url).query
        if query and self._variants[path] >= _MAX_VARIANTS:
            return f"one of more than {_MAX_VARIANTS} variants of a page"
        self._variants[path] += bool(query)
        self._seen.add(url)
        heapq.heappush(self._heap, (rank, next(self._number), url))
        return None

    def take(self) -> str | None:
        """Return the next address; ``None`` where none waits."""
        return heapq.heappop(self._heap)[2] if self._heap else None

    def see(self, url: str) -> bool:
        """Note that an address was come upon otherwise; return whether that is new."""
        is_new = url not in self._seen
        self._seen.add(url)
        return is_new

    def __len__(self) -> int:
        return len(self._heap)
