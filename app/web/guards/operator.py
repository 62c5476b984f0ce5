"""The operator at the dashboard: who is signed in, and until when.

The cookie is signed with a key that is made of the first ``SECRET_KEY`` and
the password: to change either signs everybody out. It holds for the browser
that it was given to, and no longer than its time, even when it is copied.
Signed likewise, but with keys of their own: the device cookie, which tells a
browser that was signed in before and opens nothing, and the sign-in link.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from itsdangerous import BadData, URLSafeSerializer

from app.web.guards.secret_keys import derive_key

_PURPOSE = "dashboard cookie "
_DEVICE_PURPOSE = "dashboard device "
_LINK_PURPOSE = "dashboard link "
DEVICE_S = 180 * 24 * 60 * 60
LINK_S = 600


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
        self._serializer = _serializer(self._key)
        self._devices = _serializer(derive_key(secret, _DEVICE_PURPOSE + self._password.hex()))
        self._links = _serializer(derive_key(secret, _LINK_PURPOSE + self._password.hex()))

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

    def to_device(self, device: str | None = None) -> str:
        """Return the cookie of a browser that was signed in: of a known one, or of a new one."""
        return self._stamp(self._devices, device or secrets.token_urlsafe(16))

    def read_device(self, cookie: str) -> str | None:
        """Return which browser's cookie it is; ``None`` for one that was never signed in."""
        return self._read_stamp(self._devices, cookie, DEVICE_S)

    def to_link(self) -> str:
        """Return a token that signs one browser in, within ``LINK_S``."""
        return self._stamp(self._links, secrets.token_urlsafe(16))

    def read_link(self, token: str) -> str | None:
        """Return the id of a live link's token; whoever takes it must see that it is the first."""
        return self._read_stamp(self._links, token, LINK_S)

    def form_token(self, session: str) -> str:
        """Return what every form of this sign-in must bring back."""
        return hmac.digest(self._key, f"form {session}".encode(), hashlib.sha256).hex()

    def is_form_token(self, given: str, session: str) -> bool:
        """Tell whether a form is one of ours, in constant time."""
        return hmac.compare_digest(_digest(given), _digest(self.form_token(session)))

    def _stamp(self, serializer: URLSafeSerializer, name: str) -> str:
        stamped: str = serializer.dumps([name, int(self._clock())])
        return stamped

    def _read_stamp(self, serializer: URLSafeSerializer, stamped: str, live_s: int) -> str | None:
        try:
            name, issued_at_s = serializer.loads(stamped)
        except (BadData, ValueError, TypeError):  # Unicode's errors are ValueErrors
            return None
        return str(name) if self._clock() - issued_at_s <= live_s else None


def _serializer(key: bytes) -> URLSafeSerializer:
    return URLSafeSerializer(
        key, signer_kwargs={"key_derivation": "none", "digest_method": hashlib.sha256}
    )


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
