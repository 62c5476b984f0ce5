"""What an operator searches for."""

import timeit
from functools import partial
from time import process_time

import pytest

from app.domain.search_query import SearchQuery, cut_excerpt, parse_query


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("refund", ("refund",)),
        ("  refund   parcel ", ("refund", "parcel")),
        ('"exact steps"', ("exact steps",)),
        ('refund "exact steps" now', ("refund", "exact steps", "now")),
        ('5" screen', ('5"', "screen")),
        ('"', ('"',)),
        ('""', ('""',)),
        ("refund refund", ("refund",)),
        ("a b c d e f g h i j", ("a", "b", "c", "d", "e", "f", "g", "h")),
        ("", ()),
    ],
)
def test_query_is_words_and_phrases(text: str, terms: tuple[str, ...]) -> None:
    assert parse_query(text).terms == terms


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ps_3f9a", "ps_3f9a"),
        (" ps_3f9a ", "ps_3f9a"),
        ("user@shop.example", "user@shop.example"),
        ("two words", None),
        ("x" * 257, None),
    ],
)
def test_single_word_may_be_a_name(text: str, name: str | None) -> None:
    assert parse_query(text).id == name


def test_query_is_a_plain_value() -> None:
    assert parse_query("Refund") == SearchQuery(("Refund",), "Refund")


@pytest.mark.parametrize(
    ("content", "terms", "excerpt"),
    [
        ("Where is my parcel?", ("PARCEL",), "Where is my parcel?"),
        ("one\n\ttwo", ("two",), "one\n\ttwo"),
        ("a" * 100 + " parcel", ("parcel",), "…" + "a" * 59 + " parcel"),
        ("parcel" + "b" * 200, ("parcel",), "parcel" + "b" * 174 + "…"),
        ("İstanbul parcel", ("parcel",), "İstanbul parcel"),
        ("İ" * 100 + " PARCEL", ("parcel",), "…" + "İ" * 59 + " PARCEL"),
        ("a" * 100 + " ΟΔΟΣ", ("οδοσ",), "…" + "a" * 59 + " ΟΔΟΣ"),
        ("b" * 99 + " a parcel", ("parcel", "a"), "…" + "b" * 59 + " a parcel"),
        ("nothing of it", ("parcel",), "nothing of it"),
        ("(a+)+$", ("(a+)+$",), "(a+)+$"),
    ],
)
def test_excerpt_shows_the_words_in_their_place(
    content: str, terms: tuple[str, ...], excerpt: str
) -> None:
    assert cut_excerpt(content, terms) == excerpt


@pytest.mark.slow
def test_excerpt_of_the_worst_content_takes_a_time_in_proportion() -> None:
    terms = parse_query("aaaaaaaaaaaaaaaaaaaab aab ab aaab aaaab aaaaab aaaaaab aaaaaaab").terms

    once, four_times = (
        min(timeit.repeat(partial(cut_excerpt, content, terms), timer=process_time, number=5))
        for content in ("a" * 50_000, "a" * 200_000)
    )

    assert four_times < 10 * once
