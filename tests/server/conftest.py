"""Two ends of a real connection."""

from collections.abc import Iterator
from typing import Any

import pytest
from gevent import socket

Pair = tuple[Any, Any]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """The server's end and the visitor's end of a TCP connection with small buffers."""
    listener, visitor = socket.socket(), socket.socket()
    with listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        visitor.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        visitor.connect(listener.getsockname())
        server, _ = listener.accept()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    visitor.settimeout(20)
    yield server, visitor
    server.close()
    visitor.close()
