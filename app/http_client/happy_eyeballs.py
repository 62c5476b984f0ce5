"""The first of a server's addresses that connects (RFC 8305, "Happy Eyeballs").

Of two families one is often broken, and a name's first address may swallow
what is sent to it: the next one is tried before the first is given up.
"""

from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import Any

import gevent
from gevent import socket
from gevent.queue import Empty, SimpleQueue

from app.http_client.failures import HttpAddressRefused

# RFC 8305, section 5: the "Connection Attempt Delay".
_NEXT_ADDRESS_S = 0.25

Address = tuple[int, Any]
"""A family, and what ``connect`` takes of it."""
Vet = Callable[[str], bool]
"""Tells whether an address, as text, may be connected to."""


def connect_first(
    host: str, port: int, family: int | None, vet: Vet | None = None
) -> tuple[Any, int]:
    """Return a connected socket and its family; ``family`` is tried first.

    The caller bounds the time. Name lookup and attempts end with it. What ``vet``
    refuses is not tried: the very addresses that are connected to are looked at.

    Raises:
        OSError: the name has no address, or none connects.
        HttpAddressRefused: all of its addresses are refused.
    """
    addresses = resolve(host, port, family)
    if vet is not None:
        addresses = [each for each in addresses if vet(each[1][0])]
        if not addresses:
            raise HttpAddressRefused(f"{host} is at an address that is refused")
    if len(addresses) == 1:
        return _connect(addresses[0]), addresses[0][0]
    return _race(addresses)


def resolve(host: str, port: int, family: int | None) -> Sequence[Address]:
    """Return a name's addresses, families in turn, those of ``family`` first.

    Raises:
        OSError: there is none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    by_family: dict[int, list[Address]] = {family: []} if family is not None else {}
    for kind, _, _, _, address in found:
        by_family.setdefault(kind, []).append((kind, address))
    turns = zip_longest(*by_family.values())
    return [address for turn in turns for address in turn if address is not None]


def _race(addresses: Sequence[Address]) -> tuple[Any, int]:
    """Start one attempt after the other, without waiting for those that take long."""
    ended: SimpleQueue[tuple[Address, Any, OSError | None]] = SimpleQueue()
    running: list[Any] = []
    waiting = list(addresses)
    failed = 0
    winner: Any = None

    def attempt(address: Address) -> None:
        try:
            ended.put((address, _connect(address), None))
        except OSError as error:
            ended.put((address, None, error))

    try:
        while True:
            if waiting:
                running.append(gevent.spawn(attempt, waiting.pop(0)))
            try:
                address, winner, error = ended.get(timeout=_NEXT_ADDRESS_S if waiting else None)
            except Empty:
                continue
            if error is None:
                return winner, address[0]
            failed += 1
            if failed == len(addresses):
                raise error
    finally:
        gevent.killall(running, block=False)
        while not ended.empty():
            late = ended.get()[1]
            if late is not None and late is not winner:
                late.close()


def _connect(address: Address) -> Any:
    family, to = address
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.connect(to)
    except BaseException:
        sock.close()
        raise
    return sock
