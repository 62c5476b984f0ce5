"""Fetches pages of the internet, and of nothing else: bounded, vetted, without a memory.

The address that was vetted is the address that is connected to: a name is resolved once a
request, all that it resolves to must be allowed, and the certificate must be the name's.
microsoft-antissrf does the same on the same hook of ``requests``, but resolves by itself,
tries the first address only, and sends ``Host`` without its port.
"""

import socket
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from app.domain.private_addresses import Network, is_allowed, is_loopback
from app.knowledge.learner.crawling.answer import (
    Bound,
    Fetched,
    NotFetched,
    innermost,
    receive,
)
from app.knowledge.learner.crawling.urls import (
    NoPage,
    is_odd_host,
    normalise,
    port_of,
)
from app.knowledge.learner.limits import MAX_PAGE_S, OutOfTime, time_limit

MAX_PAGE_BYTES = 2 * 1024 * 1024
MAX_REDIRECTS = 5
_STEP_S = 10
_MAX_ADDRESSES = 4
_PRIVATE = (
    "its address is of a private network (LEARN_PRIVATE_NETWORKS names those that may be learnt)"
)
_REDIRECTS = (301, 302, 303, 307, 308)

Resolve = Callable[[str, int], Sequence[str]]


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
                    return receive(url, response, bound)
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
                raise NotFetched(f"its certificate is refused: {innermost(error)}") from error
            except requests.exceptions.ConnectionError as error:  # the next address may do
                problem = error
            except (requests.RequestException, ValueError) as error:
                raise NotFetched(f"no answer: {innermost(error)}") from error
        raise NotFetched(f"no answer: {innermost(problem)}") from problem

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
                raise NotFetched(_PRIVATE, is_refused=True)
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
