"""Which peers are proxies of the owner's, and what they are believed about our own address."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING

from app.domain.origin import is_prefix

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Network = IPv4Network | IPv6Network

# Where the proxies of a machine, a private network and the platforms come
# from: this machine, RFC 1918, carriers' shared space, link-local, and ULA.
_PRIVATE = tuple(
    map(
        ip_network,
        (
            "127.0.0.0/8",
            "::1/128",
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "100.64.0.0/10",
            "169.254.0.0/16",
            "fe80::/10",
            "fc00::/7",
        ),
    )
)
_SCHEMES = ("http", "https")


class TrustedProxies:
    """The peers that are believed about what is in front of us: private ones, or those named."""

    def __init__(self, networks: Sequence[Network] = ()) -> None:
        self._networks = tuple(networks) or _PRIVATE
        self.include = lru_cache(1024)(self._include)

    def _include(self, peer: str) -> bool:
        # A Unix socket's peer has no address: only this machine reaches it.
        if not peer:
            return True
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        address = getattr(address, "ipv4_mapped", None) or address
        return any(address in network for network in self._networks)


class ForwardedHeaders:
    """WSGI middleware that takes the scheme and the path before ours from a trusted proxy.

    ``prefix`` is the owner's own word for that path, and wins.
    """

    def __init__(
        self, application: "WSGIApplication", proxies: TrustedProxies, prefix: str | None
    ) -> None:
        self._application = application
        self._proxies = proxies
        self._prefix = prefix

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Pass a request on."""
        prefix = self._prefix
        if self._proxies.include(environ.get("REMOTE_ADDR") or ""):
            scheme = _last(environ, "HTTP_X_FORWARDED_PROTO").lower()
            if scheme in _SCHEMES:
                environ["wsgi.url_scheme"] = scheme
            told = _last(environ, "HTTP_X_FORWARDED_PREFIX").rstrip("/")
            if prefix is None and is_prefix(told):
                prefix = told
        if prefix is not None:
            environ["SCRIPT_NAME"] = prefix
        return self._application(environ, start_response)


def _last(environ: "WSGIEnvironment", name: str) -> str:
    """Return what the nearest proxy said; those before it may be the client's own words."""
    told: str | None = environ.get(name)
    return told.rpartition(",")[2].strip() if told else ""
