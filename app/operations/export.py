"""Exports: one message a line, as JSON or in a table."""

import csv
import io
import json
import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Literal

from app.domain.clock import to_utc
from app.domain.conversation import Conversation, Message
from app.domain.json_objects import present, to_object
from app.domain.knowledge import Source
from app.operations.transcripts import Excerpt
from app.server.pauses import gather

Format = Literal["jsonl", "csv"]

MEDIA_TYPES: Mapping[Format, str] = {
    "jsonl": "application/x-ndjson",
    "csv": "text/csv",
}
_BOM = b"\xef\xbb\xbf"
SEPARATORS: Mapping[str, str] = {"comma": ",", "semicolon": ";", "tab": "\t"}

# Characters that nobody sees and that a spreadsheet may drop.
_UNSEEN = r"\x00-\x08\x0e-\x1f\u200b-\u200f\u2060\ufeff"
# What a spreadsheet takes for a formula, behind blanks and quotes too.
_FORMULA = re.compile(rf"[\t\r\n]|[\s\"'{_UNSEEN}]*[=+\-@|%＝＋－＠]")
# The places inside a cell where another spreadsheet begins a cell of its own, which would be
# a formula: one that separates by semicolons or tabs sees no quotes around ours, and where
# semicolons or tabs separate, one that expects commas.
_INNER_FORMULA = tuple(
    re.compile(rf"(?<=[{separators}])(?=(?:[^\S\r\n\t]|[\"'{_UNSEEN}])*+[=+\-@|%＝＋－＠])")
    for separators in (r";\t\r\n", r",;\t\r\n")
)
# What a spreadsheet would show otherwise than it was: numbers with zeros in front, with an
# exponent, with a fraction or too many digits, days, times, and its two words.
_MONTHS = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    "|sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?|mrz|mai|okt|dez"
)
_REWRITTEN = re.compile(
    r"0\d+|\d{16,}|\d+[.,]\d*|\d*[.,]\d+|\d+(?:[.,]\d+)?[eE][+-]?\d+"
    r"|\d{1,4}[-/.:]\d{1,2}(?:[-/.:]\d{1,4})?"
    rf"|(?i:(?:\d{{1,2}}[-/. ]?)?(?:{_MONTHS})[-/. ]?\d{{1,4}})"
    rf"|(?i:\d{{1,2}}[-/. ]?(?:{_MONTHS})|true|false)"
)

_CELLS: Mapping[str, Callable[[Conversation, Message], object]] = {
    "conversationId": lambda conversation, message: conversation.id,
    "sessionId": lambda conversation, message: conversation.session_id,
    "user": lambda conversation, message: conversation.user,
    "pageUrl": lambda conversation, message: conversation.page and conversation.page.url,
    "messageId": lambda conversation, message: message.id,
    "time": lambda conversation, message: to_utc(message.created_at),
    "role": lambda conversation, message: message.role,
    "content": lambda conversation, message: message.content,
    "status": lambda conversation, message: message.status,
    "model": lambda conversation, message: message.model,
    "promptTokens": lambda conversation, message: message.usage and message.usage.prompt_tokens,
    "completionTokens": lambda conversation, message: (
        message.usage and message.usage.completion_tokens
    ),
    "firstTokenMs": lambda conversation, message: message.first_token_ms,
    "latencyMs": lambda conversation, message: message.latency_ms,
    "finishReason": lambda conversation, message: message.finish_reason,
    "rating": lambda conversation, message: message.feedback and message.feedback.rating,
    "comment": lambda conversation, message: message.feedback and message.feedback.comment,
    "errorCode": lambda conversation, message: message.error_code,
    "requestId": lambda conversation, message: message.request_id,
    "assistant": lambda conversation, message: conversation.assistant,
    "sources": lambda conversation, message: _to_lines(message.sources or ()),
    "answeredBy": lambda conversation, message: message.answered_by,
    "gap": lambda conversation, message: message.gap,
    "author": lambda conversation, message: message.author,
    "event": lambda conversation, message: message.event,
    "state": lambda conversation, message: conversation.state,
    "contactEmail": lambda conversation, message: (
        conversation.contact and conversation.contact.email
    ),
    "contactName": lambda conversation, message: conversation.contact and conversation.contact.name,
}


def to_export(
    excerpts: Iterable[Excerpt], kind: Format, *, bom: bool | None = None, separator: str = ","
) -> Generator[bytes]:
    """Write excerpts, in pieces.

    ``bom`` marks the text as UTF-8, which spreadsheets would take for
    something else; by default a table is marked and JSON is not.
    """
    pieces = to_jsonl(excerpts) if kind == "jsonl" else to_csv(excerpts, separator)
    marked = kind == "csv" if bom is None else bom
    return gather(chain([_BOM] if marked else [], pieces))


def to_jsonl(excerpts: Iterable[Excerpt]) -> Iterator[bytes]:
    """Write one JSON object a message."""
    for excerpt in excerpts:
        contact = excerpt.conversation.contact
        conversation = present(
            conversationId=excerpt.conversation.id,
            sessionId=excerpt.conversation.session_id,
            user=excerpt.conversation.user,
            pageUrl=excerpt.conversation.page and excerpt.conversation.page.url,
            assistant=excerpt.conversation.assistant,
            state=excerpt.conversation.state,
            contact=contact and to_object(contact),
        )
        for message in excerpt.messages:
            line = json.dumps(
                {**conversation, **_to_json(message)}, ensure_ascii=False, separators=(",", ":")
            )
            yield f"{line}\n".encode()


def to_csv(excerpts: Iterable[Excerpt], separator: str = ",") -> Iterator[bytes]:
    """Write a table (RFC 4180) in which no cell is a formula, wherever a spreadsheet splits it."""
    inner = _INNER_FORMULA[separator != ","]
    yield _to_csv(_CELLS.keys(), separator)
    for excerpt in excerpts:
        for message in excerpt.messages:
            cells = [read(excerpt.conversation, message) for read in _CELLS.values()]
            yield _to_csv([_to_cell(cell, inner) for cell in cells], separator)


def to_table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], separator: str = ","
) -> Iterator[bytes]:
    """Write any rows as ``to_csv`` writes messages, marked as UTF-8."""
    inner = _INNER_FORMULA[separator != ","]
    yield _BOM + _to_csv(columns, separator)
    for row in rows:
        yield _to_csv([_to_cell(cell, inner) for cell in row], separator)


def _to_json(message: Message) -> dict[str, object]:
    told = to_object(message)
    return {"_id": told.pop("id"), **told}


def _to_csv(row: Iterable[Any], separator: str) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    writer.writerow(row)
    return text.getvalue().encode()


def _to_cell(value: object, inner_formula: re.Pattern[str]) -> object:
    if not isinstance(value, str):
        return "" if value is None else value
    marked = _FORMULA.match(value) or _REWRITTEN.fullmatch(value)
    # An apostrophe, for spreadsheets know no other mark of a text.
    return ("'" if marked else "") + inner_formula.sub("'", value)


def _to_lines(sources: Sequence[Source]) -> str | None:
    lines = (f"[{n}] {title} {url or ''}".rstrip() for n, title, url in sources)
    return "\n".join(lines) or None


def file_name(kind: Format, today: str) -> str:
    """Return what a browser saves an export as."""
    return f"conversations-{today}.{kind}"
