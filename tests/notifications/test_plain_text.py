"""Texts of strangers: what is left of them."""

import pytest

from app.notifications.plain_text import one_line, printable, shorten

FAMILY = "👨\u200d👩\u200d👧"
PERSIAN = "می\u200cخواهم"


@pytest.mark.parametrize("text", [FAMILY, PERSIAN, "漢字 ñ", "a\nb"])
def test_words_of_any_script_stay_as_they_are(text: str) -> None:
    assert printable(text) == text
    assert one_line(text) == text.replace("\n", " ")


@pytest.mark.parametrize(
    "bad", ["\x1b", "\u202e", "\x00", "\x85", "\ud800", "\u2028", "\r", "\x7f"]
)
def test_what_a_program_might_obey_goes(bad: str) -> None:
    assert printable(f"a{bad}b") == "ab"
    assert one_line(f"a{bad}b") == "a b"


def test_a_cut_text_says_so() -> None:
    assert shorten("abc", 3) == "abc"
    assert shorten("abcd", 3) == "ab…"
