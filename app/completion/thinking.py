"""Thoughts that a model writes into its answer: ``<think>…</think>`` at its head, and the like.

Servers with a reasoning parser send them apart; others leave them in the
text. Anywhere but at the head such a tag is what the answer is about.
"""

import re

_NAMES = (
    *("think", "thinking", "thought", "thoughts", "reasoning", "reflection", "scratchpad"),
    *("seed:think", "思考"),
)
# What opens a thought and what closes it, in lower case.
_TAGS = {
    **{f"<{name}>": f"</{name}>" for name in _NAMES},
    "[think]": "[/think]",
    "◁think▷": "◁/think▷",
    "<|start_thinking|>": "<|end_thinking|>",
    "<|begin_of_thought|>": "<|end_of_thought|>",
    "<|channel|>analysis<|message|>": "<|end|>",
    "<|start|>assistant<|channel|>analysis<|message|>": "<|end|>",
}
# What opens the answer itself.
_HEADS = dict.fromkeys(
    (
        "<|start|>assistant<|channel|>final<|message|>",
        "<|channel|>final<|message|>",
        "<|start_response|>",
        "<|begin_of_solution|>",
    ),
    "",
)
_OPENINGS = {**_TAGS, **_HEADS}
# Behind a thought another closing tag is not the answer's: some models close twice.
_BEHIND = {**_OPENINGS, **dict.fromkeys(_TAGS.values(), "")}
_MAX_CHARS = max(map(len, _BEHIND))
# No model thinks more often before it answers; each costs a pass over the text behind it.
_MAX_BLOCKS = 100
# That stand before an answer, and are shown with it.
_MAX_BLANKS = 16
_ANY_BLOCK = "|".join(
    rf"{re.escape(tag)}.*?(?:{re.escape(end)}\s*|\Z)" for tag, end in _OPENINGS.items()
)
_ANY_END = "|".join(map(re.escape, _TAGS.values()))
_BLOCKS = re.compile(rf"\s*(?:{_ANY_BLOCK})(?:{_ANY_END}|\s)*", re.IGNORECASE | re.DOTALL)
_OPENING = re.compile("|".join(map(re.escape, _TAGS)), re.IGNORECASE)
# `<|end|>` closes any message of some models, and may be left behind an answer.
_LONE = "|".join(re.escape(end) for end in _TAGS.values() if end != "<|end|>")
_CLOSING = re.compile(rf"(?:{_LONE})\s*", re.IGNORECASE)
_MARKS = tuple({tag[0] for tag in _TAGS})
_find_mark = re.compile(f"[{re.escape(''.join(_MARKS))}]").search
_QUOTES = "`'\"“‘«"


class HeadFilter:
    """Takes an answer's text as it comes, cut anywhere, and gives what is not thought.

    What may still become a tag is held back. Once ``is_over`` nothing is a
    thought any more.
    """

    __slots__ = ("_blocks", "_closing", "_held", "_is_behind", "is_over")

    def __init__(self) -> None:
        self.is_over = False
        self._held = ""
        self._blocks = 0
        # Of the block that is open.
        self._closing = ""
        # A block was closed: blanks before the answer are dropped.
        self._is_behind = False

    @property
    def is_thinking(self) -> bool:
        """Whether a block is open."""
        return bool(self._closing)

    @property
    def has_thought(self) -> bool:
        """Whether a block was opened, closed by now or not."""
        return self._is_behind or self.is_thinking

    def take(self, text: str) -> str:
        """Return what of this text can be shown."""
        text, self._held = self._held + text, ""
        while not self.is_over:
            if self._closing:
                closed = re.search(re.escape(self._closing), text, re.IGNORECASE)
                if closed is None:
                    self._held = text[-len(self._closing) :]
                    return ""
                text = text[closed.end() :]
                self._closing, self._is_behind = "", True
            bare = text.lstrip()
            if not bare:  # no word yet, and maybe none will come
                self._held = "" if self._is_behind else text[:_MAX_BLANKS]
                return ""
            if bare[0] not in _MARKS:
                self.is_over = True
                return bare if self._is_behind else text
            low = bare[:_MAX_CHARS].lower()
            tags = _BEHIND if self._is_behind else _OPENINGS
            opening = next((each for each in tags if low.startswith(each)), None)
            if opening is not None and self._blocks < _MAX_BLOCKS:
                self._blocks += 1
                self._closing = tags[opening]
                text = bare[len(opening) :]
            elif opening is None and any(each.startswith(low) for each in tags):
                self._held = bare if self._is_behind else text
                return ""
            else:
                self.is_over = True
                text = bare if self._is_behind else text
        return text

    def end(self) -> str:
        """Return what was held back for a tag that will not come."""
        if self._closing:
            return ""
        held, self._held = self._held, ""
        if not held.strip():
            return ""
        self.is_over = self.is_over or bool(held)
        return held


def cut_thinking(text: str) -> str:
    """Return a whole answer without the thoughts at its head.

    They are recognised by a lone closing tag as well, where a chat template
    has kept the opening one to itself: what stands before it is cut off.
    """
    if not _find_mark(text):
        return text
    at = 0
    for _ in range(_MAX_BLOCKS):
        if not (block := _BLOCKS.match(text, at)):
            break
        at = block.end()
    text = text[at:]
    closing = _CLOSING.search(text)
    if closing and not _OPENING.search(text, 0, closing.start()):
        before = text[: closing.start()]
        is_quoted = before.endswith(tuple(_QUOTES)) or before.count("`") % 2
        if not is_quoted:
            return text[closing.end() :]
    return text
