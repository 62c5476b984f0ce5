"""Whose session a request is about: told by its token, and by nothing else.

The one exception is a chat of an original client, which names a session
that it made up; such a session has no token, and no way to be read.
"""

import hashlib
import secrets
from typing import cast

from app.assistants import Assistant
from app.domain.errors import InvalidRequest, SessionExpired, SessionRequired, Unauthorized
from app.web.current_request import Request, current_request
from app.web.guards.keys import WIDGET_HEADERS
from app.web.guards.origins import caller_origin, refuse_foreign_origin
from app.web.guards.tokens import SESSION_PREFIX, Claims
from app.web.services import services

_SCHEME = "bearer"


def read_token(request: Request) -> None:
    """Note whose token came with the request, if one came, and which assistant it is for.

    Raises:
        SessionExpired, Unauthorized: the token does not hold, or is for another
            assistant than the key.
    """
    scheme, _, token = request.environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    # Other schemes are a proxy's in front of us, not our clients'.
    if scheme.lower() == _SCHEME:
        claims = services().tokens.verify(token.strip(), caller_origin())
        request.note_assistant(assistant_of(claims, request.assistant))
        request.session_id = claims.session_id


def require_token(request: Request) -> None:
    """Refuse a request without a live token, or from a page that is not its assistant's.

    Raises:
        SessionExpired, Unauthorized: no token, or one that does not hold.
        OriginNotAllowed: see above.
    """
    read_token(request)
    if request.assistant is None:
        raise Unauthorized
    refuse_foreign_origin(request, request.assistant.origins)


def require_key_or_token(request: Request) -> None:
    """Refuse a request that has neither a widget key nor a live token.

    Many clients can send one header alone, ``Authorization``: either may stand in it.

    Raises:
        SessionExpired, Unauthorized, OriginNotAllowed: see ``require_token``.
    """
    if request.assistant is None:
        require_token(request)
    elif any(header in request.environ for header in WIDGET_HEADERS):
        read_token(request)


def assistant_of(claims: Claims, asked: Assistant | None) -> Assistant:
    """Return the assistant that a token is for, which must be the one that is asked, if any is.

    Raises:
        SessionExpired: it is another one, or is there no more: a new session is the way on.
    """
    found = services().assistants.get(claims.assistant)
    if found is None or asked not in (None, found):
        raise SessionExpired
    return found


def asked_assistant() -> Assistant:
    """Return the assistant whose key or token came with the request."""
    return cast(Assistant, current_request().assistant)


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


def own_session(key: str) -> str:
    """Return a session for one request of a client that names none.

    The same for the same key, if there is one: a request that is sent again is the same turn.
    """
    return f"api_{digest(key) if key else secrets.token_hex(16)}"


def digest(key: str) -> str:
    """Return an id, of 32 digits, for what a client calls anything at the assistant asked."""
    return hashlib.sha256(f"{current_request().assistant_id} {key}".encode()).hexdigest()[:32]
