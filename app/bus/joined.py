"""The buses of a process as one, which any number of its parts listen to."""

import logging
from collections.abc import Callable, Sequence

from app.bus.protocol import Bus, BusMessage

log = logging.getLogger(__name__)


class JoinedBus:
    """A ``Bus`` over several, perhaps none; each listener hears what any of them brings."""

    def __init__(self, buses: Sequence[Bus]) -> None:
        self._buses = buses
        self._listeners: list[Callable[[BusMessage], object]] = []

    def send(self, message: BusMessage) -> None:
        """Tell the other processes."""
        for bus in self._buses:
            bus.send(message)

    def listen(self, receive: Callable[[BusMessage], object]) -> None:
        """Hand over what other processes send; not before the process has been forked."""
        self._listeners.append(receive)
        if len(self._listeners) == 1:
            for bus in self._buses:
                bus.listen(self._receive)

    def _receive(self, message: BusMessage) -> None:
        for receive in self._listeners:
            try:
                receive(message)
            except Exception:  # the bus must go on
                log.exception("A message of another process failed unexpectedly")
