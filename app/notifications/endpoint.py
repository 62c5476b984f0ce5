"""An address of somebody else's that takes JSON: reached past the guard, and not for long."""

import time
from base64 import b64encode
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

from app.domain.private_addresses import Network, is_allowed
from app.http_client import (
    HttpAddressRefused,
    HttpClient,
    HttpConnectFailed,
    HttpFailure,
    HttpTimeout,
)
from app.http_client.proxies import NO_PROXIES, Proxies
from app.notifications.delivery import NotTaken

_CONNECT_S = 5.0
# Whoever hung is not asked again at once: the notices behind would hang with it.
_REST_S = 15.0
_GONE = 410

Headers = Sequence[tuple[str, str]]


class Endpoint:
    """A URL to post to. ``private`` are the networks of the owner's own that may be reached.

    Each request has a connection of its own, so that every address is vetted that is
    connected to. Over a proxy, which looks names up itself, only an address that stands in
    the URL is.
    """

    def __init__(
        self,
        url: str,
        private: Sequence[Network] = (),
        proxies: Proxies = NO_PROXIES,
        *,
        timeout_s: float = 15.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        parts = urlsplit(url)
        self.host = parts.hostname or ""
        self._url = url
        self._base = f"{parts.scheme}://{parts.netloc}"
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._private = private
        self._proxies = proxies
        self._timeout_s = timeout_s
        self._clock = clock
        self._authorization = _basic(parts.username, parts.password)
        self._client: HttpClient | None = None
        self._rests_until: float | None = None
        self.is_gone = False

    def post(self, body: bytes, headers: Headers = ()) -> None:
        """Send JSON; returns when it was answered with 2xx.

        Raises:
            NotTaken: it was not.
        """
        if self.is_gone:
            raise NotTaken(_GONE_TEXT, is_final=True)
        now = self._clock()
        if self._rests_until is not None and now < self._rests_until:
            raise NotTaken("hung a moment ago, and was not asked")
        try:
            self._judge(*self._ask("POST", body, (("Content-Type", "application/json"), *headers)))
        except HttpAddressRefused:
            raise NotTaken(self._refusal()) from None
        except HttpTimeout:
            self._rests_until = self._clock() + _REST_S
            raise NotTaken(f"gave no answer within {self._timeout_s:g} s") from None
        except HttpConnectFailed as error:
            raise NotTaken(f"is not reached: {error}") from None
        except HttpFailure as error:
            raise NotTaken(f"gave no answer: {error}") from None

    def check(self) -> str:
        """Look whether somebody answers at all; returns that in words.

        Raises:
            NotTaken: nobody does.
        """
        try:
            status, _ = self._ask("HEAD", b"", ())
        except HttpAddressRefused:
            raise NotTaken(self._refusal()) from None
        except HttpFailure as error:
            raise NotTaken(f"is not reached: {error}") from None
        return f"{self.host} is there (HEAD: {status})"

    def _ask(self, method: str, body: bytes, headers: Headers) -> tuple[int, str | None]:
        # The body of the answer may have no end, and nobody needs it.
        with self._http().open(
            method, self._path, body=body, headers=(*headers, *self._authorization),
            deadline_s=self._timeout_s,
        ) as exchange:  # fmt: skip
            return exchange.status, exchange.header("Retry-After")

    def _judge(self, status: int, retry_after: str | None) -> None:
        if 200 <= status < 300:
            return
        if status == _GONE:
            self.is_gone = True
            raise NotTaken(_GONE_TEXT, is_final=True)
        advice = " (redirects are not followed)" if 300 <= status < 400 else ""
        raise NotTaken(f"answered {status}{advice}", retry_after_s=read_retry_after(retry_after))

    def _http(self) -> HttpClient:
        """Return the client, made after the fork."""
        if self._client is None:
            proxies = self._proxies
            if proxies.of(self._url) and _is_address(self.host) and not self._may_reach(self.host):
                raise HttpAddressRefused
            self._client = HttpClient(
                self._base,
                connect_timeout_s=_CONNECT_S,
                read_timeout_s=self._timeout_s,
                max_idle=0,
                headers=(("User-Agent", "Perch"),),
                proxies=proxies,
                vet=self._may_reach,
            )
        return self._client

    def _may_reach(self, address: str) -> bool:
        # Loopback counts as a network of the owner's own, where it is listed.
        listed = _is_address(address) and any(
            ip_address(address).version == each.version and ip_address(address) in each
            for each in self._private
        )
        return is_allowed(address, self._private, allow_loopback=listed)

    def _refusal(self) -> str:
        return (
            f"{self.host} is at a private address, which is refused: list its network in "
            "NOTIFY_PRIVATE_NETWORKS"
        )


_GONE_TEXT = "answered 410 (gone): switched off until a restart"


def read_retry_after(text: str | None) -> float | None:
    """Return the seconds that a ``Retry-After`` asks for (RFC 9110, section 10.2.3)."""
    if not text:
        return None
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _basic(user: str | None, password: str | None) -> Headers:
    if user is None:
        return ()
    told = f"{unquote(user)}:{unquote(password or '')}".encode()
    return (("Authorization", f"Basic {b64encode(told).decode()}"),)
