"""Numbers and texts as the operator reads them."""

from decimal import Decimal

import pytest

from app.dashboard.rendering.formats import to_money, to_preview


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (None, "€", "–"),
        ("0.0763", "", "0.0763"),
        ("0.0763", "$", "$0.0763"),
        ("0.0763", "CHF", "0.0763\N{NARROW NO-BREAK SPACE}CHF"),
        ("12345.6", "€", "€12\N{NARROW NO-BREAK SPACE}345.60"),
        ("0", "€", "€0.00"),
        ("0.00001", "€", "< €0.0001"),
    ],
)
def test_money_has_its_currency(amount: str | None, currency: str, text: str) -> None:
    assert to_money(None if amount is None else Decimal(amount), currency) == text


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("Ship *before* noon, **please** and __now__", "Ship before noon, please and now"),
        ("a * b * c, 2*3 and snake_case_name", "a * b * c, 2*3 and snake_case_name"),
        ("Certainly:\n```text\n1. wash\n```\ndone", "Certainly: 1. wash done"),
        ("~~~python\nx = 1\n~~~", "x = 1"),
        ("| Size | Price |\n|:--|--:|\n| S | 10 |\n| M | 12 |", "Size, Price; S, 10; M, 12"),
        ("# Title\n> said\n- one\n- two\n* three", "Title said one two three"),
        ("See [our page](https://a.example/) or ![a cat](x.png)", "See our page or a cat"),
        ("`code` and ~~old~~", "code and old"),
        ("Half a fence ```js", "Half a fence js"),
        (None, ""),
    ],
)
def test_preview_has_no_marks_of_markdown(markdown: str | None, text: str) -> None:
    assert to_preview(markdown) == text


def test_preview_looks_at_the_beginning_only() -> None:
    assert to_preview("[" * 100_000) == "[" * 500
