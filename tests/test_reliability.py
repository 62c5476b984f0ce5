"""Every promise of ``docs/reliability.md`` stands next to a test that exists."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reliability.md"
ROW = re.compile(r"^\| (.*?) ?\| `(tests/[\w/]+\.py)::(test_\w+)` \|$", re.MULTILINE)
# Suites whose every test is a promise.
PROMISING = ("tests/faults", "tests/checker")
# Their own tools, and promises that another row makes in more words.
UNNAMED = {
    "test_what_grows_is_told_from_what_is_flat",
    "test_a_body_that_comes_in_pieces_is_answered",
    "test_a_client_that_resets_at_once_leaves_nothing",
    "test_a_client_that_closes_its_half_still_gets_its_answer",
    "test_a_broken_turn_sent_again_is_answered_in_its_place",
}


def rows() -> list[tuple[str, str, str]]:
    return ROW.findall(PAGE.read_text(encoding="utf-8"))


def names_in(path: Path) -> set[str]:
    return set(re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE))


def test_every_row_names_a_test_that_exists() -> None:
    table = [
        line
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith("| ") and not line.startswith(("| Promise", "|---"))
    ]

    assert len(rows()) == len(table) >= 40
    missing = [(path, test) for _, path, test in rows() if test not in names_in(ROOT / path)]
    assert missing == []


def test_every_test_of_the_fault_suite_keeps_a_promise() -> None:
    named = {test for _, _, test in rows()}
    found = {
        test
        for suite in PROMISING
        for path in (ROOT / suite).glob("test_*.py")
        for test in names_in(path)
    }

    assert found - named - UNNAMED == set()


def test_the_fault_suite_is_as_large_as_promised() -> None:
    tables = sum(
        len(re.findall(r"^    \(\"", path.read_text(encoding="utf-8"), re.MULTILINE))
        for path in (ROOT / "tests" / "faults").glob("test_*.py")
    )

    assert tables >= 50
