"""The owner's prices: how they are written, and which one a model gets."""

from decimal import Decimal

import pytest

from app.domain.prices import Price, Prices

PRICES = Prices.parse("gpt-4.1=2/8, gpt-4.1-mini=0.40/1.60 ,local=0/0")


def test_prices_are_read() -> None:
    assert PRICES.by_name == {
        "gpt-4.1": Price(Decimal(2), Decimal(8)),
        "gpt-4.1-mini": Price(Decimal("0.40"), Decimal("1.60")),
        "local": Price(Decimal(0), Decimal(0)),
    }
    assert Prices.parse(" ").by_name == {}


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("gpt=1/2", ""),
        ("USD gpt=1/2", "USD"),
        ("  EUR   gpt=1/2, other=3/4", "EUR"),
        ("€ gpt=1/2", "€"),
        ("$gpt=1/2", "$"),
        ("GPT=1/2", ""),
        ("", ""),
    ],
)
def test_currency_may_stand_in_front(text: str, currency: str) -> None:
    prices = Prices.parse(text)

    assert prices.currency == currency
    assert all(name.lower() in ("gpt", "other") for name in prices.by_name)


@pytest.mark.parametrize(
    "text",
    [
        *("gpt=1", "gpt", "=1/2", "gpt=1/x", "gpt=-1/2", "gpt=nan/1", "gpt=1/2/3", "a=1/2,b"),
        *("EUR;gpt=1/2", "gpt=1/2;gpt=3/4"),
    ],
)
def test_what_cannot_be_read_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=r"gpt|=|b"):
        Prices.parse(text)


@pytest.mark.parametrize(
    ("model", "cost"),
    [
        ("gpt-4.1-mini-2025-04-14", Decimal("0.40") + Decimal("0.80")),
        ("gpt-4.1-2025-04-14", Decimal("2") + Decimal("4")),
        ("local", Decimal(0)),
        ("another", None),
    ],
)
def test_model_costs_by_the_longest_name_that_fits(model: str, cost: Decimal | None) -> None:
    assert PRICES.cost(model, 1_000_000, 500_000) == cost


def test_costs_are_exact() -> None:
    assert PRICES.cost("gpt-4.1-mini", 1, 1) == Decimal("0.000002")
