"""Where the server listens: on the addresses that ``HOST`` names, or on all of the machine's."""

import socket
from collections.abc import Sequence

_ALL_IPV4 = "0.0.0.0"  # noqa: S104 - what an owner may ask for
_ALL_IPV6 = "[::]"


def addresses(hosts: Sequence[str]) -> tuple[str, ...]:
    """Return what to bind, none of it twice: one socket may stand for both families."""
    if not hosts or _ALL_IPV6 in hosts:
        return all_addresses()
    if _ALL_IPV4 in hosts:
        return (_ALL_IPV4, *(host for host in hosts if host.startswith("[")))
    return tuple(dict.fromkeys(hosts))


def all_addresses() -> tuple[str, ...]:
    """Return what to listen on for all addresses, IPv4 and IPv6, as far as the machine has them."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::", 0))
            only_ipv6 = probe.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
    except OSError:
        return (_ALL_IPV4,)
    # Where the system keeps the families apart, each has a socket of its own.
    return (_ALL_IPV4, _ALL_IPV6) if only_ipv6 else (_ALL_IPV6,)
