"""Fetches pages of the internet, and of nothing else: bounded, vetted, without a memory.

The address that was vetted is the address that is connected to: a name is resolved once a
request, all that it resolves to must be allowed, and the certificate must be the name's.
microsoft-antissrf does the same on the same hook of ``requests``, but resolves by itself,
tries the first address only, and sends ``Host`` without its port.
"""

import socket
import ssl
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.message import Message
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from app.domain.private_addresses import Network, is_allowed, is_loopback
from app.knowledge.learner.limits import MAX_PAGE_S, OutOfTime, time_limit
from app.knowledge.learner.urls import NoPage, is_odd_host, normalise, port_of

MAX_PAGE_BYTES = 2 * 1024 * 1024
MAX_REDIRECTS = 5
_STEP_S = 10
_PIECE_BYTES = 1 << 16
_MAX_ADDRESSES = 4
_REDIRECTS = (301, 302, 303, 307, 308)

Resolve = Callable[[str, int], Sequence[str]]
Bound = Callable[[str, str], int]
"""Returns how many bytes of an address, of a content type, are read; raises ``NotFetched``."""


class NotFetched(Exception):
    """What could not be fetched; its words say why, for the owner.

    ``status`` is the server's, 0 where it is not that. ``is_gone``: it says that there is
    nothing any more. ``is_refused``: we do not want it, as opposed to a failure that may
    pass. ``url``: where that was known.
    """

    def __init__(
        self, why: str, *, status: int = 0, is_refused: bool = False, url: str = ""
    ) -> None:
        super().__init__(why)
        self.status = status
        self.is_gone = status in (404, 410)
        self.is_refused = is_refused
        self.url = url


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer: ``url`` is where redirects led, and ``body`` is without its compression."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def content_type(self) -> str:
        """What the server says it is."""
        return self.headers.get("content-type", "")

    @property
    def charset(self) -> str | None:
        """In which encoding the server says it is."""
        message = Message()
        message["content-type"] = self.content_type
        found = message.get_param("charset")
        return found if isinstance(found, str) else None


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a name, those of IPv4 first: many machines have no other."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(each[4][0]) for each in sorted(found, key=lambda it: it[0] != socket.AF_INET)]
    return list(dict.fromkeys(addresses))


class Fetcher:
    """Fetches by GET. ``private`` and ``allow_loopback`` are as in ``private_addresses``."""

    def __init__(
        self,
        user_agent: str,
        *,
        private: Sequence[Network] = (),
        allow_loopback: bool = False,
        resolve: Resolve = resolve,
        timeout_s: float = MAX_PAGE_S,
        verify: bool | str = True,
    ) -> None:
        self._private = private
        self._allow_loopback = allow_loopback
        self._resolve = resolve
        self._timeout_s = timeout_s
        self._pinned = _PinnedAdapter()
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy, no .netrc
        self._session.verify = verify
        self._session.mount("http://", self._pinned)
        self._session.mount("https://", self._pinned)
        self._session.headers.clear()
        self._session.headers.update({
            "User-Agent": user_agent,
            "Accept": "text/html,application/xhtml+xml,text/*;q=0.9,*/*;q=0.5",
            "Accept-Encoding": "gzip",
        })  # fmt: skip

    @property
    def is_at_home(self) -> bool:
        """Whether the last address that was asked is this machine's own."""
        return is_loopback(self._pinned.address)

    def close(self) -> None:
        """Close what connections are left."""
        self._session.close()

    def get(
        self,
        url: str,
        *,
        bound: int | Bound = MAX_PAGE_BYTES,
        why_not: Callable[[str], str | None] = lambda _url: None,
    ) -> Fetched:
        """Fetch an address, and where it leads on; ``why_not`` may refuse one of those.

        ``bound`` is of the body without its compression.

        Raises:
            NotFetched: a status of 400 or more is one, too.
        """
        try:
            with time_limit(self._timeout_s):
                return self._follow(url, bound, why_not)
        except OutOfTime:
            raise NotFetched(f"it took longer than {self._timeout_s:g} s", url=url) from None

    def _follow(
        self, url: str, bound: int | Bound, why_not: Callable[[str], str | None]
    ) -> Fetched:
        for _ in range(MAX_REDIRECTS + 1):
            response = self._ask(url)
            try:
                if response.status_code not in _REDIRECTS:
                    return _received(url, response, bound)
                url = self._next(url, response, why_not)
            finally:
                response.close()
        raise NotFetched(f"more than {MAX_REDIRECTS} redirects", url=url)

    @staticmethod
    def _next(url: str, response: requests.Response, why_not: Callable[[str], str | None]) -> str:
        location = response.headers.get("location", "")
        try:
            # Headers come as Latin-1; what is no ASCII in them is UTF-8.
            found = normalise(location.encode("latin-1").decode("utf-8", "replace"), url)
        except NoPage as error:
            raise NotFetched(f"leads to what is no page: {error}", is_refused=True) from None
        if url.startswith("https:") and found.startswith("http:"):
            raise NotFetched("leads from https to http", is_refused=True, url=found)
        why = why_not(found)
        if why:
            raise NotFetched(f"leads to {found}: {why}", is_refused=True, url=found)
        return found

    def _ask(self, url: str) -> requests.Response:
        parts = urlsplit(url)
        host = parts.hostname or ""
        request = requests.Request("GET", url, headers={"Host": parts.netloc})
        problem: Exception | None = None
        for address in self._vetted(host, port_of(parts)):
            self._session.cookies.clear()
            self._pinned.address = address
            prepared = self._session.prepare_request(request)
            try:
                return self._session.send(
                    prepared, stream=True, timeout=(_STEP_S, _STEP_S), allow_redirects=False,
                    verify=self._session.verify,
                )  # fmt: skip
            except requests.exceptions.SSLError as error:
                raise NotFetched(f"its certificate is refused: {_innermost(error)}") from error
            except requests.exceptions.ConnectionError as error:  # the next address may do
                problem = error
            except (requests.RequestException, ValueError) as error:
                raise NotFetched(f"no answer: {_innermost(error)}") from error
        raise NotFetched(f"no answer: {_innermost(problem)}") from problem

    def _vetted(self, host: str, port: int) -> Sequence[str]:
        if is_odd_host(host):
            raise NotFetched("an address in an unusual form", is_refused=True)
        try:
            addresses = self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise NotFetched("its name is not known") from error
        if not addresses:
            raise NotFetched("its name is not known")
        for each in addresses:
            if not is_allowed(each, self._private, allow_loopback=self._allow_loopback):
                raise NotFetched("its address is of a private network", is_refused=True)
        return addresses[:_MAX_ADDRESSES]


class _PinnedAdapter(HTTPAdapter):
    """Connects to ``address``, and to nothing else, whatever name the request has."""

    def __init__(self) -> None:
        super().__init__(pool_connections=4, pool_maxsize=1, max_retries=0)
        self.address = ""

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Put the address in the place of the host, which the certificate must be of."""
        host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
        if host["scheme"] == "https":
            pool["server_hostname"] = pool["assert_hostname"] = host["host"]
        host["host"] = self.address
        return host, pool


def _received(url: str, response: requests.Response, bound: int | Bound) -> Fetched:
    status = response.status_code
    if status >= 400:
        raise NotFetched(f"the server answers {status}", status=status, url=url)
    if status != 200:
        raise NotFetched(f"the server answers {status}, which is no page", url=url)
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise NotFetched(f"it is compressed in a way that was not asked for: {encoding[:20]}")
    content_type = response.headers.get("content-type", "")
    max_bytes = bound if isinstance(bound, int) else bound(url, content_type)
    try:
        body = _read(response, max_bytes, is_packed="gzip" in encoding)
    except (OutOfTime, NotFetched):
        raise
    except (requests.RequestException, OSError, ssl.SSLError, ValueError) as error:
        raise NotFetched(f"the answer broke off: {_innermost(error)}") from error
    except Exception as error:  # urllib3's, which requests does not always translate
        raise NotFetched(f"the answer broke off ({type(error).__name__})") from error
    return Fetched(url, status, {k.lower(): v for k, v in response.headers.items()}, body)


def _read(response: requests.Response, max_bytes: int, *, is_packed: bool) -> bytes:
    unpack = zlib.decompressobj(wbits=31) if is_packed else None
    body = bytearray()
    while piece := response.raw.read(_PIECE_BYTES, decode_content=False):
        body += unpack.decompress(piece, max_bytes + 1 - len(body)) if unpack else piece
        if len(body) > max_bytes:
            raise NotFetched(f"larger than {max_bytes >> 10} KB", is_refused=True)
    if unpack and not unpack.eof:
        raise NotFetched("the answer broke off")
    return bytes(body)


def gunzip(body: bytes, max_bytes: int) -> bytes:
    """Unpack a file that is compressed itself, as ``sitemap.xml.gz`` is.

    Raises:
        NotFetched: it is damaged, or would be larger.
    """
    unpack = zlib.decompressobj(wbits=31)
    try:
        found = unpack.decompress(body, max_bytes + 1)
    except zlib.error as error:
        raise NotFetched("a damaged archive") from error
    if len(found) > max_bytes:
        raise NotFetched(f"larger than {max_bytes >> 10} KB when unpacked", is_refused=True)
    return found


def _innermost(error: BaseException | None) -> str:
    """Return what the system said, without the objects of the libraries between."""
    found = error
    while found is not None:
        following = found.__cause__ or found.__context__ or getattr(found, "reason", None)
        if not isinstance(following, BaseException) or following is found:
            break
        found = following
    if isinstance(found, OSError) and found.strerror:
        return found.strerror
    return type(found).__name__
