"""Exports: what a spreadsheet of any country makes of them."""

import csv
import io
import json
from collections.abc import Iterator

import pytest

from app.domain.conversation import Conversation, Message
from app.operations.export import SEPARATORS, to_export
from app.operations.transcripts import Excerpt
from tests.data import a_message

BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
STARTS = tuple("=+-@\t\r\n|%＝＋－＠")


def excerpts(*messages: Message, session_id: str = "session-1") -> Iterator[Excerpt]:
    yield Excerpt(Conversation("conversation-1", session_id, 1, 2), messages)


def as_text(*messages: Message, session_id: str = "session-1", separator: str = ",") -> str:
    pieces = to_export(excerpts(*messages, session_id=session_id), "csv", separator=separator)
    return b"".join(pieces).decode()


def cells(text: str, separator: str = ",") -> dict[str, str]:
    """Read the first message of an export as a spreadsheet of our own locale does."""
    rows = csv.DictReader(io.StringIO(text.removeprefix(BOM), newline=""), delimiter=separator)
    return next(rows)


HOSTILE = [
    "=1+1",
    "a;=cmd|' /C calc'!A0;b",
    'a;"=cmd()"',
    "a; =1",
    "a;'=1",
    "a\t=1",
    "a\n=1",
    "a\r\n=1",
    "a\n\n  @SUM(1)",
    "a;\N{NO-BREAK SPACE}+1",
    "a;＝1",
    "a;-1;+2;@3",
    ";=1",
    '";=1',
    "=1;=2",
]


@pytest.mark.parametrize("content", HOSTILE)
def test_no_cell_is_a_formula_wherever_a_spreadsheet_splits(content: str) -> None:
    text = as_text(a_message(content=content))
    split_by_others = [
        cell
        for line in text.removeprefix(BOM).splitlines()
        for by in (";", "\t")
        for cell in line.split(by)
    ]

    for cell in [cells(text)["content"], *split_by_others]:
        assert not cell.strip("\"' \N{NO-BREAK SPACE}").startswith(STARTS) or cell.lstrip(
            '" \N{NO-BREAK SPACE}'
        ).startswith("'"), cell


@pytest.mark.parametrize("separator", [";", "\t"])
def test_formula_behind_a_comma_is_held_where_the_comma_does_not_separate(separator: str) -> None:
    text = as_text(a_message(content="a,=1"), separator=separator)

    assert cells(text, separator)["content"] == "a,'=1"


@pytest.mark.parametrize("mark", ["\0", "\x01", "\ufeff", "\u200b", ' \u2060"', "\u200e "])
def test_what_nobody_sees_before_a_formula_hides_none(mark: str) -> None:
    text = as_text(a_message(content=f"{mark}=1;{mark}=2"))

    assert cells(text)["content"] == f"'{mark}=1;'{mark}=2"


@pytest.mark.parametrize("content", ["a; b", "3 - 2", "x = y", "a, -b", "Ach; so", "mail@x.de"])
def test_ordinary_text_stays_as_it_was(content: str) -> None:
    assert cells(as_text(a_message(content=content)))["content"] == content


@pytest.mark.parametrize(
    "session_id",
    [
        "0012345", "1e5", "1E5", "12345678901234567890", "3-4", "1.10", "1:30", "12:30:59",
        "2026-11-22", "1.2.2026", "MAR1", "MARCH1", "SEPT2", "2-september", "1-mar",
        "DEC-2026", "TRUE", "false", "1.5",
    ],
)  # fmt: skip
def test_id_that_a_spreadsheet_would_rewrite_is_marked_as_text(session_id: str) -> None:
    text = as_text(a_message(), session_id=session_id)

    assert cells(text)["sessionId"] == f"'{session_id}"


@pytest.mark.parametrize("session_id", ["ps_3f9a", "12345", "0", "session-1", "march-madness"])
def test_id_that_no_spreadsheet_rewrites_stays_as_it_is(session_id: str) -> None:
    assert cells(as_text(a_message(), session_id=session_id))["sessionId"] == session_id


def test_every_cell_is_quoted() -> None:
    lines = as_text(a_message(content="Hi")).removeprefix(BOM).split("\r\n")

    assert lines[0].startswith('"conversationId","sessionId",')
    assert all(line.startswith('"') and line.endswith('"') for line in lines[:2])


def test_time_is_one_that_spreadsheets_read() -> None:
    text = as_text(a_message(created_at=1_795_638_000_123))

    assert cells(text)["time"] == "2026-11-25 20:20:00"


def test_failure_is_told_in_both_formats() -> None:
    failed = a_message(status="error", error_code="model_timeout", request_id="request-7")
    row = cells(as_text(failed))
    line = json.loads(b"".join(to_export(excerpts(failed), "jsonl")))

    assert (row["errorCode"], row["requestId"]) == ("model_timeout", "request-7")
    assert (line["errorCode"], line["requestId"]) == ("model_timeout", "request-7")


@pytest.mark.parametrize("name", SEPARATORS)
def test_separator_is_chosen_by_name(name: str) -> None:
    separator = SEPARATORS[name]

    text = as_text(a_message(content="a;b,c\td"), separator=separator)

    assert cells(text, separator)["content"] == "a;b,c\td"


@pytest.mark.parametrize(
    ("kind", "bom", "begins"),
    [
        ("csv", None, True),
        ("csv", False, False),
        ("csv", True, True),
        ("jsonl", None, False),
        ("jsonl", True, True),
    ],
)
def test_table_is_marked_as_utf_8_and_lines_are_not(
    kind: str, bom: bool | None, begins: bool
) -> None:
    text = b"".join(to_export(excerpts(a_message()), kind, bom=bom)).decode()  # type: ignore[arg-type]

    assert text.startswith(BOM) is begins
