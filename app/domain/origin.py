"""The one form of an origin, in which settings and ``Origin`` headers are compared."""

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address

import idna

ANY = "*"
"""Every origin."""

# A host name has 253 characters at most; whoever sends more names no site.
_MAX_CHARS = 300
_DEFAULT_PORTS = {"http": 80, "https": 443}
# What browsers take in a name, an underscore included.
_NAME = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?")
_BARE_NAME = re.compile(r"(?:[\w-]+\.)+[\w-]+(?::[0-9]+)?")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
# No empty part, and none of dots alone: browsers would take those for steps.
_PREFIX = re.compile(r"(?:/(?!\.+(?:/|\Z))[A-Za-z0-9._~-]+)+")
_FORM = "an origin is https://host or https://host:port, without a path"
_WILDCARD_FORM = (
    "a * stands for all origins, or for one level of subdomains as the whole first part of a name "
    "of at least two more: https://*.example.com"
)


@lru_cache(1024)
def normal_origin(text: str) -> str:
    """Return an origin as browsers write it.

    Scheme and host in lower case, a name of other scripts in Punycode, an
    IPv6 address compressed, and no port where it is the scheme's own.

    Raises:
        ValueError: this is no origin of a web page; says what to write.
    """
    scheme, authority = _split(text)
    host, port = _host_and_port(authority)
    host = _normal_ipv6(host) if host.startswith("[") else _normal_name(host)
    return f"{scheme}://{host}{_normal_port(scheme, port)}"


def normal_pattern(text: str) -> str:
    """Return an origin, or a wildcard for one level of subdomains, in the form of an origin.

    Raises:
        ValueError: this is neither; says what to write.
    """
    if ANY not in text:
        return normal_origin(text)
    scheme, wildcard, rest = text.partition("://*.")
    if not wildcard or ANY in scheme + rest:
        raise ValueError(_WILDCARD_FORM)
    origin = normal_origin(f"{scheme}://{rest}")
    scheme, _, host = origin.partition("://")
    name = host.partition(":")[0]
    if name.startswith("[") or name[-1].isdigit():
        raise ValueError("an address has no subdomains: write it without *")
    if "." not in name.rstrip(".") and name != "localhost":
        raise ValueError(_WILDCARD_FORM)
    return f"{scheme}://*.{host}"


def is_prefix(text: str) -> bool:
    """Tell whether this is a path that a site may be mounted at, and nothing that leads away."""
    return len(text) <= _MAX_CHARS and bool(_PREFIX.fullmatch(text))


class AllowedOrigins:
    """The origins whose pages may call, as ``CORS_ORIGIN`` names them."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self._patterns = frozenset(patterns)
        self.is_everybody = ANY in self._patterns

    def include(self, origin: str) -> bool:
        """Tell whether this is one of them, however it is written."""
        if self.is_everybody:
            return True
        try:
            scheme, _, host = read_origin(origin).partition("://")
        except ValueError:
            return False
        _, dot, parent = host.partition(".")
        return f"{scheme}://{host}" in self._patterns or (
            bool(dot) and f"{scheme}://*.{parent}" in self._patterns
        )


def read_origin(text: str) -> str:
    """Return the normal form of what a header says, which anybody may write.

    Raises:
        ValueError: it names no page.
    """
    if len(text) > _MAX_CHARS:
        raise ValueError(_FORM)
    return normal_origin(text)


def _split(text: str) -> tuple[str, str]:
    scheme, mark, rest = text.partition("://")
    if not mark or not rest:
        raise ValueError(f"write https://{text}" if _BARE_NAME.fullmatch(text) else _FORM)
    if scheme.lower() not in _DEFAULT_PORTS:
        known = "its scheme must be https:// or http://"
        raise ValueError(known if _SCHEME.fullmatch(scheme) else _FORM)
    if set(rest) & set(" ;,|") or "://" in rest:
        raise ValueError("separate origins by commas")
    if "@" in rest:
        raise ValueError("it names a user: an origin is https://host or https://host:port")
    if set(rest) & set("/?#\\"):
        authority = re.split(r"[/?#\\]", rest)[0]
        raise ValueError(f"write {scheme.lower()}://{authority}, without a path or a slash")
    return scheme.lower(), rest


def _host_and_port(authority: str) -> tuple[str, str]:
    if authority.startswith("["):
        host, mark, port = authority.partition("]")
        if not mark or (port and not port.startswith(":")):
            raise ValueError("an IPv6 address stands in brackets: http://[::1]:3000")
        return host + mark, port[1:]
    host, _, port = authority.partition(":")
    if ":" in port:
        raise ValueError("an IPv6 address stands in brackets: http://[::1]:3000")
    return host, port


def _normal_port(scheme: str, port: str) -> str:
    if not port:
        return ""
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 65_536):
        raise ValueError(f"a port is a number from 1 to 65535; {_FORM}")
    return "" if int(port) == _DEFAULT_PORTS[scheme] else f":{int(port)}"


def _normal_ipv6(host: str) -> str:
    try:
        address = IPv6Address(host[1:-1])
    except AddressValueError as error:
        raise ValueError("the brackets hold no IPv6 address") from error
    if address.scope_id:
        raise ValueError("an origin has no zone: leave out % and what follows it")
    if address.ipv4_mapped:  # Python and browsers write these in different ways
        last = int(address) & 0xFFFF_FFFF
        return f"[::ffff:{last >> 16:x}:{last & 0xFFFF:x}]"
    return f"[{address}]"


def _normal_name(host: str) -> str:
    name = host.lower()
    if not name.isascii():
        try:
            name = idna.encode(name, uts46=True).decode()
        except (idna.IDNAError, UnicodeError) as error:
            raise ValueError("write its host in Punycode: https://xn--…") from error
    if not _NAME.fullmatch(name):
        raise ValueError(f"it has no host's name; {_FORM}")
    if name.rstrip(".").rpartition(".")[2].isdigit():
        try:
            return str(IPv4Address(name))
        except AddressValueError as error:
            raise ValueError("its address must have four numbers: http://127.0.0.1") from error
    return name
