"""Bytes become text."""

import codecs

import pytest

from app.knowledge.learner.pages.page import Unreadable
from app.knowledge.learner.pages.text import (
    alike,
    decode,
    plain,
    plain_code,
    plain_lines,
    require_text,
)

WORDS = "Größe 「健康」"


@pytest.mark.parametrize(
    ("body", "charset", "text"),
    [
        (WORDS.encode(), None, WORDS),
        (codecs.BOM_UTF8 + WORDS.encode(), "latin-1", WORDS),
        (codecs.BOM_UTF16_LE + WORDS.encode("utf-16-le"), None, WORDS),
        ("Größe".encode("latin-1"), "iso-8859-1", "Größe"),
        ("“quoted”".encode("cp1252"), "iso-8859-1", "“quoted”"),
        ("Größe".encode("latin-1"), None, "Größe"),
        ("健康".encode("gb18030"), "gb2312", "健康"),
        ("<meta charset=sjis>健康".encode("shift_jis"), None, "<meta charset=sjis>健康"),
        (WORDS.encode(), "no-such-thing", WORDS),
        (WORDS.encode(), "punycode", WORDS),
        (WORDS.encode(), "base64", WORDS),
        (WORDS.encode(), "utf-7\0", WORDS),
        (b"\xff\xfe\xff", None, "\ufffd"),
        (b"", "unicode_escape", ""),
    ],
)  # fmt: skip
def test_encoding_is_found(body: bytes, charset: str | None, text: str) -> None:
    assert decode(body, charset) == text


def test_bytes_of_no_encoding_are_read_all_the_same() -> None:
    assert decode(bytes(range(256)), "ascii")


def test_binary_data_is_no_text() -> None:
    with pytest.raises(Unreadable):
        require_text(b"abc\0def")
    require_text(codecs.BOM_UTF16_LE + b"a\0")


def test_spaces_become_one_and_lines_stay_where_they_are_wanted() -> None:
    assert plain(" a\xa0 b\n\tc ") == "a b c"
    assert plain_lines("a  b \r\n\r\n  c") == "a b\nc"
    assert plain_code("\n  if x:\n\t\ty  \n\n") == "  if x:\n        y"
    assert alike("ＡＢc  d") == "abc d"
    assert plain("a\ud800b") == "ab"
