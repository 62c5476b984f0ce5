"""The operator at the dashboard: who is signed in, and until when.

The cookie is signed with a key that is made of the first ``SECRET_KEY`` and
the password: to change either signs everybody out. It holds for the browser
that it was given to, and no longer than its time, even when it is copied.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from itsdangerous import BadData, URLSafeSerializer

from app.web.secret_keys import derive_key

_PURPOSE = "dashboard cookie "


@dataclass(frozen=True, slots=True)
class SignIn:
    """One operator's time at the dashboard, in seconds since the Unix epoch."""

    id: str
    browser: str
    since_s: int
    seen_s: int


class Operators:
    """Makes and checks the dashboard's cookies and form tokens."""

    def __init__(
        self,
        secret: bytes,
        password: str,
        *,
        idle_s: float,
        longest_s: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.longest_s = longest_s
        self._idle_s = idle_s
        self._password = _digest(password)
        self._clock = clock
        self._key = derive_key(secret, _PURPOSE + self._password.hex())
        self._serializer = URLSafeSerializer(
            self._key,
            signer_kwargs={"key_derivation": "none", "digest_method": hashlib.sha256},
        )

    def knows(self, password: str) -> bool:
        """Tell whether this is the password, in constant time."""
        return hmac.compare_digest(_digest(password), self._password)

    def sign_in(self, browser: str) -> SignIn:
        """Begin anew: nothing of what the browser had before holds on."""
        now = int(self._clock())
        return SignIn(secrets.token_urlsafe(16), _digest(browser).hex()[:16], now, now)

    def to_cookie(self, sign_in: SignIn) -> str:
        """Return the cookie of a sign-in."""
        cookie: str = self._serializer.dumps(
            [sign_in.id, sign_in.browser, sign_in.since_s, sign_in.seen_s]
        )
        return cookie

    def read(self, cookie: str, browser: str) -> SignIn | None:
        """Return whose cookie it is; ``None`` for a forged, foreign or expired one."""
        try:
            found = SignIn(*self._serializer.loads(cookie))
        except (BadData, TypeError, UnicodeError):
            return None
        now = self._clock()
        if now - found.seen_s > self._idle_s or now - found.since_s > self.longest_s:
            return None
        return found if found.browser == _digest(browser).hex()[:16] else None

    def seen(self, sign_in: SignIn) -> SignIn:
        """Note that the operator is there."""
        return replace(sign_in, seen_s=int(self._clock()))

    def form_token(self, session: str) -> str:
        """Return what every form of this sign-in must bring back."""
        return hmac.digest(self._key, f"form {session}".encode(), hashlib.sha256).hex()

    def is_form_token(self, given: str, session: str) -> bool:
        """Tell whether a form is one of ours, in constant time."""
        return hmac.compare_digest(_digest(given), _digest(self.form_token(session)))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
