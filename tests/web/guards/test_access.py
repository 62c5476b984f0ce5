"""The table of who may call what; that it has every route, and what each does, is in test_rules."""

import pytest

from app.web.guards.access import ACCESS, CLOSED, NO_ROUTE, Access, Guard, access_of


@pytest.mark.parametrize(
    ("endpoint", "row"),
    [
        ("headless.stream", ACCESS["headless"]),
        ("system.root", ACCESS["system"]),
        ("system.health", ACCESS["system.health"]),
        ("static", ACCESS["static"]),
        (None, NO_ROUTE),
        ("forgotten.route", CLOSED),
        ("forgotten", CLOSED),
        ("", CLOSED),
    ],
)
def test_a_routes_own_row_stands_over_its_blueprints(endpoint: str | None, row: Access) -> None:
    assert access_of(endpoint) is row


def test_nobody_passes_where_no_row_is_and_every_try_counts() -> None:
    assert Access(Guard.NOBODY, counted=True) == CLOSED


def test_what_is_open_to_every_page_asks_for_nothing() -> None:
    assert {row.guard for row in ACCESS.values() if row.open} == {Guard.ANYONE}


def test_the_private_port_answers_what_monitoring_asks_for() -> None:
    assert {name for name, row in ACCESS.items() if row.private} == {"metrics", "system.health"}


def test_visitors_are_those_who_come_with_a_widget_key_or_a_token() -> None:
    visitors = {name for name, row in ACCESS.items() if row.is_visitors}

    assert visitors == {
        "chat", "headless", "openai", "openai.list_models", "front_ends", "front_ends.resume",
        "session_opening", "session", "session_returning", "people",
    }  # fmt: skip
