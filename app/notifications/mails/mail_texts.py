"""What a visitor's mail says beside the answer, in the languages of the widget."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("mail_texts.json")
_RIGHT_TO_LEFT = ("ar", "he")
_DEFAULT = "en"


@dataclass(frozen=True, slots=True)
class MailTexts:
    """Sentences, with ``{name}`` for who answers and ``{site}`` for where the chat is."""

    language: str
    subject: str
    greeting: str
    link: str
    footer: str
    link_note: str

    @property
    def is_right_to_left(self) -> bool:
        """Whether the language is written from right to left."""
        return self.language in _RIGHT_TO_LEFT


def texts_of(language: str) -> MailTexts:
    """Return the texts of a language (BCP 47: ``pt-BR`` is ``pt``), or else English ones."""
    known = _all_texts()
    return known.get(language.lower().partition("-")[0]) or known[_DEFAULT]


@cache
def _all_texts() -> dict[str, MailTexts]:
    told = json.loads(_FILE.read_text(encoding="utf-8"))
    return {language: MailTexts(language, **texts) for language, texts in told.items()}
