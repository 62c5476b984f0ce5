"""Return links: whose they open, for how long, and none but ours."""

from urllib.parse import parse_qs, urlsplit

import pytest

from app.domain.errors import SessionExpired, Unauthorized
from app.notifications.return_link import LIVE_S, Returning, ReturnLinks, without_token
from app.web.guards.tokens import SessionTokens
from tests.clock import Clock

KEY, OLD_KEY = b"k" * 32, b"o" * 32


def test_a_link_opens_a_session(clock: Clock) -> None:
    links = ReturnLinks([KEY], clock=clock)

    link = links.link("https://www.example.com/a?x=1&y=&perch=old#top", "ps_1", "sales")

    parts = urlsplit(link)
    query = parse_qs(parts.query, keep_blank_values=True)
    assert link.startswith("https://www.example.com/a?x=1&y=&perch=")
    assert parts.fragment == "top"
    assert len(query["perch"]) == 1
    assert links.verify(query["perch"][0]) == Returning("ps_1", "sales")


def test_a_link_is_one_word_whatever_a_visitor_says_where_they_are(clock: Clock) -> None:
    page = 'https://www.example.com/a%20b/ü" buy <b>\u202enow?q=a b#top of it'

    link = ReturnLinks([KEY], clock=clock).link(page, "ps_1", "sales")

    begin = "https://www.example.com/a%20b/%C3%BC%22%20buy%20%3Cb%3E%E2%80%AEnow?q=a+b&perch="
    assert link.startswith(begin)
    assert link.endswith("#top%20of%20it")


@pytest.mark.parametrize(
    ("page", "told"),
    [
        ("https://a.example/x?perch=t", "https://a.example/x"),
        ("https://a.example/x?a=%20&perch=t&perch=u&b#c", "https://a.example/x?a=%20&b#c"),
        ("https://a.example/#/x?perch=t", "https://a.example/#/x"),
        ("https://a.example/?superch=t", "https://a.example/?superch=t"),
        ("https://[::1/?perch=t", "https://[::1/"),
    ],
)
def test_address_is_told_without_its_token(page: str, told: str) -> None:
    assert without_token(page) == told


def test_it_lives_for_30_days(clock: Clock) -> None:
    links = ReturnLinks([KEY], clock=clock)
    token = links.mint("ps_1", "default")

    clock.advance(30 * 86_400)
    assert links.verify(token).session_id == "ps_1"
    clock.advance(1)
    with pytest.raises(SessionExpired):
        links.verify(token)
    assert LIVE_S == 30 * 86_400


def test_former_keys_verify(clock: Clock) -> None:
    token = ReturnLinks([OLD_KEY], clock=clock).mint("ps_1", "default")

    assert ReturnLinks([KEY, OLD_KEY], clock=clock).verify(token).session_id == "ps_1"


@pytest.mark.parametrize("change", ["", "x", ".", "é", "\x00", "a.b.c"])
def test_what_is_not_ours_opens_nothing(change: str, clock: Clock) -> None:
    links = ReturnLinks([KEY], clock=clock)
    with pytest.raises(Unauthorized):
        links.verify(change)
    with pytest.raises(Unauthorized):
        links.verify(change + links.mint("ps_1", "default") + (change or "A"))
    with pytest.raises(Unauthorized):
        ReturnLinks([OLD_KEY], clock=clock).verify(links.mint("ps_1", "default"))


def test_a_token_of_another_purpose_opens_nothing(clock: Clock) -> None:
    token = SessionTokens([KEY], live_s=9, clock=clock).mint("ps_1", "https://www.example.com")

    with pytest.raises(Unauthorized):
        ReturnLinks([OLD_KEY], clock=clock).verify(token)
