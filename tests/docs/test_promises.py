"""Every promise of ``docs/reliability.md`` and ``docs/security.md`` stands next to a test."""

import re

import pytest

from tests.docs.blocks import ROOT

# A page, and how many rows it has at least.
PAGES = [("docs/reliability.md", 40), ("docs/security.md", 60)]
TABLE = re.compile(r"^\| Promise \| Test \|\n\|---\|---\|\n((?:\|.*\n)+)", re.MULTILINE)
ROW = re.compile(r"\| (.*?) ?\| `(tests/[\w/]+\.py)::(test_\w+)` \|")
# Suites whose every test is a promise of reliability.
PROMISING = ("tests/faults", "tests/checker")
# Their own tools, and promises that another row makes in more words.
UNNAMED = {
    "test_what_grows_is_told_from_what_is_flat",
    "test_a_body_that_comes_in_pieces_is_answered",
    "test_a_client_that_resets_at_once_leaves_nothing",
    "test_a_client_that_closes_its_half_still_gets_its_answer",
    "test_a_broken_turn_sent_again_is_answered_in_its_place",
}


def lines_of(page: str) -> list[str]:
    """Return the rows of a page's tables of promises."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [line for table in TABLE.findall(text) for line in table.splitlines()]


def names_in(path: str) -> set[str]:
    file = ROOT / path
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    return set(re.findall(r"^def (test_\w+)", text, re.MULTILINE))


@pytest.mark.parametrize(("page", "least"), PAGES)
def test_every_row_names_a_test_that_exists(page: str, least: int) -> None:
    lines = lines_of(page)
    rows = [ROW.fullmatch(line) for line in lines]

    assert len(lines) >= least
    assert [line for line, row in zip(lines, rows, strict=True) if row is None] == []
    missing = [row[0] for row in rows if row is not None and row[3] not in names_in(row[2])]
    assert missing == []


def test_every_test_of_the_fault_suite_keeps_a_promise() -> None:
    named = {row[3] for line in lines_of("docs/reliability.md") if (row := ROW.fullmatch(line))}
    found = {
        test
        for suite in PROMISING
        for path in (ROOT / suite).glob("test_*.py")
        for test in names_in(str(path.relative_to(ROOT)))
    }

    assert found - named - UNNAMED == set()


def test_the_fault_suite_is_as_large_as_promised() -> None:
    tables = sum(
        len(re.findall(r"^    \(\"", path.read_text(encoding="utf-8"), re.MULTILINE))
        for path in (ROOT / "tests" / "faults").glob("test_*.py")
    )

    assert tables >= 50
