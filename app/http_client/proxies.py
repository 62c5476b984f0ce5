"""Which proxy stands before which server, from ``HTTPS_PROXY`` and its kin.

The rules are those of httpx, which the OpenAI SDK honours them through; a
network such as ``10.0.0.0/8`` in ``NO_PROXY`` covers its addresses, too.
"""

import base64
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Proxy:
    """A server that passes bytes on. ``authorization`` is a secret."""

    scheme: str
    host: str
    port: int
    authorization: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        """Return its address, as a log may show it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> "Proxy":
        """Read ``http://user:password@host:port``; without a scheme it is ``http``.

        Raises:
            ValueError: with a sentence that does not repeat the text, which may hold a password.
        """
        try:
            parts = urlsplit(text if "://" in text else f"http://{text}")
            host, port = parts.hostname, parts.port
        except ValueError:  # of `port`, and of half an IPv6 address
            raise ValueError("is no address: write http://host:port") from None
        if parts.scheme.startswith("socks"):
            raise ValueError(
                "is a SOCKS proxy, which is not supported: name an http:// or https:// proxy, or "
                "take the variable away for this service"
            )
        if parts.scheme not in _DEFAULT_PORTS or not host or port == 0 or not text.isprintable():
            raise ValueError("is no proxy's address: write http://host:port or https://host:port")
        return cls(parts.scheme, host, port or _DEFAULT_PORTS[parts.scheme], _basic(parts))


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxies by the scheme of who is asked, and who is asked without one."""

    by_scheme: Mapping[str, Proxy] = field(default_factory=dict)
    exempt: tuple[str, ...] = ()

    def of(self, url: str) -> Proxy | None:
        """Return the proxy before a server; ``None`` where it is asked directly."""
        parts = urlsplit(url)
        proxy = self.by_scheme.get(parts.scheme) or self.by_scheme.get("all")
        if proxy is None or not parts.hostname:
            return None
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
        exempt = (_covers(rule, parts.scheme, parts.hostname, port) for rule in self.exempt)
        return None if any(exempt) else proxy


NO_PROXIES = Proxies()


def _covers(rule: str, scheme: str, host: str, port: int | None) -> bool:
    """Tell whether a part of ``NO_PROXY`` names a server."""
    if rule == "*":
        return True
    rule_scheme, mark, rest = rule.rpartition("://")
    if mark and rule_scheme not in ("all", scheme):
        return False
    network = _network(rest)
    if network is not None:
        address = _address(host)
        return address is not None and address in network
    try:
        parts = urlsplit(f"//{rest}")
        named, named_port = parts.hostname or "", parts.port
    except ValueError:
        return False
    if named_port is not None and named_port != port:
        return False
    named, host = named.rstrip("."), host.lower().rstrip(".")
    is_alone = mark or named == "localhost" or _address(named) is not None
    if named.startswith((".", "*.")):
        return host.endswith(named.lstrip("*"))
    return host == named or (not is_alone and bool(named) and host.endswith(f".{named}"))


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """Read an address or a network without a port."""
    try:
        return ipaddress.ip_network(text.strip("[]"), strict=False)
    except ValueError:
        return None


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _basic(parts: object) -> str | None:
    username, password = getattr(parts, "username", None), getattr(parts, "password", None)
    if username is None and password is None:
        return None
    pair = f"{unquote(username or '')}:{unquote(password or '')}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"
