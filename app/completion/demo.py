"""A model that needs no key: it shows that everything else works."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count

import gevent

from app.completion.protocol import Outcome, Receive
from app.domain.conversation import PromptMessage, Usage
from app.domain.grounding import FramedPassage, read_frame

NAME = "perch-demo"
# About 20 words a second: fast enough to follow, slow enough to see.
WORD_PAUSE_S = 0.05
_MAX_QUOTE_CHARS = 120
_MAX_PASSAGES = 2
# The beginnings of words of some length; of scripts without spaces, two letters.
_STEMS = re.compile(r"[^\W\d_\u3040-\u9fff]{5}|[\u3040-\u9fff]{2}")
_MAX_PASSAGE_CHARS = 240

_FIRST = """\
This is Perch's built-in demo, not a language model: set `OPENAI_API_KEY` and restart to get real \
answers. You wrote: “{quote}”

Everything around me is real:

- this text **streams** from the server, word by word;
- it is stored, and will still be here after a reload;
- the same conversation can be read through the admin API.

Ask me anything else to see the next turn."""

_GROUNDED = """\
This is Perch's built-in demo, not a language model: it can only quote. About “{quote}” your pages \
say:

{quotes}

With `OPENAI_API_KEY` set, a model answers in its own words, from these pages."""

_NOTHING = """\
This is Perch's built-in demo, not a language model: it can only quote, and your pages say nothing \
about “{quote}”. The question now stands in the dashboard, under *Unanswered*."""

_LATER = """\
Still the built-in demo (set `OPENAI_API_KEY` for a real model). You wrote: “{quote}” — and before \
that, “{before}”, so the conversation is remembered: {number} messages so far."""


class DemoModel:
    """A ``CompletionModel`` that says what it is and quotes the visitor."""

    def __init__(self, word_pause_s: float = WORD_PAUSE_S) -> None:
        self._word_pause_s = word_pause_s

    @contextmanager
    def stream(
        self,
        prompt: Sequence[PromptMessage],
        *,
        request_id: str | None = None,
        second_limit: int | None = None,
    ) -> Iterator["DemoCompletion"]:
        """Start telling about the prompt's last message."""
        yield DemoCompletion(prompt, self._word_pause_s)

    def close(self) -> None:
        """Nothing is held."""


class DemoCompletion:
    """One run of the demo."""

    def __init__(self, prompt: Sequence[PromptMessage], word_pause_s: float) -> None:
        self.outcome = Outcome(model=NAME)
        self._words = re.findall(r"\s*\S+", _compose(prompt))
        self._position = count()
        self._word_pause_s = word_pause_s
        self._prompt_words = sum(len(said.content.split()) for said in prompt)

    def relay(self, receive: Receive) -> bool:
        """Hand over a word at a time, at a reading pace."""
        for position in self._position:
            if position == len(self._words):
                break
            gevent.sleep(self._word_pause_s)
            self.outcome.has_begun = True
            if not receive([self._words[position]]):
                return False
        self.outcome.finish_reason = "stop"
        self.outcome.usage = Usage(self._prompt_words, len(self._words))
        return True


def _compose(prompt: Sequence[PromptMessage]) -> str:
    framed = read_frame(prompt[-1].content)
    quotes = [_quote_page(each) for each in framed.passages if _is_near(framed.question, each)]
    if quotes:
        told = "\n\n".join(quotes[:_MAX_PASSAGES])
        return _GROUNDED.format(quote=_quote(framed.question), quotes=told)
    if framed.is_grounded:
        return _NOTHING.format(quote=_quote(framed.question))
    asked = [said.content for said in prompt if said.role == "user"]
    said = [message for message in prompt if message.role != "system"]
    if len(asked) < 2:
        return _FIRST.format(quote=_quote(asked[-1]))
    return _LATER.format(quote=_quote(asked[-1]), before=_quote(asked[-2]), number=len(said))


def _is_near(question: str, passage: FramedPassage) -> bool:
    """Tell whether a passage has half of the question's long words, or their beginnings.

    A question comes with the best that a site has, which may have nothing to do with it.
    """
    page = f"{passage.title} {passage.text}".casefold()
    stems = set(_STEMS.findall(question.casefold()))
    return 2 * sum(stem in page for stem in stems) >= len(stems)


def _quote_page(passage: FramedPassage) -> str:
    return (
        f"> **{_quote(passage.title)}**\n> {_quote(passage.text, _MAX_PASSAGE_CHARS)} [{passage.n}]"
    )


def _quote(text: str, longest: int = _MAX_QUOTE_CHARS) -> str:
    words = " ".join(text.split())
    return words if len(words) <= longest else words[: longest - 1] + "…"
