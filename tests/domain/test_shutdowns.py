"""When a provider switches a model off, and what its owner is told of it."""

from datetime import date, timedelta

import pytest

from app.domain.shutdowns import describe_shutdown, known_shutdown

OPENAI = "https://api.openai.com/v1"
DAY = date(2027, 1, 14)


@pytest.mark.parametrize(
    ("model", "url", "day"),
    [
        ("gpt-4.1-mini", OPENAI, DAY),
        ("GPT-4.1-mini-2025-04-14", "https://eu.api.openai.com/v1", DAY),
        ("gpt-4.1-mini", "https://openrouter.ai/api/v1", None),
        ("gpt-4.1-mini", "https://api.openai.com.evil.example/v1", None),
        ("a-model", OPENAI, None),
    ],
)
def test_day_is_known_of_openais_own_models(model: str, url: str, day: date | None) -> None:
    assert known_shutdown(model, url) == day


@pytest.mark.parametrize(
    ("days_before", "told"),
    [
        (91, None),
        (
            90,
            "m is switched off by its provider on 2027-01-14, in 90 days: then nobody is answered",
        ),
        (1, "m is switched off by its provider on 2027-01-14, in 1 day: then nobody is answered"),
        (0, "m was switched off by its provider on 2027-01-14"),
        (-9, "m was switched off by its provider on 2027-01-14"),
    ],
)
def test_owner_is_told_from_ninety_days_before(days_before: int, told: str | None) -> None:
    assert describe_shutdown("m", DAY, DAY - timedelta(days=days_before)) == told


def test_nothing_is_told_of_a_day_that_nobody_knows() -> None:
    assert describe_shutdown("m", None, DAY) is None
