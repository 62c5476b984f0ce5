"""Identities: only what the site's own server signed, and only for an hour."""

import time
from typing import Any

import jwt
import pytest

from app.domain.errors import IdentityRefused
from app.web.guards.identity import verify_identity

SECRET = "identity-secret-of-the-unit-tests"
OTHER = "another-secret-of-another-website"
HOUR_S = 3600


def signed(secret: str = SECRET, algorithm: str = "HS256", **claims: Any) -> str:
    claims = {"sub": "ada", "exp": int(time.time()) + 300, **claims}
    present = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(present, secret, algorithm=algorithm)


def test_user_is_the_subject() -> None:
    assert verify_identity(signed(), [SECRET]) == "ada"


def test_any_of_several_secrets_may_have_signed() -> None:
    assert verify_identity(signed(), [OTHER, SECRET]) == "ada"


def test_claims_that_we_do_not_know_do_no_harm() -> None:
    token = signed(aud="shop", iss="https://shop.test", name="Ada", iat=int(time.time()))

    assert verify_identity(token, [SECRET]) == "ada"


def refused() -> dict[str, str]:
    now = int(time.time())
    head, body, signature = signed().split(".")
    return {
        "another's secret": signed(OTHER),
        "another algorithm": signed(SECRET * 2, algorithm="HS512"),
        "no algorithm": jwt.encode({"sub": "ada", "exp": now + 300}, "", algorithm="none"),
        "unsigned": f"{head}.{body}.",
        "changed": f"{head}.{signed(sub='bob').split('.')[1]}.{signature}",
        "not a JWT": "ada",
        "empty parts": "..",
        "expired": signed(exp=now - 60),
        "not yet": signed(nbf=now + 600),
        "for ever": signed(exp=None),
        "for two hours": signed(exp=now + 2 * HOUR_S),
        "nobody": signed(sub=None),
        "empty": signed(sub=""),
        "NUL": signed(sub="a\0b"),
        "half a character": signed(sub="a\ud800"),
        "very long": signed(sub="a" * 257),
    }


@pytest.mark.parametrize("token", refused().values(), ids=refused())
def test_everything_else_is_refused(token: str) -> None:
    with pytest.raises(IdentityRefused):
        verify_identity(token, [SECRET])
