"""Session tokens: which hold, for how long, from where, and under which keys."""

import hashlib
from base64 import urlsafe_b64encode

import pytest
from itsdangerous import URLSafeSerializer

from app.domain.errors import SessionExpired, Unauthorized
from app.web.guards.secret_keys import derive_key
from app.web.guards.tokens import RENEWABLE_S, SessionTokens, new_session_id

SESSION = "ps_0123456789abcdef0123456789abcdef"
PAGE = "https://shop.test"
LIVE_S = 900
KEY, OLD_KEY, FOREIGN_KEY = (derive_key(secret, "test") for secret in (b"a", b"b", b"c"))


class Clock:
    def __init__(self) -> None:
        self.now_s = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def tokens(clock: Clock) -> SessionTokens:
    return SessionTokens([KEY], live_s=LIVE_S, clock=clock)


def test_token_opens_its_session(tokens: SessionTokens) -> None:
    token = tokens.mint(SESSION, PAGE)

    assert tokens.verify(token, PAGE).session_id == SESSION
    assert tokens.verify_renewable(token, PAGE).session_id == SESSION


@pytest.mark.parametrize(
    ("age_s", "is_live", "is_renewable"),
    [
        (LIVE_S, True, True),
        (LIVE_S + 1, False, True),
        (LIVE_S + RENEWABLE_S, False, True),
        (LIVE_S + RENEWABLE_S + 1, False, False),
    ],
)
def test_token_is_live_for_minutes_and_renewable_for_days(
    tokens: SessionTokens, clock: Clock, age_s: int, is_live: bool, is_renewable: bool
) -> None:
    token = tokens.mint(SESSION, PAGE)
    clock.now_s += age_s

    for check, holds in ((tokens.verify, is_live), (tokens.verify_renewable, is_renewable)):
        if holds:
            assert check(token, PAGE).session_id == SESSION
        else:
            with pytest.raises(SessionExpired):
                check(token, PAGE)


def test_renewed_token_lives_anew(tokens: SessionTokens, clock: Clock) -> None:
    old = tokens.mint(SESSION, PAGE)
    clock.now_s += LIVE_S + 60
    new = tokens.mint(tokens.verify_renewable(old, PAGE).session_id, PAGE)

    assert tokens.verify(new, PAGE).session_id == SESSION


@pytest.mark.parametrize(
    "origin",
    ["", "null", "https://shop.test.evil.test", "http://shop.test", "https://shop.test:443"],
)
def test_token_holds_for_its_origin_only(tokens: SessionTokens, origin: str) -> None:
    token = tokens.mint(SESSION, PAGE)

    for check in (tokens.verify, tokens.verify_renewable):
        with pytest.raises(Unauthorized) as refused:
            check(token, origin)
        assert type(refused.value) is Unauthorized


def test_expired_token_from_elsewhere_is_not_told_that_it_expired(
    tokens: SessionTokens, clock: Clock
) -> None:
    token = tokens.mint(SESSION, PAGE)
    clock.now_s += LIVE_S + 1

    with pytest.raises(Unauthorized) as refused:
        tokens.verify(token, "https://evil.test")
    assert type(refused.value) is Unauthorized


def forged() -> dict[str, str]:
    """Tokens that we did not make, by what is wrong with them."""
    real = SessionTokens([KEY], live_s=LIVE_S).mint(SESSION, PAGE)
    payload, _, signature = real.rpartition(".")
    claims = urlsafe_b64encode(f'["{SESSION}","{PAGE}",1700000000]'.encode()).decode().rstrip("=")
    return {
        "empty": "",
        "a word": "token",
        "the session id": SESSION,
        "unsigned": payload,
        "empty signature": f"{payload}.",
        "another's signature": f"{payload}.{signature[:-4]}AAAA",
        "another's payload": f"{claims}.{signature}",
        "foreign key": SessionTokens([FOREIGN_KEY], live_s=LIVE_S).mint(SESSION, PAGE),
        "sha1": str(URLSafeSerializer([KEY]).dumps([SESSION, PAGE, 1_700_000_000])),
        "umlauts": "ü" * 40,
        "dots": "....",
        "very long": "A" * 8000,
    }


@pytest.mark.parametrize("token", forged().values(), ids=forged())
def test_forged_token_holds_nowhere(tokens: SessionTokens, token: str) -> None:
    for check in (tokens.verify, tokens.verify_renewable):
        with pytest.raises(Unauthorized) as refused:
            check(token, PAGE)
        assert type(refused.value) is Unauthorized


@pytest.mark.parametrize("claims", ["text", 7, None, [], [SESSION, PAGE], {"a": 1, "b": 2, "c": 3}])
def test_other_things_signed_with_the_key_are_no_tokens(
    tokens: SessionTokens, claims: object
) -> None:
    signer = {"key_derivation": "none", "digest_method": hashlib.sha256}
    token = str(URLSafeSerializer([KEY], signer_kwargs=signer).dumps(claims))

    with pytest.raises(Unauthorized):
        tokens.verify(token, PAGE)


def test_keys_rotate(clock: Clock) -> None:
    old = SessionTokens([OLD_KEY], live_s=LIVE_S, clock=clock)
    both = SessionTokens([KEY, OLD_KEY], live_s=LIVE_S, clock=clock)
    new = SessionTokens([KEY], live_s=LIVE_S, clock=clock)

    assert both.verify(old.mint(SESSION, PAGE), PAGE).session_id == SESSION
    assert new.verify(both.mint(SESSION, PAGE), PAGE).session_id == SESSION
    with pytest.raises(Unauthorized):
        new.verify(old.mint(SESSION, PAGE), PAGE)


def test_session_ids_are_random_and_marked_as_ours() -> None:
    ids = {new_session_id() for _ in range(1000)}

    assert len(ids) == 1000
    assert all(id_.startswith("ps_") and len(id_) == 3 + 32 for id_ in ids)


def test_token_names_its_assistant_and_that_of_before_there_were_several_the_default(
    tokens: SessionTokens,
) -> None:
    shops, before = tokens.mint(SESSION, PAGE, "shop"), tokens.mint(SESSION, PAGE)

    assert tokens.verify(shops, PAGE).assistant == "shop"
    assert tokens.verify(before, PAGE).assistant == "default"
    assert len(before) < len(shops)
