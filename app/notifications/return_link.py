"""Return links: signed, mailed to a visitor, they open one session on any device.

Whoever has one reads the conversation and writes in it, as the visitor does: for
``LIVE_S``, or until the session is deleted.
"""

import hashlib
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from itsdangerous import BadData, URLSafeSerializer

from app.domain.errors import SessionExpired, Unauthorized

PURPOSE = "return link"
PARAMETER = "perch"
LIVE_S = 30 * 24 * 60 * 60
# What may stand in a path as it is (RFC 3986, section 3.3), and what was quoted already.
_SAFE = "/%:@!$&'()*+,;="


class Returning(NamedTuple):
    """Whose session a link opens, with which assistant."""

    session_id: str
    assistant: str


class ReturnLinks:
    """Makes and reads links. The first of ``keys`` signs; all of them verify."""

    def __init__(self, keys: Sequence[bytes], *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._serializer = URLSafeSerializer(
            list(reversed(keys)),
            signer_kwargs={"key_derivation": "none", "digest_method": hashlib.sha256},
        )

    def mint(self, session_id: str, assistant: str) -> str:
        """Make a token for a session."""
        return self._serializer.dumps([session_id, assistant, int(self._clock())])

    def verify(self, token: str) -> Returning:
        """Return what a token says; whether the session is still there, only the store knows.

        Raises:
            SessionExpired: it was good once.
            Unauthorized: it is not ours.
        """
        try:
            session_id, assistant, issued_at_s = self._serializer.loads(token)
        except (BadData, TypeError, ValueError):
            raise Unauthorized from None
        if self._clock() - issued_at_s > LIVE_S:
            raise SessionExpired
        return Returning(session_id, assistant)

    def link(self, page_url: str, session_id: str, assistant: str) -> str:
        """Return the page's address with a token, in place of one that it may have had.

        It is one word: a visitor says what the page is, and the mail may go to anybody.
        """
        parts = urlsplit(without_token(page_url))
        asked = parse_qsl(parts.query, keep_blank_values=True)
        asked.append((PARAMETER, self.mint(session_id, assistant)))
        return parts._replace(
            path=quote(parts.path, safe=_SAFE),
            query=urlencode(asked),
            fragment=quote(parts.fragment, safe=_SAFE),
        ).geturl()


def without_token(page_url: str) -> str:
    """Return a page's address without a link's token; the rest of it as it was written."""
    page, mark, query = page_url.partition("?")
    query, end, fragment = query.partition("#")
    kept = [each for each in query.split("&") if not each.startswith(f"{PARAMETER}=")]
    return f"{page}{mark if any(kept) else ''}{'&'.join(kept)}{end}{fragment}"
