"""Who a visitor is, in the words of the site's own server: a signed JWT."""

import time
from collections.abc import Iterable

import jwt

from app.domain.errors import IdentityRefused

_ALGORITHMS = ["HS256"]
_MAX_LIFE_S = 60 * 60
# How far the site's clock may be off ours.
_LEEWAY_S = 10
_MAX_USER_CHARS = 256


def verify_identity(token: str, secrets: Iterable[str]) -> str:
    """Return the user whom the token's ``sub`` names.

    Raises:
        IdentityRefused: none of the secrets signed it, it is not for now,
            or it would be good for longer than an hour.
    """
    for secret in secrets:
        claims = _claims(token, secret)
        if claims is not None:
            return _user(claims)
    raise IdentityRefused


def _claims(token: str, secret: str) -> dict[str, object] | None:
    try:
        return jwt.decode(
            token,
            secret,
            algorithms=_ALGORITHMS,
            leeway=_LEEWAY_S,
            options={"require": ["sub", "exp"], "verify_aud": False},
        )
    except (jwt.InvalidTokenError, OverflowError):
        return None


def _user(claims: dict[str, object]) -> str:
    user, expires_at_s = str(claims["sub"]), float(str(claims["exp"]))
    if expires_at_s - time.time() > _MAX_LIFE_S + _LEEWAY_S:
        raise IdentityRefused
    # No NUL and no lone surrogate: no store takes them.
    if not (0 < len(user) <= _MAX_USER_CHARS and user.isprintable()):
        raise IdentityRefused
    return user
