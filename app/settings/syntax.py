"""What a variable's text must look like to be one thing or another."""

from urllib.parse import urlsplit

NO_HEADER = "has characters that no HTTP header carries"


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
        )
    except ValueError:  # of `port`, and of half an IPv6 address
        return False


def is_origin(text: str) -> bool:
    """Tell whether this is an origin as browsers write it, without a path."""
    scheme, _, host = text.partition("://")
    return bool(scheme and host) and not set(host) & set("/?#*@ ")
