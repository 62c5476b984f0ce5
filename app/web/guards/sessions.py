"""Whose session a request is about: told by its token, and by nothing else.

The one exception is a chat of an original client, which names a session
that it made up; such a session has no token, and no way to be read.
"""

from typing import cast

from app.domain.errors import InvalidRequest, SessionRequired, Unauthorized
from app.web.current_request import Request, current_request
from app.web.guards.origins import caller_origin
from app.web.guards.tokens import SESSION_PREFIX
from app.web.services import services

_SCHEME = "bearer"


def read_token(request: Request) -> None:
    """Note whose token came with the request, if one came.

    Raises:
        SessionExpired, Unauthorized: the token does not hold.
    """
    scheme, _, token = request.environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    # Other schemes are a proxy's in front of us, not our clients'.
    if scheme.lower() == _SCHEME:
        request.session_id = services().tokens.verify(token.strip(), caller_origin())


def require_token(request: Request) -> None:
    """Refuse a request without a live token.

    Raises:
        SessionExpired, Unauthorized: no token, or one that does not hold.
    """
    read_token(request)
    if request.session_id is None:
        raise Unauthorized


def session_id() -> str:
    """Return the session whose token came with the request."""
    return cast(str, current_request().session_id)


def chatting_session(claimed: str | None) -> str:
    """Return the session that a chat goes on in: the token's, or the one claimed.

    Raises:
        InvalidRequest: neither is there.
        SessionRequired: what is claimed needs a token.
    """
    proven = current_request().session_id
    if proven is not None:
        return proven
    if services().settings.session_mode == "strict":
        raise SessionRequired
    if claimed is None:
        raise InvalidRequest(details={"sessionId": ["Missing data for required field."]})
    if claimed.startswith(SESSION_PREFIX):
        raise SessionRequired
    return claimed
