"""Bytes become text, and text becomes plain: one kind of space, nothing that cannot be seen."""

import codecs
import re
import unicodedata

from app.knowledge.learner.pages.page import Unreadable

_META_CHARSET = re.compile(
    rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{1,40})", re.I
)
_XML_ENCODING = re.compile(
    rb"^\s*<\?xml[^>]{0,100}encoding\s*=\s*[\"']([A-Za-z0-9_.-]{1,40})", re.I
)
_HEAD_BYTES = 2048
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Those of pages (https://encoding.spec.whatwg.org): others of Python's take the square of the
# length (punycode), or are no encodings of text.
_KNOWN = re.compile(
    r"ascii|utf-8(-sig)?|utf-16(-le|-be)?|iso8859-\d+|cp(125\d|866|874|932|949|950)|koi8-[rut]"
    r"|gbk|gb2312|gb18030|big5|big5hkscs|shift_jis|shift_jisx0213|euc_(jp|kr)|iso2022_jp|mac-.+"
)
# What browsers read them as.
_WIDER = {"ascii": "cp1252", "iso8859-1": "cp1252", "gb2312": "gb18030", "gbk": "gb18030"}
_SPACES = re.compile(r"[^\S\n]+")
_UNSAID = re.compile(r"[\W_]+")
_LINES = re.compile(r" ?\n[ \n]*")
# Zero-width, bidirectional and tag characters: what a reader of the page does not see, and a
# model does. ZWNJ and ZWJ stay, for Persian and Indic scripts need them.
_INVISIBLE = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)


def decode(body: bytes, charset: str | None = None) -> str:
    """Return bytes as text: by their mark, by what the header says, by what they say, as UTF-8.

    What is none of it is read as Windows-1252, as browsers do. Never raises for bytes.
    """
    for mark, name in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(name, "replace")
    head = body[:_HEAD_BYTES]
    said = _META_CHARSET.search(head) or _XML_ENCODING.search(head)
    for label in (charset, said[1].decode("ascii") if said else None):
        known = _known(label)
        if known:
            return body.decode(known, "replace")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")


def _known(name: str | None) -> str | None:
    if not name:
        return None
    try:
        found = codecs.lookup(name.strip()).name
    except (LookupError, ValueError):
        return None
    return _WIDER.get(found, found) if _KNOWN.fullmatch(found) else None


def require_text(body: bytes) -> None:
    """Refuse bytes that are no text.

    Raises:
        Unreadable: there are zeros in them, without a mark of UTF-16.
    """
    is_wide = body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if b"\0" in body[:_HEAD_BYTES] and not is_wide:
        raise Unreadable("not text: it holds binary data")


def plain(text: str) -> str:
    """Return text in one line, without what cannot be seen."""
    return " ".join(_INVISIBLE.sub("", text).split())


def plain_lines(text: str) -> str:
    """Return text with its line breaks, but no empty lines, and nothing that cannot be seen."""
    found = _SPACES.sub(" ", _INVISIBLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))
    return _LINES.sub("\n", found).strip()


def plain_code(text: str) -> str:
    """Return code: its indentation is part of it."""
    lines = _INVISIBLE.sub("", text.replace("\r\n", "\n")).expandtabs(4).split("\n")
    return "\n".join(line.rstrip() for line in lines).strip("\n")


def alike(text: str) -> str:
    """Return text by which two texts are the same to a reader."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def said_chars(text: str) -> int:
    """Return how many letters and digits there are: what stands between links is neither."""
    return len(_UNSAID.sub("", text))
