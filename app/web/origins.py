"""Which page a request comes from, as far as a browser tells."""

from flask import request


def own_origin() -> str:
    """Return the origin that this request sees us under."""
    return f"{request.scheme}://{request.host}"


def is_own_page() -> bool:
    """Tell whether one of our own pages asks; its GETs carry no ``Origin``."""
    return (
        request.headers.get("Sec-Fetch-Site") == "same-origin"
        or request.headers.get("Origin") == own_origin()
    )


def caller_origin() -> str:
    """Return the origin that a session token is bound to; empty outside browsers."""
    return own_origin() if is_own_page() else request.headers.get("Origin", "")
