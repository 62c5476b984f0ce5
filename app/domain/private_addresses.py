"""Which addresses of the internet are none: networks that a server must not be led into.

A name that a stranger chose may resolve to a database, or to a cloud's metadata. Vet the
very address that is connected to: a name may resolve to another one a moment later.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

_LOOPBACK: tuple[Network, ...] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
# Nobody's intranet is here: these stay refused whatever is allowed.
_NEVER: tuple[Network, ...] = tuple(
    ip_network(each)
    for each in (
        "0.0.0.0/8",
        "168.63.129.16/32",  # Azure's own
        "169.254.0.0/16",  # metadata of clouds
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/128",
        "::ffff:0:0/96",  # IPv4 in another dress, as the next four are
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2001::/23",
        "2002::/16",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    )
)
# Not `is_global`, which changed between Python 3.11 and 3.13; IANA's registries of
# special-purpose addresses, as microsoft-antissrf has them.
_PRIVATE: tuple[Network, ...] = tuple(
    ip_network(each)
    for each in (
        "10.0.0.0/8",
        "100.64.0.0/10",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "::/96",
        "100::/64",
        "2001:db8::/32",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
    )
)


def is_allowed(
    address: str, private: Sequence[Network] = (), *, allow_loopback: bool = False
) -> bool:
    """Tell whether a connection to an address may be made.

    ``private`` are networks of the owner's own that may be reached all the same. What is
    no address in its usual form is refused.
    """
    try:
        # The zone of a link-local address says which card, and nothing of what is there.
        found: Address = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if _is_in(found, _LOOPBACK):
        return allow_loopback
    if _is_in(found, _NEVER):
        return False
    return _is_in(found, private) or not _is_in(found, _PRIVATE)


def is_loopback(address: str) -> bool:
    """Tell whether an address is this machine's own."""
    try:
        return _is_in(ip_address(address.partition("%")[0]), _LOOPBACK)
    except ValueError:
        return False


def _is_in(address: Address, networks: Sequence[Network]) -> bool:
    return any(address.version == each.version and address in each for each in networks)
