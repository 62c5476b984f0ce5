"""Who the client is, through the proxies that the owner trusts.

Never the first value of ``X-Forwarded-For``: the client chose it.
"""

import logging
import re
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

from app.web.proxies import TrustedProxies

log = logging.getLogger(__name__)

_IPV6_CLIENT_PREFIX = 64
_FORWARDED_FOR = "HTTP_X_FORWARDED_FOR"
# The longest address has 45 characters; quotes, brackets, a zone and a port come to it.
_MAX_CHARS = 100
# An address with a port: IPv4, or either kind in brackets.
_WITH_PORT = re.compile(r"(?:\[(?P<bracketed>[^\[\]]+)\]|(?P<plain>[0-9.]+))(?::[0-9]{0,5})?")


class ClientAddresses:
    """Finds the client behind the owner's proxies, and says once where they do not tell it.

    ``header`` names a header that the platform's proxy sets, and wins over
    ``trusted_hops``, which counts from the right of ``X-Forwarded-For``.
    """

    def __init__(self, trusted_hops: int, header: str | None, proxies: TrustedProxies) -> None:
        self._hops = trusted_hops
        self._header = header
        self._variable = "HTTP_" + header.upper().replace("-", "_") if header else _FORWARDED_FOR
        self._proxies = proxies
        self._warned: set[str] = set()

    def find(self, environ: Mapping[str, Any]) -> str:
        """Return the client's IP address, or the peer's where the proxies tell none."""
        peer = str(environ.get("REMOTE_ADDR") or "")
        peer = normal_address(peer) or peer
        told = environ.get(self._variable)
        if not told:
            return peer
        if not (self._header or self._hops):
            self._warn(
                "X-Forwarded-For comes from %s, and is not read: behind a proxy of yours, all "
                "visitors share its address and its limits. Set TRUSTED_PROXY_HOPS",
                peer,
            )
            return peer
        if not self._proxies.include(peer):
            self._warn(
                "%s speaks for clients, and is not believed: it has no private address. If it is "
                "a proxy of yours, name it in TRUSTED_PROXIES",
                peer,
            )
            return peer
        return self._read(str(told)) or peer

    def _read(self, told: str) -> str | None:
        values = [told] if self._header else told.rsplit(",", self._hops)
        address = None
        if self._header or len(values) >= self._hops:
            address = normal_address(values[0] if self._header else values[-self._hops])
        if address is None:
            self._warn(
                "No client can be read from %s: %r. It counts as the proxy itself. Check %s",
                self._header or "X-Forwarded-For",
                told[-_MAX_CHARS:],
                "CLIENT_IP_HEADER" if self._header else "TRUSTED_PROXY_HOPS",
            )
        return address

    def _warn(self, text: str, *values: object) -> None:
        # Once: the next requests are all like this one.
        if text not in self._warned:
            self._warned.add(text)
            log.warning(text, *values)


def normal_address(text: str) -> str | None:
    """Return the one form of an IP address, without quotes, brackets, port and zone.

    ``None`` where it is none.
    """
    return _normal_address(text) if len(text) <= _MAX_CHARS else None


@lru_cache(4096)
def _normal_address(text: str) -> str | None:
    text = text.strip().strip("\"'").strip()
    found = _WITH_PORT.fullmatch(text)
    if found:
        text = found["bracketed"] or found["plain"]
    if ":" in text:
        text = text.partition("%")[0]
    try:
        return str(_unmapped(ip_address(text)))
    except ValueError:
        return None


@lru_cache(4096)
def limit_key(address: str) -> str:
    """Return what limits are kept by: the address, or an IPv6 client's /64.

    Never empty, for flask-limiter does not limit an empty key.
    """
    try:
        parsed = _unmapped(ip_address(address))
    except ValueError:
        return address or "unknown"
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, _IPV6_CLIENT_PREFIX), strict=False))
    return str(parsed)


def _unmapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    # A socket for both families tells an IPv4 peer like this.
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
