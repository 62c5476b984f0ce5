"""Stop requests between the workers of one machine: datagrams, in a folder of their own."""

import atexit
import logging
import os
import secrets
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import gevent
from gevent import socket

from app.bus.protocol import StopRequest, from_bytes, to_bytes

log = logging.getLogger(__name__)

# Far above any request: ids have at most 128 characters.
_MAX_BYTES = 4096
_SEND_TIMEOUT_S = 0.2


class WorkerBus:
    """A ``StopBus`` for processes that were forked after it was made.

    The folder's name is chosen here, and inherited; it is made by the first
    worker that listens, for its own user only, and removed by the last.
    """

    def __init__(self, parent: Path | None = None) -> None:
        self._directory = (parent or Path(tempfile.gettempdir())) / f"perch-{secrets.token_hex(8)}"
        self._own: Path | None = None

    def send(self, request: StopRequest) -> None:
        """Tell the other workers."""
        data = to_bytes(request)
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.settimeout(_SEND_TIMEOUT_S)
            for path in self._directory.iterdir():
                if path != self._own:
                    _send(sock, path, data)

    def listen(self, receive: Callable[[StopRequest], object]) -> None:
        """Hand over what other workers send from now on."""
        try:
            self._directory.mkdir(mode=0o700, exist_ok=True)
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._own = self._directory / str(os.getpid())
            self._own.unlink(missing_ok=True)
            sock.bind(str(self._own))
        except OSError as error:
            log.warning("Stop requests of other workers will not arrive here: %s", error)
            return
        atexit.register(_leave, self._own)
        gevent.spawn(_receive, sock, receive)


def _send(sock: socket.socket, path: Path, data: bytes) -> None:
    try:
        sock.sendto(data, str(path))
    except ConnectionRefusedError:  # a worker that was killed
        path.unlink(missing_ok=True)
    except OSError as error:
        log.warning("A worker did not take a stop request: %s", error)


def _receive(sock: socket.socket, receive: Callable[[StopRequest], object]) -> None:
    while True:
        with suppress(ValueError):
            receive(from_bytes(sock.recv(_MAX_BYTES)))


def _leave(path: Path) -> None:
    with suppress(OSError):  # the folder is empty for the last one only
        path.unlink(missing_ok=True)
        path.parent.rmdir()
