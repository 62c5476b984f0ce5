"""What is bound."""

import socket

import pytest

from app.server.listening import addresses, all_addresses


@pytest.mark.parametrize(
    ("hosts", "bound"),
    [
        (("127.0.0.1",), ("127.0.0.1",)),
        (("127.0.0.1", "[::1]", "127.0.0.1"), ("127.0.0.1", "[::1]")),
        (("0.0.0.0", "127.0.0.1", "[::1]"), ("0.0.0.0", "[::1]")),
        ((), all_addresses()),
        (("0.0.0.0", "[::]"), all_addresses()),
    ],
)
def test_nothing_is_bound_twice(hosts: tuple[str, ...], bound: tuple[str, ...]) -> None:
    assert addresses(hosts) == bound


class Sockets:
    """A machine's sockets, as far as they are asked about IPv6."""

    def __init__(self, fault: OSError | None, *, only_ipv6: int = 0) -> None:
        self._fault, self._only_ipv6 = fault, only_ipv6

    def __call__(self, _family: int) -> "Sockets":
        return self

    def __enter__(self) -> "Sockets":
        return self

    def __exit__(self, *_: object) -> None: ...

    def bind(self, _address: tuple[str, int]) -> None:
        if self._fault:
            raise self._fault

    def getsockopt(self, _level: int, _option: int) -> int:
        return self._only_ipv6


@pytest.mark.parametrize(
    ("machine", "bound"),
    [
        (Sockets(None), ("[::]",)),
        (Sockets(None, only_ipv6=1), ("0.0.0.0", "[::]")),
        (Sockets(OSError("Address family not supported by protocol")), ("0.0.0.0",)),
    ],
)
def test_all_addresses_are_those_that_the_machine_has(
    machine: Sockets, bound: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "socket", machine)

    assert all_addresses() == bound
