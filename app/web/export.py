"""Exports: one message a line, as JSON or in a table."""

import csv
import io
import json
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Literal

from app.archive import Excerpt
from app.conversation import Conversation, Message
from app.web.pieces import gather

Format = Literal["jsonl", "csv"]

MEDIA_TYPES: Mapping[Format, str] = {
    "jsonl": "application/x-ndjson",
    "csv": "text/csv",
}
_BOM = b"\xef\xbb\xbf"
# A spreadsheet takes a cell that begins so for a formula.
_FORMULA_STARTS = tuple("=+-@\t\r\n|%＝＋－＠")

_CELLS: Mapping[str, Callable[[Conversation, Message], object]] = {
    "conversationId": lambda conversation, message: conversation.id,
    "sessionId": lambda conversation, message: conversation.session_id,
    "user": lambda conversation, message: conversation.user,
    "pageUrl": lambda conversation, message: conversation.page and conversation.page.url,
    "messageId": lambda conversation, message: message.id,
    "time": lambda conversation, message: _to_time(message.created_at),
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
}


def to_export(excerpts: Iterable[Excerpt], kind: Format, *, bom: bool = False) -> Generator[bytes]:
    """Write excerpts, in pieces. ``bom`` is for spreadsheets that take UTF-8 for something else."""
    pieces = to_jsonl(excerpts) if kind == "jsonl" else to_csv(excerpts)
    return gather(chain([_BOM] if bom else [], pieces))


def to_jsonl(excerpts: Iterable[Excerpt]) -> Iterator[bytes]:
    """Write one JSON object a message."""
    for excerpt in excerpts:
        conversation = _present(
            conversationId=excerpt.conversation.id,
            sessionId=excerpt.conversation.session_id,
            user=excerpt.conversation.user,
            pageUrl=excerpt.conversation.page and excerpt.conversation.page.url,
        )
        for message in excerpt.messages:
            line = json.dumps(
                {**conversation, **_to_json(message)}, ensure_ascii=False, separators=(",", ":")
            )
            yield f"{line}\n".encode()


def to_csv(excerpts: Iterable[Excerpt]) -> Iterator[bytes]:
    """Write a table (RFC 4180) in which no cell is a formula."""
    yield _to_csv(_CELLS.keys())
    for excerpt in excerpts:
        for message in excerpt.messages:
            yield _to_csv(
                [_to_cell(read(excerpt.conversation, message)) for read in _CELLS.values()]
            )


def _to_json(message: Message) -> dict[str, object]:
    usage, feedback = message.usage, message.feedback
    return _present(
        _id=message.id,
        role=message.role,
        content=message.content,
        createdAt=message.created_at,
        turnId=message.turn_id,
        status=message.status,
        model=message.model,
        usage=usage
        and {"promptTokens": usage.prompt_tokens, "completionTokens": usage.completion_tokens},
        latencyMs=message.latency_ms,
        firstTokenMs=message.first_token_ms,
        finishReason=message.finish_reason,
        feedback=feedback and _present(rating=feedback.rating, comment=feedback.comment),
    )


def _present(**fields: object) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not None}


def _to_csv(row: Iterable[Any]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerow(row)
    return text.getvalue().encode()


def _to_cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA_STARTS):
        return f"'{value}"
    return value


def _to_time(created_at: int) -> str:
    moment = datetime.fromtimestamp(created_at / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def file_name(kind: Format, today: str) -> str:
    """Return what a browser saves an export as."""
    return f"conversations-{today}.{kind}"
