"""How often passwords may be tried at the dashboard, by whom.

A browser that was signed in before has a count of its own, so that nobody who
shares its address, or hides behind the same proxy, can shut it out. All others
are counted by address and network, and share one slow count, so that a crowd
of addresses guesses no faster than a single one.
"""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

from app.limits.storage import Limit
from app.web.rates import Limits

_OF_DEVICE = Limit("sign-in-device", 5, 300)
_OF_ADDRESS = Limit("sign-in", 5, 300)
# What a provider gives one customer: 256 times the address's own /64.
_OF_NETWORK = Limit("sign-in-network", 10, 300)
# Of a length of its own: memory forgets windows by length, where there are too many.
_OF_ALL = Limit("sign-in-all", 50, 1800)
_EVERYBODY = "everybody"
_IPV6_CUSTOMER_PREFIX = 56

Hits = tuple[tuple[Limit, str], ...]


def count_try(limits: Limits, device: str | None, client: str, address: str) -> Hits:
    """Count a try before the password is looked at, and return what was counted.

    Only then do a thousand tries at once stay within the limits; ``forgive``
    takes the right password's back.

    Raises:
        TooManyRequests: the password must not be looked at.
    """
    if device is not None:
        hits: Hits = ((_OF_DEVICE, device),)
    else:
        # The slow count comes last: what an address's own refuses does not fill it.
        hits = (
            (_OF_ADDRESS, client),
            (_OF_NETWORK, _network(address) or client),
            (_OF_ALL, _EVERYBODY),
        )
    limits.count(*hits)
    return hits


def forgive(limits: Limits, hits: Hits) -> None:
    """Take a try back: it was no guess."""
    limits.take_back(*hits)


@lru_cache(1024)
def _network(address: str) -> str | None:
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    if not isinstance(parsed, IPv6Address) or parsed.ipv4_mapped:
        return None
    return str(ip_network((parsed, _IPV6_CUSTOMER_PREFIX), strict=False))
