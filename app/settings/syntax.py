"""What a variable's text must look like to be one thing or another."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from urllib.parse import urlsplit

NO_HEADER = "has characters that no HTTP header carries"
STRAY_QUOTE = "has a quote in it: write the value alone, without quotes"
_QUOTES = frozenset(
    "\"'`\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}"
    "\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}"
    "\N{DOUBLE LOW-9 QUOTATION MARK}\N{LEFT-POINTING DOUBLE ANGLE QUOTATION MARK}"
    "\N{RIGHT-POINTING DOUBLE ANGLE QUOTATION MARK}"
)
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]+")


def is_header_text(text: str) -> bool:
    """Tell whether an HTTP header carries this text as it is."""
    return text.isascii() and text.isprintable()


def is_url(text: str) -> bool:
    """Tell whether this is the address of an HTTP server."""
    try:
        parts = urlsplit(text)
        return (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and parts.port != 0
            and text.isprintable()
            and " " not in text
            and not has_quotes(text)
        )
    except ValueError:  # of `port`, and of half an IPv6 address
        return False


def unquoted(text: str) -> str:
    """Return a text without blanks around it, and without one pair of quotes around it.

    ``docker --env-file`` and systemd units hand on quotes that a shell or a
    ``.env`` file would take off.
    """
    text = text.strip()
    inner = text[1:-1]
    if len(text) > 1 and text[0] in "\"'" and text[0] == text[-1] and text[0] not in inner:
        return inner.strip()
    return text


def has_quotes(text: str) -> bool:
    """Tell whether a quote is left, of those that editors and word processors write."""
    return bool(set(text) & _QUOTES)


def normal_network(text: str) -> IPv4Network | IPv6Network:
    """Return an address or a network in the form of a peer's: no brackets, no zone, IPv4 as such.

    Raises:
        ValueError: this is none.
    """
    network = ip_network(re.sub(r"\[(.+)\]", r"\1", re.sub(r"%[\w.-]+", "", text)), strict=False)
    if isinstance(network, IPv6Network) and network.network_address.ipv4_mapped:
        mapped = network.network_address.ipv4_mapped
        return IPv4Network((mapped, network.prefixlen - 96)) if network.prefixlen >= 96 else network
    return network


def is_header_name(text: str) -> bool:
    """Tell whether a proxy may call a header like this."""
    return bool(_HEADER_NAME.fullmatch(text))
