"""Mails as any program shows them: plain text first, HTML beside it, threads kept together."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr, parseaddr
from html import escape
from textwrap import wrap

from app.notifications.plain_text import one_line, printable, shorten

_COLUMNS = 72
_MAX_SUBJECT_CHARS = 120
# RFC 5322, section 3.6.4: what may stand in a Message-ID without quotes.
_no_atom = re.compile(r"[^A-Za-z0-9-]")
# 7-bit, so that every server takes it; lines end as SMTP wants them.
_POLICY = SMTP.clone(cte_type="7bit", max_line_length=_COLUMNS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What a mail says, before it is one.

    ``text`` is what somebody wrote, paragraphs apart; ``details`` stand under it. ``link`` is a
    name and an address. ``thread`` keeps the mails of one conversation together; ``id`` is
    the same when it is sent again.
    """

    id: str
    to: Sequence[str]
    subject: str
    greeting: str
    text: str = ""
    details: Sequence[tuple[str, str]] = ()
    link: tuple[str, str] | None = None
    footer: str = ""
    thread: str | None = None
    language: str = "en"
    is_right_to_left: bool = False


def to_mail(letter: Letter, sender: str, now_ms: int) -> EmailMessage:
    """Return a letter as a mail; nothing of it can end a header."""
    name, address = parseaddr(sender)
    domain = address.rpartition("@")[2]
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = formataddr((one_line(name), address)) if name.isascii() else sender
    mail["To"] = ", ".join(letter.to)
    mail["Subject"] = shorten(one_line(letter.subject), _MAX_SUBJECT_CHARS)
    mail["Date"] = format_datetime(datetime.fromtimestamp(now_ms / 1000, UTC))
    mail["Message-ID"] = f"<{_no_atom.sub('-', letter.id)}@{domain}>"
    if letter.thread:
        # Of a mail that was never sent: programs gather all that name it.
        root = f"<{_no_atom.sub('-', letter.thread)}@{domain}>"
        mail["In-Reply-To"] = mail["References"] = root
    # RFC 3834: no out-of-office note comes back.
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(to_text(letter), cte="quoted-printable")
    mail.add_alternative(to_html(letter), subtype="html", cte="quoted-printable")
    mail["Content-Language"] = letter.language
    return mail


def to_text(letter: Letter) -> str:
    """Return a letter for a terminal: short lines, and links on their own."""
    parts = [_wrapped(letter.greeting)]
    if letter.text:
        quoted = [f"> {line}".rstrip() for line in _wrapped(letter.text, 2).splitlines()]
        parts.append("\n".join(quoted))
    if letter.details:
        parts.append("\n".join(f"{name}: {one_line(value)}" for name, value in letter.details))
    if letter.link:
        parts.append(f"{letter.link[0]}:\n{letter.link[1]}")
    if letter.footer:
        # RFC 3676, section 4.3: programs know what is below for a signature.
        parts.append(f"-- \n{_wrapped(letter.footer)}")
    return "\n\n".join(parts) + "\n"


def to_html(letter: Letter) -> str:
    """Return a letter in HTML: no picture, no script, nothing that is fetched."""
    direction = "rtl" if letter.is_right_to_left else "ltr"
    parts = [f"<p>{_shown(letter.greeting)}</p>"]
    if letter.text:
        said = _shown(letter.text).replace("\n", "<br>\n")
        parts.append(
            '<blockquote dir="auto" style="margin:0;padding:0 1em;border-inline-start:'
            f'3px solid #ccc">{said}</blockquote>'
        )
    parts.extend(f"<p>{_shown(name)}: {_shown(value)}</p>" for name, value in letter.details)
    if letter.link:
        name, url = letter.link
        parts.append(f'<p><a href="{escape(url)}">{escape(name)}</a></p>')
    if letter.footer:
        parts.append(f'<p style="font-size:smaller">{_shown(letter.footer)}</p>')
    body = "\n".join(parts)
    return (
        f'<!doctype html>\n<html lang="{escape(letter.language)}" dir="{direction}">\n'
        f'<meta charset="utf-8">\n<body style="font-family:sans-serif;max-width:40em">\n'
        f"{body}\n</body>\n</html>\n"
    )


def _wrapped(text: str, indent: int = 0) -> str:
    lines = [
        each
        for line in printable(text).splitlines()
        for each in wrap(line, _COLUMNS - indent, break_long_words=False, break_on_hyphens=False)
        or [""]
    ]
    return "\n".join(lines)


def _shown(text: str) -> str:
    return escape(printable(text))
