"""Where things stand in a chunk, or in a whole completion, and what they mean there.

All of these raise ``TypeError``, ``AttributeError`` or ``LookupError`` where
nothing makes sense; what they raise quotes nothing.
"""

import json
import re
from typing import Any

from app.domain.conversation import Usage

_MAX_TOKENS = 2**31
_THOUGHTS = {"reasoning", "reasoning_content", "reasoning_details", "thinking", "thoughts"}
_THOUGHT_TYPES = ("thinking", "reasoning", "thought", "redacted_thinking")
_TEXT_TYPES = (None, "text", "output_text")
# How an error is told where nothing is called `error`.
_ERRORS = ("error", "failed", "failure")
_ERROR_PARTS = ("errors", "error_code", "error_msg", "error_message")
_CODES = ("code", "status_code", "status")
# Where a chunk has none of these, it is no error.
_ERROR_FIELDS = {*_ERROR_PARTS, *_CODES, "base_resp", "detail", "type"}
_CHUNK = "chat.completion.chunk"
_GOOD_CODES = ("", "0", "ok", "success")
_GROQ = "x_groq"
_MAX_HEARTBEAT_BYTES = 32
# What some relays send as data while nothing comes.
_is_heartbeat = re.compile(rb"\W*(?:ping|pong|heart[-_ ]?beat|keep[-_ ]?alive)\W*", re.I).fullmatch
_find_numbers = re.compile(rb'"content"\s*:\s*(-?\d[\d.eE+-]*)').finditer


def objects_of(told: Any) -> list[dict[str, Any]]:
    """Return the chunks of parsed JSON: some servers wrap them, or errors alone, in a list."""
    return [each for each in (told if isinstance(told, list) else [told]) if isinstance(each, dict)]


def is_heartbeat(data: bytes) -> bool:
    """Tell whether an event's data only says that somebody is there."""
    return len(data) < _MAX_HEARTBEAT_BYTES and bool(_is_heartbeat(data))


def find_choice(chunk: Any) -> Any:
    """Return the answer's own choice: the others are of no use to a visitor."""
    for choice in chunk.get("choices") or ():
        if choice.get("index") in (0, None, "0"):
            return choice
    return None


def find_part(choice: Any) -> Any:
    """Return what a choice says: its ``delta``, a ``message``, or a bare ``text``."""
    part = choice.get("delta") or choice.get("message")
    return part or ({"content": choice["text"]} if choice.get("text") else None)


def find_usage(chunk: Any, choice: Any) -> Any:
    """Return what a chunk tells of the tokens used, wherever it stands."""
    told = chunk.get("usage") or (choice and choice.get("usage"))
    return told or (chunk[_GROQ].get("usage") if chunk.get(_GROQ) else None)


def has_thought(part: Any) -> bool:
    """Tell whether a part of an answer has a thought in it, apart from the text."""
    if not _THOUGHTS.isdisjoint(part) and any(part.get(name) for name in _THOUGHTS):
        return True
    content = part.get("content")
    return isinstance(content, list) and any(
        isinstance(piece, dict) and piece.get("type") in _THOUGHT_TYPES for piece in content
    )


def find_error(chunk: Any, choice: Any) -> Any:
    """Return what a chunk tells of an error, wherever it stands; ``None`` for a good one."""
    told = chunk.get("error")
    if told and _is_told(told):
        return told
    if choice is None:
        return chunk if _is_error(chunk) else None
    told = choice.get("error")
    return told if told and _is_told(told) else None


def _is_told(error: Any) -> bool:
    # One that has only empty fields is how some say that there is none.
    return not isinstance(error, dict) or any(error.values())


def _is_error(chunk: Any) -> bool:
    """Tell whether what has no choice is an error of a kind that servers send bare."""
    if _ERROR_FIELDS.isdisjoint(chunk) and chunk.get("object") == _CHUNK:
        return False
    if any(chunk.get(name) for name in _ERROR_PARTS) or set(chunk) == {"detail"}:
        return True
    if any(str(chunk.get(name)).lower() in _ERRORS for name in ("object", "type", "status")):
        return True
    for part in (chunk, chunk.get("base_resp")):
        if isinstance(part, dict) and any(_is_bad_code(part.get(name)) for name in _CODES):
            return True
    code = chunk.get("code")
    is_word = isinstance(code, str) and not code.isdigit() and code.lower() not in _GOOD_CODES
    return is_word and isinstance(chunk.get("message"), str)


def _is_bad_code(code: Any) -> bool:
    if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) < 10:
        code = int(code)
    return type(code) is int and (code >= 400 or code < 0)


def read_text(content: Any, data: bytes) -> str:
    """Return a content's text; a number's is what stands in ``data``."""
    if isinstance(content, str):
        return content
    if content is None:
        return ""
    if isinstance(content, list):
        return "".join(_read_piece(piece) for piece in content)
    if isinstance(content, bool):
        return json.dumps(content)
    if isinstance(content, int | float):
        spellings = [found[1] for found in _find_numbers(data)]
        return next(
            (said.decode() for said in spellings if _is_spelling(said, content)),
            json.dumps(content),
        )
    raise TypeError("content of a kind that is no text")


def read_usage(told: Any) -> Usage | None:
    """Read the provider's count; one that makes no sense is none."""
    try:
        prompt, said = int(told["prompt_tokens"]), int(told["completion_tokens"])
        # Some count thoughts in the sum only.
        total = told.get("total_tokens")
        counts = prompt, max(said, total - prompt if type(total) is int else 0)
    except (ValueError, TypeError, LookupError, OverflowError, AttributeError):
        return None
    if not all(0 <= count <= _MAX_TOKENS for count in counts):
        return None
    return Usage(*counts, _read_reasoning(told))


def _read_reasoning(told: Any) -> int | None:
    details = told.get("completion_tokens_details")
    count = details.get("reasoning_tokens") if isinstance(details, dict) else None
    return count if type(count) is int and 0 <= count <= _MAX_TOKENS else None


def _read_piece(piece: Any) -> str:
    if isinstance(piece, str):
        return piece
    if not isinstance(piece, dict):
        raise TypeError("a piece of content that is no object")
    if piece.get("type") not in _TEXT_TYPES:
        return ""  # a thought, a picture, a reference
    text = piece.get("text") or ""
    if not isinstance(text, str):
        raise TypeError("a text that is none")
    return text


def _is_spelling(said: bytes, number: float) -> bool:
    try:
        return float(said) == number
    except ValueError:
        return False
