"""Joins characters that a server cuts in two: half of a UTF-16 pair in one delta, half in the next.

Servers that count text in UTF-16 cut an emoji so, and escape each half for
itself: ``"\\ud83d"``, then ``"\\ude00"``. Legal JSON (RFC 8259, section 8.2),
but no text; jiter refuses it.
"""

import json
from typing import Any

from jiter import from_json

from app.completion.openai.chunk_parts import find_choice, find_part

_TEXTS = ("content", "refusal")
_FIRST_HALVES = ("\ud800", "\udbff")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


class HalfJoiner:
    """Reads chunks that jiter refuses, and holds a first half back until the second comes."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held: dict[str, str] = {}

    @property
    def is_holding(self) -> bool:
        """Whether the next chunk must come here, too."""
        return bool(self._held)

    def read(self, data: bytes) -> Any:
        """Return a chunk whose texts are whole characters, ``U+FFFD`` for what has no other half.

        Raises:
            ValueError: there is more wrong with it than halves.
        """
        try:
            chunk = json.loads(data.decode())
            choice = find_choice(chunk)
            if choice is not None:
                self._join(choice)
            # Halves that are left stand in names, for which `?` will do.
            return from_json(json.dumps(chunk, ensure_ascii=False).encode(errors="replace"))
        except RecursionError as error:
            raise ValueError("too deep") from error
        except (AttributeError, TypeError) as error:
            raise ValueError("no chunk") from error

    def end(self) -> list[str]:
        """Return what is left of the answer when no chunk will come."""
        return [_REPLACEMENT] if self._held.pop("content", None) else []

    def _join(self, choice: Any) -> None:
        part = find_part(choice)
        if not part:
            part = choice["delta"] = {}
        for name in _TEXTS:
            said = "" if part.get(name) is None else part[name]
            if isinstance(said, str):
                part[name] = self._whole(name, said, is_last=bool(choice.get("finish_reason")))

    def _whole(self, name: str, said: str, *, is_last: bool) -> str:
        text = self._held.pop(name, "") + said
        if text and _FIRST_HALVES[0] <= text[-1] <= _FIRST_HALVES[1] and not is_last:
            self._held[name] = text[-1]
            text = text[:-1]
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
