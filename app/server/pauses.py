"""Pauses in long work, in which everybody else gets a turn."""

from collections.abc import Generator, Iterable

import gevent

# Any time but none: what waits no time is put behind what is ready already, and
# up to fifty times in a row the hub does not look whose bytes have come.
_SHORTEST_S = 1e-9
_PIECE_BYTES = 64 * 1024


def let_others_work() -> None:
    """Let everybody have a turn, those who wait for a socket, too."""
    gevent.sleep(_SHORTEST_S)


def gather(parts: Iterable[bytes]) -> Generator[bytes]:
    """Put small parts together to pieces of some size, and pause after each."""
    waiting: list[bytes] = []
    size = 0
    for part in parts:
        waiting.append(part)
        size += len(part)
        if size >= _PIECE_BYTES:
            yield b"".join(waiting)
            waiting, size = [], 0
            # A client that reads as fast as we write makes no write wait.
            let_others_work()
    if waiting:
        yield b"".join(waiting)
