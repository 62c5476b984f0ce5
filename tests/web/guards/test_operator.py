"""The operator's cookie: until when it holds, and for whom."""

import pytest

from app.web.guards.operator import DEVICE_S, LINK_S, Operators

BROWSER = "Firefox"
IDLE_S = 60.0
LONGEST_S = 600.0


class Clock:
    def __init__(self) -> None:
        self.now_s = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now_s


def some_operators(
    clock: Clock, secret: bytes = b"secret", password: str = "open sesame"
) -> Operators:
    return Operators(secret, password, idle_s=IDLE_S, longest_s=LONGEST_S, clock=clock)


@pytest.fixture
def operators(clock: Clock) -> Operators:
    return some_operators(clock)


def test_cookie_proves_its_sign_in(operators: Operators) -> None:
    sign_in = operators.sign_in(BROWSER)

    assert operators.read(operators.to_cookie(sign_in), BROWSER) == sign_in


def test_every_sign_in_is_a_new_one(operators: Operators) -> None:
    assert operators.sign_in(BROWSER).id != operators.sign_in(BROWSER).id


def test_cookie_holds_in_its_own_browser_only(operators: Operators) -> None:
    cookie = operators.to_cookie(operators.sign_in(BROWSER))

    assert operators.read(cookie, "curl") is None


def test_cookie_ends_when_nobody_is_there(operators: Operators, clock: Clock) -> None:
    cookie = operators.to_cookie(operators.sign_in(BROWSER))

    clock.now_s += IDLE_S
    assert operators.read(cookie, BROWSER) is not None
    clock.now_s += 1
    assert operators.read(cookie, BROWSER) is None


def test_cookie_ends_in_any_case(operators: Operators, clock: Clock) -> None:
    sign_in = operators.sign_in(BROWSER)
    for _ in range(int(LONGEST_S / IDLE_S)):
        clock.now_s += IDLE_S
        sign_in = operators.seen(sign_in)
    assert operators.read(operators.to_cookie(sign_in), BROWSER) is not None

    clock.now_s += 1
    sign_in = operators.seen(sign_in)

    assert operators.read(operators.to_cookie(sign_in), BROWSER) is None


@pytest.mark.parametrize(
    ("secret", "password"), [(b"another", "open sesame"), (b"secret", "open onion")]
)
def test_new_secret_or_password_signs_everybody_out(
    clock: Clock, operators: Operators, secret: bytes, password: str
) -> None:
    cookie = operators.to_cookie(operators.sign_in(BROWSER))

    assert some_operators(clock, secret, password).read(cookie, BROWSER) is None


@pytest.mark.parametrize("cookie", ["", "x", ".", "a.b", "WzEsMiwzLDRd.c2ln", "é", "\ud800", "e30"])
def test_forged_cookie_is_nobody(operators: Operators, cookie: str) -> None:
    assert operators.read(cookie, BROWSER) is None


def test_changed_cookie_is_nobody(operators: Operators) -> None:
    cookie = operators.to_cookie(operators.sign_in(BROWSER))

    for at in range(len(cookie) - 1):  # the last character has bits to spare
        changed = cookie[:at] + ("A" if cookie[at] != "A" else "B") + cookie[at + 1 :]
        assert operators.read(changed, BROWSER) is None


@pytest.mark.parametrize(
    "password", ["", "open sesam", "open sesame ", "OPEN SESAME", "ö", "\ud800"]
)
def test_only_the_password_opens(operators: Operators, password: str) -> None:
    assert operators.knows("open sesame")
    assert not operators.knows(password)


def test_form_token_is_of_one_sign_in(operators: Operators) -> None:
    token = operators.form_token("one")

    assert operators.is_form_token(token, "one")
    assert not operators.is_form_token(token, "two")
    assert not operators.is_form_token("", "one")


def test_device_is_known_until_its_cookie_ends(operators: Operators, clock: Clock) -> None:
    cookie = operators.to_device("laptop")

    clock.now_s += DEVICE_S
    known = operators.read_device(cookie)
    clock.now_s += 1

    assert (known, operators.read_device(cookie)) == ("laptop", None)


def test_link_ends_by_itself(operators: Operators, clock: Clock) -> None:
    link = operators.to_link()

    clock.now_s += LINK_S
    live = operators.read_link(link)
    clock.now_s += 1

    assert live is not None
    assert operators.read_link(link) is None


def test_what_is_signed_for_one_purpose_serves_no_other(operators: Operators) -> None:
    cookie = operators.to_cookie(operators.sign_in(BROWSER))
    device, link = operators.to_device(), operators.to_link()

    assert [operators.read_device(each) for each in (cookie, link)] == [None, None]
    assert [operators.read_link(each) for each in (cookie, device)] == [None, None]
    assert [operators.read(each, BROWSER) for each in (device, link)] == [None, None]


@pytest.mark.parametrize("cookie", ["", "x", ".", "a.b", "WzEsMl0.c2ln", "é", "\ud800", "e30"])
def test_forged_device_is_nobodys(operators: Operators, cookie: str) -> None:
    assert operators.read_device(cookie) is None
