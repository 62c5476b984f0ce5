"""Messages between the workers of one machine: datagrams, in a folder of their own.

A worker that wants to read a turn sends the end of a socket along. Whoever runs the
turn writes to it, the others close it: once all have, nobody runs it.
"""

import atexit
import logging
import os
import secrets
import tempfile
from array import array
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from socket import SCM_RIGHTS, SOL_SOCKET, recv_fds

import gevent
from gevent import socket

from app.bus.protocol import BusMessage, Reading, StopRequest, from_bytes, to_bytes
from app.bus.relay import Relayed, tell

log = logging.getLogger(__name__)

# Far above any request: ids have at most 128 characters.
_MAX_BYTES = 4096
_SEND_TIMEOUT_S = 0.2
# Before a request to read: where a descriptor is lost on the way, it stops nothing.
_READ = b"read "


class WorkerBus:
    """A ``Bus`` and a ``TurnRelay`` for processes that were forked after it was made.

    The folder's name is chosen here, and inherited; it is made by the first
    worker that listens, for its own user only, and removed by the last.
    """

    def __init__(self, parent: Path | None = None) -> None:
        self._directory = (parent or Path(tempfile.gettempdir())) / f"perch-{secrets.token_hex(8)}"
        self._own: Path | None = None
        self._read: Callable[[str, str], Reading | None] = lambda _session, _turn: None

    def send(self, message: BusMessage) -> None:
        """Tell the other workers."""
        self._send(to_bytes(message))

    def find(self, session_id: str, turn_id: str) -> Relayed | None:
        """Ask the other workers for a turn."""
        mine, theirs = socket.socketpair()
        with theirs:
            self._send(_READ + to_bytes(StopRequest(session_id, turn_id)), [theirs.fileno()])
        relayed = Relayed(mine)
        if relayed.is_there():
            return relayed
        mine.close()
        return None

    def offer(self, read: Callable[[str, str], Reading | None]) -> None:
        """Let others read what ``read`` finds, once this worker listens."""
        self._read = read

    def listen(self, receive: Callable[[BusMessage], object]) -> None:
        """Hand over what other workers send from now on."""
        try:
            self._directory.mkdir(mode=0o700, exist_ok=True)
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._own = self._directory / str(os.getpid())
            self._own.unlink(missing_ok=True)
            sock.bind(str(self._own))
        except OSError as error:
            log.warning("What other workers ask will not arrive here: %s", error)
            return
        atexit.register(_leave, self._own)
        gevent.spawn(self._receive, sock, receive)

    def _send(self, data: bytes, descriptors: Sequence[int] = ()) -> None:
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.settimeout(_SEND_TIMEOUT_S)
            for path in self._directory.iterdir():
                if path != self._own:
                    _send(sock, path, data, descriptors)

    def _receive(self, sock: socket.socket, receive: Callable[[BusMessage], object]) -> None:
        while True:
            data, descriptors, *_ = recv_fds(sock, _MAX_BYTES, 1)
            links = [socket.socket(fileno=each) for each in descriptors]
            with suppress(ValueError):
                message = from_bytes(data.removeprefix(_READ))
                if not data.startswith(_READ):
                    receive(message)
                elif links and isinstance(message, StopRequest):
                    gevent.spawn(self._tell, links.pop(), message)
            for link in links:
                link.close()

    def _tell(self, link: socket.socket, request: StopRequest) -> None:
        with link:
            reading = self._read(request.session_id, request.turn_id or "")
            if reading is not None:
                tell(link, reading)


def _send(sock: socket.socket, path: Path, data: bytes, descriptors: Sequence[int]) -> None:
    rights = [(SOL_SOCKET, SCM_RIGHTS, array("i", descriptors))] if descriptors else []
    try:
        sock.sendmsg([data], rights, 0, str(path))
    except ConnectionRefusedError:  # a worker that was killed
        path.unlink(missing_ok=True)
    except OSError as error:
        log.warning("A worker did not take a request: %s", error)


def _leave(path: Path) -> None:
    with suppress(OSError):  # the folder is empty for the last one only
        path.unlink(missing_ok=True)
        path.parent.rmdir()
