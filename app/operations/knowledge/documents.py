"""An assistant's documents, as their owner lists, reads, writes and forgets them."""

import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

from app.domain.errors import InvalidRequest, NotFound
from app.domain.knowledge import MAX_KEY_CHARS, Document, DocumentPage, Section, hash_of
from app.limits.estimate import estimate_text
from app.storage.document_store import DocumentStore

State = Literal["learned", "stale"]

MAX_TITLE_CHARS = 300
# Typed by hand: what is longer is a file.
MAX_TEXT_CHARS = 100_000
# All pinned documents are told with every question, and paid for with each.
MAX_PINNED_TOKENS = 500
TEXT_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_NO_DOCUMENT = "There is no such document"
_HEADING = re.compile(r"^#{1,6}[ \t]+(.+?)[ \t]*#*$")


def state_of(document: Document) -> State:
    """Return whether a document is as its page was last, or the last good copy of it."""
    return "stale" if document.problem else "learned"


class Documents:
    """The documents of one assistant, its corrections left out.

    ``changed`` is called after each change.
    """

    def __init__(
        self, store: DocumentStore, assistant: str, changed: Callable[[], object] = lambda: None
    ) -> None:
        self._store = store
        self._assistant = assistant
        self._changed = changed

    def list(self, *, limit: int, cursor: str | None = None) -> DocumentPage:
        """Return documents by key, without their sections; a page may be short, and lead on.

        Raises:
            InvalidRequest: the cursor is not one of the store's.
        """
        while True:
            page = self._store.list_documents(self._assistant, limit=limit, cursor=cursor)
            shown = [each for each in page.documents if each.kind != "correction"]
            if shown or page.next_cursor is None:
                return replace(page, documents=shown)
            cursor = page.next_cursor

    def read(self, key: str) -> Document:
        """Return a document with its sections.

        Raises:
            NotFound: there is none of this key.
        """
        found = self._store.read_document(self._assistant, key)
        if found is None or found.kind == "correction":
            raise NotFound(_NO_DOCUMENT)
        return found

    def forget(self, key: str) -> None:
        """Forget a document.

        Raises:
            NotFound: there is none of this key.
        """
        self.read(key)
        self._store.forget_documents(self._assistant, [key])
        self._changed()

    def pin(self, key: str, *, pinned: bool) -> Document:
        """Tell a document to the model with every question, or no longer.

        Raises:
            NotFound: there is none of this key.
            InvalidRequest: it is too long to be told each time.
        """
        document = replace(self.read(key), is_pinned=pinned)
        _check_pin(document)
        self._store.put_documents(self._assistant, [document])
        self._changed()
        return document

    def put_text(
        self,
        title: str,
        text: str,
        *,
        now_ms: int,
        text_id: str | None = None,
        url: str | None = None,
        pinned: bool | None = None,
    ) -> Document:
        """Store a text that the owner wrote, in place of the one of the same id.

        Lines that begin with ``#`` are headings. Without an id it gets one; whether it is
        pinned stays as it was unless ``pinned`` says.

        Raises:
            InvalidRequest: title or text is blank or too long, or the id is none.
        """
        key = f"text:{_text_id(text_id)}"
        before = self._store.read_document(self._assistant, key)
        title = take_line(title, "title", MAX_TITLE_CHARS)
        sections = split_sections(take_text(text, "text", MAX_TEXT_CHARS))
        document = Document(
            assistant=self._assistant,
            key=key,
            kind="text",
            title=title,
            sections=sections,
            url=_web_address(url),
            is_pinned=bool(before and before.is_pinned) if pinned is None else pinned,
            hash=hash_of(title, sections),
            learnt_at=now_ms,
        )
        _check_pin(document)
        self._store.put_documents(self._assistant, [document])
        self._changed()
        return document


def split_sections(text: str) -> Sequence[Section]:
    """Return a text's sections: one for each heading line, and one for what stands before."""
    sections: list[Section] = []
    heading, lines = "", list[str]()
    for line in [*text.splitlines(), "# end"]:
        found = _HEADING.match(line)
        if found is None:
            lines.append(line)
            continue
        body = "\n".join(lines).strip()
        if body:
            sections.append(Section(heading, body))
        heading, lines = found[1], []
    return sections or [Section("", text)]


def take_line(text: str, field: str, most: int) -> str:
    """Return a text in one line, if it is one.

    Raises:
        InvalidRequest: it is blank, or longer than ``most`` characters.
    """
    return take_text(" ".join(text.split()), field, most)


def take_text(text: str, field: str, most: int) -> str:
    """Return a text without blanks around it, if there is one.

    Raises:
        InvalidRequest: it is blank, or longer than ``most`` characters.
    """
    text = text.replace("\r\n", "\n").replace("\0", "").strip()
    if not text:
        raise InvalidRequest(f"The {field} is missing", details={field: ["Must not be blank."]})
    if len(text) > most:
        rule = f"Longer than maximum length {most}."
        raise InvalidRequest(f"The {field} is too long", details={field: [rule]})
    return text


def _text_id(given: str | None) -> str:
    if given is None:
        return secrets.token_hex(6)
    if not TEXT_ID.fullmatch(given):
        rule = f"Must match {TEXT_ID.pattern}"
        raise InvalidRequest("This is no id of a text", details={"id": [rule]})
    return given


def _web_address(url: str | None) -> str | None:
    url = (url or "").strip()
    if not url:
        return None
    if not re.match(r"https?://[^\s/]+", url) or len(url) > MAX_KEY_CHARS or len(url.split()) > 1:
        rule = "Must be an address that begins with http:// or https://."
        raise InvalidRequest("This is no address of the web", details={"url": [rule]})
    return url


def _check_pin(document: Document) -> None:
    if not document.is_pinned:
        return
    tokens = sum(estimate_text(f"{each.heading}\n{each.text}") for each in document.sections)
    if tokens > MAX_PINNED_TOKENS:
        raise InvalidRequest(
            f"It is too long to be told with every question: some {tokens} tokens,"
            f" where {MAX_PINNED_TOKENS} are the most",
            details={"pinned": [f"At most {MAX_PINNED_TOKENS} tokens."]},
        )
