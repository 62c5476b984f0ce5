"""The server that takes our mails, and what addresses of mail look like."""

import re
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from app.domain.people import MAX_EMAIL_CHARS

Security = Literal["plain", "starttls", "tls"]

# Far less than RFC 5321 allows, and all that a provider gives out: nothing here ends a
# header, or a command of SMTP.
_is_address = re.compile(
    r"[^\s\x00-\x1f\x7f@<>()\[\]\\,;:\"]{1,64}@"
    r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)*[^\W_](?:[\w-]{0,61}[^\W_])?"
).fullmatch
_PORTS: dict[Security, int] = {"plain": 25, "starttls": 587, "tls": 465}
_FORM = "write smtps://user:password@host:465, or smtp://user:password@host:587?starttls"


def is_mail_address(text: str) -> bool:
    """Tell whether this is one address, without a name."""
    # RFC 2047 has a way to write any character in a header, an address's end included.
    is_plain = text.isprintable() and "=?" not in text
    return len(text) <= MAX_EMAIL_CHARS and is_plain and _is_address(text) is not None


def is_mailbox(text: str) -> bool:
    """Tell whether this is one address, perhaps with a name before it (RFC 5322, section 3.4)."""
    return text.isprintable() and is_mail_address(parseaddr(text)[1])


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mails are handed in; ``tls`` from the first byte, ``starttls`` before the password."""

    host: str
    port: int
    security: Security = "plain"
    user: str | None = None
    password: str | None = None

    @classmethod
    def parse(cls, url: str) -> "MailServer":
        """Read ``smtp://user:password@host:port?starttls``, or ``smtps://…``.

        Raises:
            ValueError: what is wrong, in words that follow the variable's name; it tells
                no password.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise ValueError(f"is no URL: {_FORM}") from None
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname or not url.isprintable():
            raise ValueError(f"is no URL of a mail server: {_FORM}")
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        if set(options) - {"starttls"} or parts.path.strip("/"):
            raise ValueError(f"has more than an address and ?starttls: {_FORM}")
        security: Security = "plain"
        if parts.scheme == "smtps":
            security = "tls"
        elif options.get("starttls", "false").lower() not in ("false", "0", "no"):
            security = "starttls"
        return cls(
            parts.hostname,
            port or _PORTS[security],
            security,
            unquote(parts.username) if parts.username else None,
            unquote(parts.password) if parts.password else None,
        )

    def __repr__(self) -> str:
        """Say little: a password is here."""
        return f"MailServer({self.host!r}, {self.port})"
