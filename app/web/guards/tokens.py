"""Session tokens: signed, bound to a session and an origin, short-lived.

Whether a token holds is decided here, by its signature first of all, and
without any store.
"""

import hashlib
import secrets
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from itsdangerous import BadData, URLSafeSerializer

from app.domain.conversation import DEFAULT_ASSISTANT
from app.domain.errors import SessionExpired, Unauthorized

# No client may make up an id that begins like this.
SESSION_PREFIX = "ps_"
PURPOSE = "session token"

RENEWABLE_S = 30 * 24 * 60 * 60
_SESSION_BYTES = 16


class Claims(NamedTuple):
    """What a token says: whose session, from which origin, since when, with which assistant."""

    session_id: str
    origin: str
    issued_at_s: int
    assistant: str = DEFAULT_ASSISTANT


class SessionTokens:
    """Makes and checks tokens. The first of ``keys`` signs; all of them verify."""

    def __init__(
        self, keys: Sequence[bytes], *, live_s: float, clock: Callable[[], float] = time.time
    ) -> None:
        self.live_s = live_s
        self._clock = clock
        self._serializer = URLSafeSerializer(
            list(reversed(keys)),
            signer_kwargs={"key_derivation": "none", "digest_method": hashlib.sha256},
        )

    def mint(self, session_id: str, origin: str, assistant: str = DEFAULT_ASSISTANT) -> str:
        """Make a token for a session with an assistant, to be used from one origin."""
        # Without the default's name, as tokens were before there were others.
        named = [assistant] if assistant != DEFAULT_ASSISTANT else []
        return self._serializer.dumps([session_id, origin, int(self._clock()), *named])

    def verify(self, token: str, origin: str) -> Claims:
        """Return what a live token says.

        Raises:
            SessionExpired: it was live once; renew it.
            Unauthorized: it is not ours, or for another origin.
        """
        claims = self._read(token, origin)
        if self._age_s(claims) > self.live_s:
            raise SessionExpired
        return claims

    def verify_renewable(self, token: str, origin: str) -> Claims:
        """Return what a token says that may still be renewed.

        Raises:
            Unauthorized: it is not ours, for another origin, or too old.
        """
        claims = self._read(token, origin)
        if self._age_s(claims) > self.live_s + RENEWABLE_S:
            raise SessionExpired
        return claims

    def _read(self, token: str, origin: str) -> Claims:
        try:
            claims = Claims(*self._serializer.loads(token))
        except (BadData, TypeError):
            raise Unauthorized from None
        if claims.origin != origin:
            raise Unauthorized
        return claims

    def _age_s(self, claims: Claims) -> float:
        return self._clock() - claims.issued_at_s


def new_session_id() -> str:
    """Make up a session that nobody can guess."""
    return SESSION_PREFIX + secrets.token_hex(_SESSION_BYTES)
