"""Pauses in long work, in which everybody else gets a turn."""

import gevent

# Any time but none: what waits no time is put behind what is ready already, and
# up to fifty times in a row the hub does not look whose bytes have come.
_SHORTEST_S = 1e-9


def let_others_work() -> None:
    """Let everybody have a turn, those who wait for a socket, too."""
    gevent.sleep(_SHORTEST_S)
