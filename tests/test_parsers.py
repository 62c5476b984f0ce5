"""Every parser of what strangers send: any text is read, or refused by the one documented error.

The parsers of streams have more to keep: ``tests/completion/openai/test_events.py``,
``tests/http_client/`` and ``tests/web/test_contract.py``.
"""

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from app.completion.openai.refusals import read_retry_after
from app.dashboard.rendering.markup import to_html
from app.domain.errors import IdentityRefused, InvalidRequest, Unauthorized
from app.domain.origin import normal_pattern
from app.domain.prices import Prices
from app.storage.sqlite.cursors import from_cursor, to_cursor
from app.web.guards.client_address import ClientAddresses, limit_key
from app.web.guards.identity import verify_identity
from app.web.guards.tokens import SessionTokens
from app.web.proxies import TrustedProxies

TOKENS = SessionTokens([b"k" * 32], live_s=900)
SECRETS = ["identity-secret-of-the-parsers-test"]

PARSERS: dict[str, tuple[Callable[[str], object], tuple[type[Exception], ...]]] = {
    "cursor": (lambda text: from_cursor("c", text, 2), (InvalidRequest,)),
    "session token": (lambda text: TOKENS.verify(text, "https://page.test"), (Unauthorized,)),
    "renewal": (lambda text: TOKENS.verify_renewable(text, ""), (Unauthorized,)),
    "identity": (lambda text: verify_identity(text, SECRETS), (IdentityRefused,)),
    "prices": (Prices.parse, (ValueError,)),
    "Retry-After": (read_retry_after, ()),
    "forwarded address": (
        lambda text: limit_key(
            ClientAddresses(1, None, TrustedProxies()).find(
                {"REMOTE_ADDR": "10.0.0.4", "HTTP_X_FORWARDED_FOR": text}
            )
        ),
        (),
    ),
    "origin": (normal_pattern, (ValueError,)),
    "answer in Markdown": (to_html, ()),
}
# Close to what each one takes, so that the search begins near the edges.
TEXTS = some.one_of(
    some.text(),
    some.text(alphabet="abcdefABCDEF0123456789.:,=/-_%[]{}\"' \t\n\\", max_size=80),
    some.from_regex(r"[A-Za-z]{3}, [0-9]{1,3} [A-Za-z]{3} [0-9]{1,5} [0-9:]{5,9} [A-Z+0-9]{2,6}"),
    some.builds(lambda *numbers: to_cursor("c", *numbers), some.integers(), some.integers()),
    some.floats().map(str),
    some.ip_addresses().map(str),
)


@pytest.mark.parametrize(("parse", "refusals"), PARSERS.values(), ids=PARSERS)
@given(text=TEXTS)
@example(text="")
@example(text="\0")
@example(text="Mon, 01 Jan 0001 00:00:00 +2359")
@example(text="Fri, 31 Dec 9999 23:59:59 -2359")
@example(text="1e999")
@example(text="(" * 2000)
def test_any_text_is_read_or_refused(
    parse: Callable[[str], object], refusals: tuple[type[Exception], ...], text: str
) -> None:
    with suppress(*refusals):
        parse(text)
