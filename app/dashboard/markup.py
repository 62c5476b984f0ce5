"""What the model wrote, as HTML that is safe to show, and cheap to make.

Raw HTML stays text, links lead to the web or to mail only, and images are
links: none is loaded unasked, for its address can carry away what was said.

A visitor can talk a model into any text, and some texts of a few kilobytes
keep a parser busy for seconds. So work is counted as it is done, other
greenlets get their turn meanwhile, and a text that takes too much of it is
shown as it was written.
"""

import re
from collections.abc import Callable, MutableMapping, Sequence
from itertools import islice
from typing import Any
from urllib.parse import quote

from markdown_it import MarkdownIt
from markdown_it.parser_inline import ParserInline
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from markupsafe import Markup, escape

from app.domain.search_query import terms_pattern
from app.server.pauses import let_others_work

MAX_MARKDOWN_CHARS = 16 * 1024
# Of all tables of a message; the parser fills short rows up to the width of the first.
MAX_CELLS = 2000
# Of quotes and lists in each other, and of images in each other's texts.
MAX_NESTING = 20
# Of the searched words in one text, and how far into it they are looked for: to look
# for the worst words takes a microsecond a character.
MAX_MARKS = 500
MAX_MARKED_CHARS = 20_000
# A step is one rule tried at one place, some 3 µs. Ordinary Markdown takes one
# for two or three characters.
MAX_MESSAGE_STEPS = 30_000
MAX_PAGE_STEPS = 250_000
# Of all messages that a page shows as they were written. When they are shown,
# each has a beginning.
MAX_PAGE_CHARS = 1_000_000
BEGINNING_CHARS = 2000
# Between two looks at what else there is to do.
_STEPS_AT_ONCE = 1000
_KEPT_IN_LINKS = "!#$%&'()*+,/:;=?@[]~"
_SCHEMES = ("http://", "https://", "mailto:")
_AS_WRITTEN = Markup(
    '<p class="soft">Shown as it was written: too long or too intricate to be laid out.</p>\n'
    '<div class="said">{}</div>\n'
)
_CUT = Markup('{} <span class="soft">… cut here: an export has all of it.</span>')


class PageBudget:
    """The work, and the room, that the messages of one page may take together."""

    def __init__(self, steps: int = MAX_PAGE_STEPS, chars: int = MAX_PAGE_CHARS) -> None:
        self.steps = steps
        self.chars = chars


def to_plain(text: str, budget: PageBudget, terms: Sequence[str] = ()) -> Markup:
    """Return a text as it was written, the terms marked; its beginning where the page is full."""
    most = max(budget.chars, BEGINNING_CHARS)
    budget.chars -= min(len(text), most)
    shown = highlight(text[:most], terms)
    let_others_work()
    return shown if len(text) <= most else _CUT.format(shown)


def to_html(markdown: str, budget: PageBudget | None = None, terms: Sequence[str] = ()) -> Markup:
    """Render an answer, and mark the terms in it.

    One that takes too much work is shown as it was written.
    """
    budget = budget or PageBudget()
    meter = _Meter(min(MAX_MESSAGE_STEPS, budget.steps))
    try:
        if len(markdown) > MAX_MARKDOWN_CHARS:
            raise _TooMuchWork
        pattern = terms_pattern(terms) if terms else None
        html = _MARKDOWN.render(markdown, {_METER: meter, _TERMS: pattern})
    except _TooMuchWork:
        return _AS_WRITTEN.format(to_plain(markdown, budget, terms))
    finally:
        budget.steps -= meter.steps
        let_others_work()
    return Markup(html)  # noqa: S704 - escaped by the renderer


def highlight(text: str, terms: Sequence[str]) -> Markup:
    """Return a text as HTML in which the terms are marked, in any case."""
    return _mark(text, terms_pattern(terms)) if terms else escape(text)


def _mark(text: str, pattern: re.Pattern[str]) -> Markup:
    parts: list[Markup] = []
    end = 0
    for found in islice(pattern.finditer(text, 0, MAX_MARKED_CHARS), MAX_MARKS):
        parts += [escape(text[end : found.start()]), Markup("<mark>{}</mark>").format(found[0])]
        end = found.end()
    return Markup("").join([*parts, escape(text[end:])])


class _TooMuchWork(Exception):
    """A text is too intricate to be laid out."""


_METER = "meter"
_TERMS = "terms"


class _Meter:
    """Counts the work on one message, and lets others work meanwhile."""

    def __init__(self, most_steps: int) -> None:
        self.steps = 0
        self._most_steps = most_steps
        self._cells = 0
        self._images = 0

    def step(self) -> None:
        self.steps += 1
        if self.steps > self._most_steps:
            raise _TooMuchWork
        if self.steps % _STEPS_AT_ONCE == 0:
            let_others_work()

    def add_cells(self, count: int) -> None:
        self._cells += count
        if self._cells > MAX_CELLS:
            raise _TooMuchWork

    def enter_image(self) -> None:
        self._images += 1
        if self._images > MAX_NESTING:
            raise _TooMuchWork

    def leave_image(self) -> None:
        self._images -= 1


_BlockRule = Callable[[StateBlock, int, int, bool], bool]
_InlineRule = Callable[[StateInline, bool], bool]


def _metered_block(rule: _BlockRule) -> _BlockRule:
    def metered(state: StateBlock, begin: int, end: int, silent: bool) -> bool:
        state.env[_METER].step()
        if state.level >= MAX_NESTING:  # the parser would leave the rest out
            raise _TooMuchWork
        return rule(state, begin, end, silent)

    return metered


def _metered_table(rule: _BlockRule) -> _BlockRule:
    def metered(state: StateBlock, begin: int, end: int, silent: bool) -> bool:
        if not silent and rule(state, begin, end, True):
            state.env[_METER].add_cells(_most_cells(state, begin, end))
        return rule(state, begin, end, silent)

    return metered


def _most_cells(state: StateBlock, begin: int, end: int) -> int:
    """Return how many cells a table has, or a few more: it ends at the next empty line."""
    head = state.src[state.bMarks[begin] : state.eMarks[begin]].strip()
    columns = head.removeprefix("|").removesuffix("|").count("|") + 1
    past = next((line for line in range(begin, end) if state.isEmpty(line)), end)
    return columns * (past - begin - 1)


def _metered_inline(rule: _InlineRule) -> _InlineRule:
    def metered(state: StateInline, silent: bool) -> bool:
        state.env[_METER].step()
        return rule(state, silent)

    return metered


def _metered_image(rule: _InlineRule) -> _InlineRule:
    # An image's text is parsed by a parser of its own, which counts its depth anew.
    def metered(state: StateInline, silent: bool) -> bool:
        meter: _Meter = state.env[_METER]
        meter.enter_image()
        try:
            return rule(state, silent)
        finally:
            meter.leave_image()

    return metered


class _InlineParser(ParserInline):
    """Counts the steps of looking for the end of a bracket, too: they grow with its square."""

    def skipToken(self, state: StateInline) -> None:  # noqa: N802 - the parser's own name
        """Go past one token."""
        state.env[_METER].step()
        super().skipToken(state)


def _is_safe_link(url: str) -> bool:
    return url.strip().lower().startswith(_SCHEMES)


def _to_ascii(url: str) -> str:
    """Return a link as a browser takes it; the Punycode of a host is left to the browser.

    Here it would be work that grows with the square of the host, and that no step counts.
    """
    return quote(url, _KEPT_IN_LINKS, errors="replace")


def _as_it_stands(link: str) -> str:
    return link


class _Renderer(RendererHTML):
    """Writes what an answer is made of in our page's terms."""

    def text(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]
    ) -> str:
        """Write what was said, with the searched terms marked."""
        pattern = env.get(_TERMS)
        if pattern is None:
            return super().text(tokens, idx, options, env)
        return _mark(tokens[idx].content, pattern)

    def link_open(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]
    ) -> str:
        """Open a link that tells its target nothing."""
        tokens[idx].attrSet("rel", "noopener noreferrer nofollow")
        tokens[idx].attrSet("target", "_blank")
        return self.renderToken(tokens, idx, options, env)

    def image(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]
    ) -> str:
        """Write an image as a link to it."""
        token = tokens[idx]
        url = str(token.attrGet("src") or "")
        text = self.renderInlineAsText(token.children or [], options, env) or url
        rel = "noopener noreferrer nofollow"
        return Markup('<a href="{}" rel="{}" target="_blank">{}</a>').format(url, rel, text)

    def heading_open(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]
    ) -> str:
        """Write a heading as a paragraph: the page's own headings must stay an outline."""
        return f'<p class="heading {tokens[idx].tag}">'

    def heading_close(self, *_: Any) -> str:
        """End a heading."""
        return "</p>\n"

    def th_open(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]
    ) -> str:
        """Open a cell; our policy allows no style attribute."""
        token = tokens[idx]
        _, _, side = str(token.attrs.pop("style", "")).partition(":")
        if side:
            token.attrSet("class", side)
        return self.renderToken(tokens, idx, options, env)

    td_open = th_open

    def table_open(self, *_: Any) -> str:
        """Open a table that may be wider than the page."""
        return '<div class="wide" tabindex="0" role="group" aria-label="Table"><table>\n'

    def table_close(self, *_: Any) -> str:
        """End a table."""
        return "</table></div>\n"


def _parser() -> MarkdownIt:
    options = {"html": False, "linkify": False}
    parser = MarkdownIt("js-default", options, renderer_cls=_Renderer)
    parser.validateLink = _is_safe_link  # type: ignore[method-assign]
    parser.normalizeLink = _to_ascii  # type: ignore[method-assign]
    parser.normalizeLinkText = _as_it_stands  # type: ignore[method-assign]
    parser.inline = _InlineParser()
    # The alternatives are the paragraphs, quotes and lists that a block may end.
    for block in list(parser.block.ruler.__rules__):
        rule = _metered_table(block.fn) if block.name == "table" else block.fn
        parser.block.ruler.at(block.name, _metered_block(rule), {"alt": block.alt})
    for inline in list(parser.inline.ruler.__rules__):
        part = _metered_image(inline.fn) if inline.name == "image" else inline.fn
        parser.inline.ruler.at(inline.name, _metered_inline(part))
    return parser


_MARKDOWN = _parser()
