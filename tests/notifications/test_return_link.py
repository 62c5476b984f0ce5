"""Return links: whose they open, for how long, and none but ours."""

from urllib.parse import parse_qs, urlsplit

import pytest

from app.domain.errors import SessionExpired, Unauthorized
from app.notifications.return_link import LIVE_S, Returning, ReturnLinks
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
