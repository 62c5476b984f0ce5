"""What of a page is not for reading, or was not written by its owner, is dropped."""

import re

from selectolax.lexbor import LexborNode

_NEVER_TEXT = (
    "script, style, template, noscript, svg, canvas, iframe, object, embed, audio, video, "
    "select, button, input, textarea, datalist, dialog, map, math annotation, nav, "
    "[hidden], [aria-hidden='true' i], [data-perch='skip' i], [role='navigation'], "
    "[role='banner'], [role='contentinfo'], [role='search'], [role='dialog'], "
    "[itemprop='comment'], [itemprop='review'], [class~='headerlink'], [class~='sr-only'], "
    "[class~='visually-hidden'], [class~='screen-reader-text'], #disqus_thread, #respond"
)
# A title or the whole page may stand in these: ASP.NET puts everything into a form.
_UNLESS_CONTENT = "header, footer, form"
_CONTENT = "main, article, h1"
_ASIDE_THAT_IS_CONTENT = re.compile(
    r"\b(admonition|note|tip|warning|caution|danger|important|callout|info|starlight-aside)\b", re.I
)
_COMMENTS = re.compile(
    r"(?:^|\s)(?:comments?|comments?-(?:area|list|section|thread|body)|commentlist|comment_list"
    r"|reviews?-(?:list|section)|customer-reviews|user-reviews)(?:\s|$)",
    re.I,
)
_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|font-size\s*:\s*0(?![.\d]*[1-9])"
    r"|opacity\s*:\s*0(?![.\d]*[1-9])",
    re.I,
)
_NEVER_DROPPED = ("html", "body", "main", "h1", "h2", "h3", "h4", "h5", "h6")


def drop_hidden(root: LexborNode) -> None:
    """Take out what is hidden, what leads around, and what visitors wrote."""
    _drop(root, [each for each in root.css(_NEVER_TEXT) if each.tag not in ("html", "body")])
    _drop(root, [each for each in root.css("[style]") if _is_hidden(each)])
    _drop(root, [each for each in root.css(_UNLESS_CONTENT) if not _holds_content(each)])
    _drop(root, [each for each in root.css("aside") if not _is_remark(each)])
    _drop(root, [each for each in root.css("[class], [id]") if _is_comments(each)])


def _drop(root: LexborNode, nodes: list[LexborNode]) -> None:
    doomed = {each.mem_id for each in nodes}
    for each in nodes:
        # One within another goes with it: its memory is not to be touched again.
        if each.mem_id != root.mem_id and not _has_ancestor(each, doomed):
            each.remove()


def _has_ancestor(node: LexborNode, doomed: set[int]) -> bool:
    parent = node.parent
    while parent is not None:
        if parent.mem_id in doomed:
            return True
        parent = parent.parent
    return False


def _is_hidden(node: LexborNode) -> bool:
    return node.tag != "body" and bool(_STYLE.search(node.attributes.get("style") or ""))


def _holds_content(node: LexborNode) -> bool:
    if node.tag == "footer":
        return node.css_first("main, article") is not None
    if node.css_first(_CONTENT) is not None:
        return node.tag == "form" or _is_within(node, ("main", "article"))
    return node.tag == "header" and _is_within(node, ("main", "article"))


def _is_within(node: LexborNode, tags: tuple[str, ...]) -> bool:
    parent = node.parent
    while parent is not None:
        if parent.tag in tags:
            return True
        parent = parent.parent
    return False


def _is_remark(node: LexborNode) -> bool:
    attributes = node.attributes
    words = f"{attributes.get('class') or ''} {attributes.get('role') or ''}"
    return bool(_ASIDE_THAT_IS_CONTENT.search(words))


def _is_comments(node: LexborNode) -> bool:
    if node.tag in _NEVER_DROPPED:
        return False
    attributes = node.attributes
    if _COMMENTS.search(attributes.get("class") or ""):
        return node.tag not in ("code", "span", "pre")  # of highlighted code
    # A section about comments has such an id, too.
    is_named = (attributes.get("id") or "").lower() in ("comments", "reviews")
    return is_named and node.css_first("[class*='comment-' i], [class*='review-' i]") is not None
