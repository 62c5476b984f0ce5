"""What the model wrote, as HTML that is safe to show, and cheap to make.

Raw HTML stays text, links lead to the web or to mail only, and images are
links: none is loaded unasked, for its address can carry away what was said.

A visitor can talk a model into any text, and some texts of a few kilobytes
keep a parser busy for seconds. So work is counted as it is done, other
greenlets get their turn meanwhile, and a text that takes too much of it is
shown as it was written.
"""

from collections.abc import Sequence, Set

from markdown_it import MarkdownIt
from markupsafe import Markup

from app.dashboard.rendering.highlights import highlight
from app.dashboard.rendering.markdown_html import (
    HOSTS,
    TERMS,
    Renderer,
    is_safe_link,
    to_ascii,
)
from app.dashboard.rendering.markdown_work import (
    METER,
    Meter,
    TooMuchWork,
    count_work,
)
from app.domain.search_query import terms_pattern
from app.server.pauses import let_others_work

MAX_MARKDOWN_CHARS = 16 * 1024
# A step is one rule tried at one place, some 3 µs. Ordinary Markdown takes one
# for two or three characters.
MAX_MESSAGE_STEPS = 30_000
MAX_PAGE_STEPS = 250_000
# Of all messages that a page shows as they were written. When they are shown,
# each has a beginning.
MAX_PAGE_CHARS = 1_000_000
BEGINNING_CHARS = 2000
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


def to_html(
    markdown: str,
    budget: PageBudget | None = None,
    terms: Sequence[str] = (),
    hosts: Set[str] | None = None,
) -> Markup:
    """Render an answer, and mark the terms in it; with ``hosts``, link to no others.

    One that takes too much work is shown as it was written.
    """
    budget = budget or PageBudget()
    meter = Meter(min(MAX_MESSAGE_STEPS, budget.steps))
    try:
        if len(markdown) > MAX_MARKDOWN_CHARS:
            raise TooMuchWork
        pattern = terms_pattern(terms) if terms else None
        html = _MARKDOWN.render(markdown, {METER: meter, TERMS: pattern, HOSTS: hosts})
    except TooMuchWork:
        return _AS_WRITTEN.format(to_plain(markdown, budget, terms))
    finally:
        budget.steps -= meter.steps
        let_others_work()
    return Markup(html)  # noqa: S704 - escaped by the renderer


def _parser() -> MarkdownIt:
    options = {"html": False, "linkify": False}
    parser = MarkdownIt("js-default", options, renderer_cls=Renderer)
    parser.validateLink = is_safe_link  # type: ignore[method-assign]
    parser.normalizeLink = to_ascii  # type: ignore[method-assign]
    parser.normalizeLinkText = lambda link: link  # type: ignore[method-assign]
    count_work(parser)
    return parser


_MARKDOWN = _parser()
