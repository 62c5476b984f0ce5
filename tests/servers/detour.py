"""A detour on the way to a server: what comes back is late, cut, garbled or not there at all."""

import contextlib
import socket
import struct
import threading
import time
from types import TracebackType
from typing import Literal, Self

Mode = Literal["pass", "late", "hole", "cut", "garble", "refuse"]
READ_BYTES = 65_536


class Detour:
    """A TCP proxy to a port of this host; ``mode`` may change at any time."""

    def __init__(self, port: int) -> None:
        self.mode: Mode = "pass"
        self.delay_s = 0.1
        self._target = port
        self._server = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self._server.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            if self.mode == "refuse":
                _reset(near)
                continue
            far = socket.create_connection(("127.0.0.1", self._target))
            threading.Thread(target=self._carry, args=(near, far), daemon=True).start()
            threading.Thread(target=self._bring_back, args=(far, near), daemon=True).start()

    def _carry(self, near: socket.socket, far: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := near.recv(READ_BYTES):
                far.sendall(data)
        _reset(far)

    def _bring_back(self, far: socket.socket, near: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := far.recv(READ_BYTES):
                match self.mode:
                    case "late":
                        time.sleep(self.delay_s)
                    case "hole":
                        continue
                    case "cut":
                        near.sendall(data[: len(data) // 2])
                        break
                    case "garble":
                        data = b"\x00what?\r\n" + data
                near.sendall(data)
        _reset(near)


def _reset(link: socket.socket) -> None:
    with contextlib.suppress(OSError):
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    link.close()
