"""The keys that open routes, and the headers in which they come."""

import hmac
from collections.abc import Iterable, Mapping
from typing import Any

from app.assistants import digest_key
from app.domain.errors import NotConfigured, Unauthorized
from app.limits.storage import Limit
from app.web.current_request import Request
from app.web.guards.access import Guard
from app.web.services import services

# Only wrong keys count. A right one always opens: it is too long to be guessed, and
# whoever shares an address with a guesser must not be shut out.
_WRONG_ADMIN_KEYS = Limit("wrong-admin-key", 20, 60)


WIDGET_HEADERS = ("HTTP_X_API_KEY", "HTTP_X_WIDGET_API_KEY")
# Where a key may stand, by who is let in.
_HEADERS = {
    Guard.WIDGET_KEY: WIDGET_HEADERS,
    Guard.CHAT: WIDGET_HEADERS,
    Guard.FRONT_END: (*WIDGET_HEADERS, "HTTP_AUTHORIZATION"),
}


def find_assistant(request: Request) -> None:
    """Note whose widget key came with the request, if it is anybody's."""
    headers = _HEADERS.get(request.access.guard)
    if headers is not None:
        key = given_key(request.environ, headers)
        if assistant := services().assistants.of_key(key):
            request.note_assistant(assistant)


def require_assistant(request: Request) -> None:
    """Refuse a request without the widget key of any assistant.

    Raises:
        Unauthorized: see above.
    """
    if request.assistant is None:
        raise Unauthorized


class AdminKeys:
    """Keys of those who operate the service, of which any opens, in the first of some headers.

    Whoever tries too many is held up.
    """

    def __init__(self, keys: Iterable[str], *headers: str) -> None:
        self._digests = [digest_key(key) for key in keys]
        self._variables = ["HTTP_" + name.upper().replace("-", "_") for name in headers]

    def require(self, request: Request) -> None:
        """Refuse a request without a right key.

        Raises:
            NotConfigured: there is no key.
            Unauthorized, TooManyRequests: there is none in the request, or a wrong one.
        """
        if not self._digests:
            raise NotConfigured("ADMIN_API_KEY is not configured on this deployment")
        given = digest_key(given_key(request.environ, self._variables))
        if any(hmac.compare_digest(given, digest) for digest in self._digests):
            return
        if any(request.environ.get(variable) for variable in self._variables):
            services().limits.count((_WRONG_ADMIN_KEYS, request.client_key))
        raise Unauthorized


def given_key(environ: Mapping[str, Any], variables: Iterable[str]) -> str:
    """Return the key in the first of some headers that came, by their names in the environ."""
    for variable in variables:
        if variable in environ:
            return str(environ[variable]).removeprefix("Bearer ")
    return ""
