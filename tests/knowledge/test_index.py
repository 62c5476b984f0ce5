import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from app.knowledge.index import write_index
from app.knowledge.open_index import open_index
from tests.knowledge.library_parts import SHOP, a_page, count_tokens, open_library


def test_equal_documents_make_equal_files_in_whatever_order(tmp_path: Path) -> None:
    write_index(tmp_path / "a", SHOP, count_tokens)
    write_index(tmp_path / "b", SHOP[::-1], count_tokens)

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_index_says_what_it_holds(tmp_path: Path) -> None:
    index = open_library(tmp_path / "a", version=7)

    rows = index.all_rows()
    assert (index.version, index.passages, index.words.languages) == (7, 6, ("en",))
    assert index.tokens == sum(row.tokens for row in rows)
    assert rows[-1].text == "Send the parcel back within thirty days for a refund."


def test_tombstones_and_empty_documents_are_passed_over(tmp_path: Path) -> None:
    index = open_library(tmp_path / "a", [replace(SHOP[0], is_forgotten=True), a_page("empty")])

    assert (index.passages, index.all_rows()) == (0, [])


def test_pieces_of_words_that_most_passages_have_are_counted_and_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.knowledge.index.MAX_GRAM_PASSAGES", 2)
    pages = [a_page(name, ("", f"The bakery of {name}")) for name in ("Berlin", "Bergen", "Lima")]

    connection = open_library(tmp_path / "a", pages).connection

    kept = {row[0] for row in connection.execute("SELECT term FROM grams_vocabulary")}
    assert kept == {"berl", "erli", "rlin", "berg", "erge", "rgen"}
    common = connection.execute("SELECT term, passages FROM common WHERE name = 'grams'")
    assert dict(common) == {"bake": 3, "aker": 3, "kery": 3}


def test_passage_links_to_its_heading(tmp_path: Path) -> None:
    index = open_library(tmp_path / "a")

    links = {row.heading: row.link for row in index.all_rows() if row.heading}

    assert links["Sunday"] == "https://shop.example/hours#sunday"


def test_documents_are_found_at_their_address_in_any_form(tmp_path: Path) -> None:
    index = open_library(tmp_path / "a")

    forms = ["https://shop.example/hours", "https://shop.example/hours/#sunday"]

    assert [len(index.at_urls([form])) for form in forms] == [1, 1]
    assert index.at_urls(["https://elsewhere.example/"]) == []


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + b"x" * 4096])
def test_file_that_is_no_index_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)

    with pytest.raises(sqlite3.DatabaseError):
        open_index(tmp_path / "a")


def test_index_of_another_format_is_refused(tmp_path: Path) -> None:
    open_library(tmp_path / "a").connection.close()
    with sqlite3.connect(tmp_path / "a") as connection:
        connection.execute("UPDATE about SET value = 0 WHERE name = 'format'")

    with pytest.raises(sqlite3.DatabaseError, match="format 0"):
        open_index(tmp_path / "a")
