"""What the model wrote, as HTML that is safe to show.

Raw HTML stays text, links lead to the web or to mail only, and images are
links: none is loaded unasked, for its address can carry away what was said.
"""

import re
from collections.abc import MutableMapping, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from markupsafe import Markup, escape

from app.search_query import terms_pattern

_SCHEMES = ("http://", "https://", "mailto:")


def to_html(markdown: str, terms: Sequence[str] = ()) -> Markup:
    """Render an answer, and mark the terms in it."""
    html = _MARKDOWN.render(markdown, {"terms": terms_pattern(terms) if terms else None})
    return Markup(html)  # noqa: S704 - escaped by the renderer


def highlight(text: str, terms: Sequence[str]) -> Markup:
    """Return a text as HTML in which the terms are marked, in any case."""
    return _mark(text, terms_pattern(terms))


def _mark(text: str, pattern: re.Pattern[str]) -> Markup:
    parts: list[Markup] = []
    end = 0
    for found in pattern.finditer(text):
        parts += [escape(text[end : found.start()]), Markup("<mark>{}</mark>").format(found[0])]
        end = found.end()
    return Markup("").join([*parts, escape(text[end:])])


def _is_safe_link(url: str) -> bool:
    return url.strip().lower().startswith(_SCHEMES)


class _Renderer(RendererHTML):
    """Writes what an answer is made of in our page's terms."""

    def text(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]
    ) -> str:
        """Write what was said, with the searched terms marked."""
        pattern = env.get("terms")
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
    parser = MarkdownIt("js-default", {"html": False, "linkify": False}, renderer_cls=_Renderer)
    parser.validateLink = _is_safe_link  # type: ignore[method-assign]
    return parser


_MARKDOWN = _parser()
