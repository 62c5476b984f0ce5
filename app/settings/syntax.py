"""What a variable's text must look like to be one thing or another."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from urllib.parse import urlsplit

# What owners copy from a reference along with the address.
_ENDPOINTS = ("/chat/completions", "/completions", "/responses", "/chat/completion")

NO_HEADER = "has characters that no HTTP header carries"
STRAY_QUOTE = "has a quote in it: write the value alone, without quotes"
_QUOTES = frozenset(
    "\"'`\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}"
    "\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}"
    "\N{DOUBLE LOW-9 QUOTATION MARK}\N{LEFT-POINTING DOUBLE ANGLE QUOTATION MARK}"
    "\N{RIGHT-POINTING DOUBLE ANGLE QUOTATION MARK}"
)
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]+")
# RFC 9110, section 5.6.2.
_is_token = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch
# What the connection itself is made of.
_OURS = ("host", "content-length", "transfer-encoding", "connection", "accept-encoding", "upgrade")


def can_be_sent(text: str) -> bool:
    """Tell whether an owner may send a header of this name."""
    return bool(_is_token(text)) and text.lower() not in _OURS


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


def model_url_fault(url: str, *, has_key: bool) -> str | None:
    """Return what is wrong with a model's address, beside being one, and what to write."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    for end in _ENDPOINTS:
        if path.lower().endswith(end):
            host = parts.netloc.rpartition("@")[2]
            query = f"?{parts.query}" if parts.query else ""
            base = f"{parts.scheme}://{host}{path[: -len(end)]}{query}"
            return f"ends in {end}, which is added by itself: write {base}"
    if has_key and "@" in parts.netloc:
        return (
            "has a user or a password beside a key, and the key would not be sent: write "
            f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{path}, or take the key away"
        )
    return None


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
