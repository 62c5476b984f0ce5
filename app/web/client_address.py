"""Who the client is, through the proxies that the owner trusts.

Never the first value of ``X-Forwarded-For``: the client chose it.
"""

from collections.abc import Mapping
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

_IPV6_CLIENT_PREFIX = 64


def client_address(environ: Mapping[str, Any], trusted_hops: int, header: str | None) -> str:
    """Return the client's IP address, or the peer's where the proxies tell none.

    ``header`` names a header that the platform's proxy sets, and wins over
    ``trusted_hops``, which counts from the right of ``X-Forwarded-For``.
    """
    peer = str(environ.get("REMOTE_ADDR") or "")
    if header:
        told = environ.get("HTTP_" + header.upper().replace("-", "_"))
        return _parsed(told) or peer
    if trusted_hops > 0:
        hops = str(environ.get("HTTP_X_FORWARDED_FOR") or "").split(",")
        if len(hops) >= trusted_hops:
            return _parsed(hops[-trusted_hops]) or peer
    return peer


@lru_cache(4096)
def limit_key(address: str) -> str:
    """Return what limits are kept by: the address, or an IPv6 client's /64.

    Never empty, for flask-limiter does not limit an empty key.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return address or "unknown"
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ip_network((parsed, _IPV6_CLIENT_PREFIX), strict=False))
    return str(parsed)


def _parsed(text: str | None) -> str | None:
    try:
        return str(ip_address((text or "").strip()))
    except ValueError:
        return None
