"""Which page a request comes from, as far as a browser tells, and where we are found."""

import logging

from flask import request

from app.domain.conversation import DEFAULT_ASSISTANT
from app.domain.errors import OriginNotAllowed
from app.domain.origin import AllowedOrigins, read_origin
from app.web.current_request import Request
from app.web.services import services

log = logging.getLogger(__name__)


def own_url() -> str:
    """Return where visitors find us, without a slash at its end.

    ``PUBLIC_URL``, else what this request calls us, which anybody may make
    up: no redirect is made of it.
    """
    public = services().settings.public_url
    return public or f"{request.scheme}://{request.host}{request.script_root}"


def own_origin() -> str:
    """Return the origin that our own pages have."""
    scheme, _, rest = own_url().partition("://")
    return _normal(f"{scheme}://{rest.partition('/')[0]}")


def is_own_page() -> bool:
    """Tell whether one of our own pages asks; its GETs carry no ``Origin``."""
    origin = request.headers.get("Origin", "")
    return request.headers.get("Sec-Fetch-Site") == "same-origin" or (
        bool(origin) and _normal(origin) == own_origin()
    )


def refuse_foreign_origin(request: Request, allowed: AllowedOrigins) -> None:
    """Refuse a page that may not embed the assistant; outside browsers there is none.

    Raises:
        OriginNotAllowed: see above.
    """
    origin = request.environ.get("HTTP_ORIGIN")
    if origin is None or allowed.include(origin) or is_own_page():
        return
    log.warning(
        "Refused the origin %r: add it to %s if it embeds the widget",
        origin[:200],
        "CORS_ORIGIN" if request.assistant_id == DEFAULT_ASSISTANT else "its cors_origin",
    )
    raise OriginNotAllowed


def caller_origin() -> str:
    """Return the origin that a session token is bound to; empty outside browsers."""
    return own_origin() if is_own_page() else _normal(request.headers.get("Origin", ""))


def _normal(origin: str) -> str:
    try:
        return read_origin(origin)
    except ValueError:
        return origin
