"""The keys that open routes, and the headers in which they come."""

import hashlib
import hmac
from collections.abc import Iterable
from typing import Any

from app.domain.errors import NotConfigured, Unauthorized
from app.limits.storage import Limit
from app.web.current_request import Request
from app.web.services import services

# Only wrong keys count. A right one always opens: it is too long to be guessed, and
# whoever shares an address with a guesser must not be shut out.
_WRONG_ADMIN_KEYS = Limit("wrong-admin-key", 20, 60)


class Keys:
    """Keys of which any opens, in the first of some headers that came."""

    def __init__(self, keys: Iterable[str], *headers: str) -> None:
        self._digests = [_digest(key) for key in keys]
        self._variables = ["HTTP_" + name.upper().replace("-", "_") for name in headers]

    def require(self, request: Request) -> None:
        """Refuse a request without a right key.

        Raises:
            Unauthorized: see above.
        """
        given = _digest(self._given(request.environ).removeprefix("Bearer "))
        for digest in self._digests:
            if hmac.compare_digest(given, digest):
                return
        raise Unauthorized

    def _given(self, environ: dict[str, Any]) -> str:
        for variable in self._variables:
            if variable in environ:
                return str(environ[variable])
        return ""


class AdminKeys(Keys):
    """Keys of those who operate the service; whoever tries too many is held up."""

    def require(self, request: Request) -> None:
        """Refuse a request without a right key.

        Raises:
            NotConfigured: there is no key.
            Unauthorized, TooManyRequests: there is none in the request, or a wrong one.
        """
        if not self._digests:
            raise NotConfigured("ADMIN_API_KEY is not configured on this deployment")
        try:
            super().require(request)
        except Unauthorized:
            if any(request.environ.get(variable) for variable in self._variables):
                services().limits.count((_WRONG_ADMIN_KEYS, request.client_key))
            raise


def _digest(key: str) -> bytes:
    # Because compare_digest refuses text outside ASCII.
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
