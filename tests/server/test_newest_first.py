"""A server whose crowd does not keep the newest waiting."""

import socket as plain
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from gevent import socket
from gevent.event import Event
from gevent.pool import Pool

from app.server.newest_first import NewestFirstServer
from app.server.pauses import let_others_work

PLACES = 5
PATIENCE_S = 5


class Served:
    """Connections in the order in which they were begun; each stays until it is let go."""

    def __init__(self) -> None:
        self.names: list[bytes] = []
        self.let_go = Event()
        self.pool = Pool(PLACES)
        self.server = NewestFirstServer(("127.0.0.1", 0), handle=self.handle, spawn=self.pool)

    def handle(self, client: socket.socket, _address: object) -> None:
        self.names.append(client.recv(64))
        self.let_go.wait()
        client.sendall(b"bye")


@contextmanager
def crowd(
    served: Served, count: int, said: Mapping[int, bytes] | None = None
) -> Iterator[list[plain.socket]]:
    """Connections that are there before any of them is begun."""
    with ExitStack() as stack:
        served.server.init_socket()
        address = served.server.socket.getsockname()
        links = [
            stack.enter_context(socket.create_connection(address, PATIENCE_S)) for _ in range(count)
        ]
        for number, link in enumerate(links):
            link.sendall((said or {}).get(number, b"%d" % number))
        served.server.start()
        stack.callback(served.server.stop)
        yield links


def farewell(link: plain.socket) -> bytes:
    try:
        return link.recv(16)
    except ConnectionResetError:
        return b""


def test_the_newest_is_served_when_a_place_is_free() -> None:
    served = Served()
    with crowd(served, PLACES + 3) as links:
        while len(served.names) < PLACES:
            let_others_work()
        first = list(served.names)

        served.let_go.set()
        said = [farewell(link) for link in links]

    assert len(first) == PLACES
    assert set(first) <= {b"%d" % number for number in range(PLACES + 3)}
    assert served.names[PLACES:] == sorted(served.names[PLACES:], reverse=True)
    assert said == [b"bye"] * (PLACES + 3)


def test_of_a_crowd_beyond_all_measure_the_oldest_make_way() -> None:
    served = Served()
    with crowd(served, 3 * PLACES) as links:
        served.let_go.set()
        said = [farewell(link) for link in links]

    assert said.count(b"bye") >= 2 * PLACES
    assert said[-PLACES:] == [b"bye"] * PLACES


def test_who_has_connected_is_served_though_the_server_takes_no_more() -> None:
    served = Served()
    with crowd(served, PLACES + 3) as links:
        served.let_go.set()
        while not served.names:
            let_others_work()
        served.server.close()

        said = [farewell(link) for link in links]

    assert said == [b"bye"] * (PLACES + 3)


def test_a_health_check_passes_the_crowd_by() -> None:
    served = Served()
    check = b"GET /health HTTP/1.1\r\n\r\n"
    with crowd(served, 2 * PLACES, {PLACES: check}) as links:
        while len(served.names) < PLACES:
            let_others_work()
        served.let_go.set()
        said = farewell(links[PLACES])

    assert served.names[PLACES] == check
    assert said == b"bye"
