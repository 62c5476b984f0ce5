"""The searched words in a text, marked."""

import re
from collections.abc import Sequence
from itertools import islice

from markupsafe import Markup, escape

from app.domain.search_query import terms_pattern

# In one text, and how far into it they are looked for: to look for the worst words
# takes a microsecond a character.
MAX_MARKS = 500
MAX_MARKED_CHARS = 20_000


def highlight(text: str, terms: Sequence[str]) -> Markup:
    """Return a text as HTML in which the terms are marked, in any case."""
    return mark(text, terms_pattern(terms)) if terms else escape(text)


def mark(text: str, pattern: re.Pattern[str]) -> Markup:
    """Return a text as HTML in which what the pattern finds is marked."""
    parts: list[Markup] = []
    end = 0
    for found in islice(pattern.finditer(text, 0, MAX_MARKED_CHARS), MAX_MARKS):
        parts += [escape(text[end : found.start()]), Markup("<mark>{}</mark>").format(found[0])]
        end = found.end()
    return Markup("").join([*parts, escape(text[end:])])
