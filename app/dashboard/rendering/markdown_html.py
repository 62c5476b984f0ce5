"""What an answer is made of, as the HTML of our page: links are safe, and nothing is loaded."""

from collections.abc import MutableMapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from markupsafe import Markup

from app.dashboard.rendering.highlights import mark

TERMS = "terms"
"""Where the parser's environment has the pattern of the searched words."""
HOSTS = "hosts"
"""Where it has the hosts that may be linked, ``None`` for all."""
_KEPT_IN_LINKS = "!#$%&'()*+,/:;=?@[]~"
_SCHEMES = ("http://", "https://", "mailto:")
_REL = "noopener noreferrer nofollow"


def is_safe_link(url: str) -> bool:
    """Tell whether a link leads to the web or to mail."""
    return url.strip().lower().startswith(_SCHEMES)


def to_ascii(url: str) -> str:
    """Return a link as a browser takes it; the Punycode of a host is left to the browser.

    Here it would be work that grows with the square of the host, and that no step counts.
    """
    return quote(url, _KEPT_IN_LINKS, errors="replace")


def host_of(url: str) -> str:
    """Return the host of an address, and its port; nothing where a browser may see another."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return "" if "\\" in url or "@" in parts.netloc else parts.netloc.lower()


def _may_link(url: str, env: MutableMapping[str, Any]) -> bool:
    hosts = env.get(HOSTS)
    return hosts is None or host_of(url) in hosts


class Renderer(RendererHTML):
    """Writes what an answer is made of in our page's terms."""

    def text(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]
    ) -> str:
        """Write what was said, with the searched terms marked."""
        pattern = env.get(TERMS)
        if pattern is None:
            return super().text(tokens, idx, options, env)
        return mark(tokens[idx].content, pattern)

    def link_open(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]
    ) -> str:
        """Open a link that tells its target nothing, or show its words where it may not be one."""
        url = str(tokens[idx].attrGet("href") or "")
        if not _may_link(url, env):
            # A link holds no other: the next end is its own.
            end = next(each for each in tokens[idx:] if each.type == "link_close")
            end.tag = "span"
            return Markup('<span title="{}">').format(url)
        tokens[idx].attrSet("rel", _REL)
        tokens[idx].attrSet("target", "_blank")
        return self.renderToken(tokens, idx, options, env)

    def image(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]
    ) -> str:
        """Write an image as a link to it."""
        token = tokens[idx]
        url = str(token.attrGet("src") or "")
        text = self.renderInlineAsText(token.children or [], options, env) or url
        if not _may_link(url, env):
            return Markup('<span title="{}">{}</span>').format(url, text)
        return Markup('<a href="{}" rel="{}" target="_blank">{}</a>').format(url, _REL, text)

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
