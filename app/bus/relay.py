"""A running turn over a socket, from the worker that runs it to one whose visitor reads it.

A line is a JSON array of deltas, an object with the sources that were found, the mark of the
end, or empty: a sign of life.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Self

from gevent import socket

from app.bus.protocol import Reading
from app.domain.events import Heartbeat, SourcesFound, TokensReceived, TurnDone, TurnFailed
from app.domain.knowledge import Source
from app.server.watch import Watch

# A worker that does not answer in time is asked again with the next look.
_FOUND_WITHIN_S = 0.5
_SILENCE_S = 15.0
_SEND_TIMEOUT_S = 30.0
_AT_ONCE_BYTES = 64 * 1024
_END = "end"


def tell(link: socket.socket, reading: Reading) -> None:
    """Write a turn to its end, or until the other side has gone."""
    link.settimeout(_SEND_TIMEOUT_S)
    watch = Watch(link, reading.leave)
    try:
        for event in reading.events():
            match event:
                case TokensReceived():
                    line = json.dumps(list(event.tokens))
                case SourcesFound():
                    line = json.dumps({"sources": event.sources})
                case TurnDone() | TurnFailed():
                    line = json.dumps(_END)
                case _:
                    line = ""
            link.sendall(f"{line}\n".encode())
    except OSError:
        pass
    finally:
        watch.close()
        reading.leave()


class Relayed:
    """What the other side tells: see the port."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self.is_whole = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._link.close()

    def is_there(self) -> bool:
        """Wait for a first sign; whoever does not run the turn closes without one."""
        self._link.settimeout(_FOUND_WITHIN_S)
        try:
            return bool(self._link.recv(1))
        except OSError:
            return False
        finally:
            self._link.settimeout(_SILENCE_S)

    def __iter__(self) -> Iterator[SourcesFound | TokensReceived | Heartbeat]:
        """Yield what is said as it comes."""
        rest = b""
        while True:
            try:
                data = self._link.recv(_AT_ONCE_BYTES)
            except TimeoutError:  # the other side is blocked: were it dead, the kernel would say so
                yield Heartbeat()
                continue
            except OSError:
                return
            if not data:
                return
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                match json.loads(line) if line else None:
                    case None:
                        yield Heartbeat()
                    case {"sources": sources}:
                        yield SourcesFound([Source(*each) for each in sources])
                    case list(tokens):
                        yield TokensReceived(tokens)
                    case _:
                        self.is_whole = True
                        return

    def leave(self) -> None:
        """Let the other side see the end of the connection."""
        with suppress(OSError):
            self._link.shutdown(socket.SHUT_RDWR)
