"""Addresses of pages: one form for each, and which of them belong to what is learnt."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from urllib.parse import SplitResult, quote, urljoin, urlsplit

import idna

from app.domain.knowledge import MAX_KEY_CHARS

_DEFAULT_PORTS = {"http": 80, "https": 443}
# They say how somebody came, and nothing of what is there.
_TRACKING = re.compile(
    r"(?:utm_[a-z_]+|gclid|gbraid|wbraid|fbclid|msclkid|mc_[ce]id|yclid|igshid|_ga|_gl"
    r"|phpsessid|jsessionid|sid)=",
    re.I,
)
_SAFE = "%/:=&?~#+!$,;'@()*[]|"
_NUMERIC_HOST = re.compile(r"(?:0x[0-9a-f]*|\d+)", re.I)
_NO_PAGE = re.compile(
    r"\.(?:avif|bmp|css|dmg|eot|exe|gif|gz|ico|iso|jar|jpe?g|js|json|map|mjs|mov|mp[34]|msi|ogg"
    r"|otf|pkg|png|rar|rss|svg|tar|tgz|tiff?|ttf|wasm|wav|web[mp]|woff2?|xml|zip|7z|deb|rpm)$",
    re.I,
)


class NoPage(ValueError):
    """An address that is none of a page; its words say why."""


def normalise(url: str, base: str | None = None) -> str:
    """Return the one form of a page's address: no fragment, no tracking, no default port.

    Raises:
        NoPage: it is not of HTTP, names a user, is damaged, or is too long.
    """
    try:
        parts = urlsplit(urljoin(base, url.strip()) if base else url.strip())
        host, port = parts.hostname, parts.port
        url.encode()
    except ValueError:
        raise NoPage("not an address") from None
    if parts.scheme not in _DEFAULT_PORTS or not host:
        raise NoPage("not an address of HTTP")
    if parts.username is not None or parts.password is not None:
        raise NoPage("it holds a user's name")
    netloc = _ascii_host(host)
    if port is not None and port != _DEFAULT_PORTS[parts.scheme]:
        netloc = f"{netloc}:{port}"
    path = quote(_without_dots(parts.path) or "/", safe=_SAFE)
    query = "&".join(each for each in parts.query.split("&") if each and not _TRACKING.match(each))
    found = f"{parts.scheme}://{netloc}{path}{'?' if query else ''}{quote(query, safe=_SAFE)}"
    if len(found) > MAX_KEY_CHARS:
        raise NoPage("its address is too long")
    return found


def _ascii_host(host: str) -> str:
    if ":" in host:
        return f"[{host.lower()}]"
    host = host.rstrip(".").lower()
    if host.isascii():
        return host
    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError:
        raise NoPage("not the name of a host") from None


def _without_dots(path: str) -> str:
    return urlsplit(urljoin("http://host/", path)).path if "/." in path else path


def port_of(parts: SplitResult) -> int:
    """Return the port that an address means."""
    return parts.port or _DEFAULT_PORTS[parts.scheme]


def is_odd_host(host: str) -> bool:
    """Tell whether a host is an IPv4 address in other dress: ``2130706433``, ``0x7f.1``."""
    labels = host.rstrip(".").split(".")
    is_numeric = all(_NUMERIC_HOST.fullmatch(each) for each in labels)
    plain = len(labels) == 4 and all(
        each.isdecimal() and str(int(each)) == each and int(each) < 256 for each in labels
    )
    return is_numeric and not plain


def twins(url: str) -> Iterable[str]:
    """Return the addresses under which the same page often stands: with and without a slash."""
    parts = urlsplit(url)
    if len(parts.path) > 1:
        path = parts.path[:-1] if parts.path.endswith("/") else f"{parts.path}/"
        yield parts._replace(path=path).geturl()


@dataclass(frozen=True, slots=True)
class Scope:
    """What is learnt of a site: its host with and without ``www.``, below some paths.

    ``hosts`` are those that the site's own sitemap names beside it.
    """

    host: str
    port: int
    paths: Sequence[str] = ("/",)
    only: Sequence[str] = ()
    excluded: Sequence[str] = ()
    hosts: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def of(cls, seed: str, only: Sequence[str] = (), excluded: Sequence[str] = ()) -> "Scope":
        """Return the scope of an address: its directory where it names a file."""
        parts = urlsplit(seed)
        return cls(parts.hostname or "", port_of(parts), (_directory(parts.path),), only, excluded)

    def why_not(self, url: str) -> str | None:
        """Say why an address does not belong to it; ``None`` where it does."""
        parts = urlsplit(url)
        if not self.has_site(url):
            return "another site"
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        if not any(_is_below(parts.path, each) for each in self.paths):
            return f"outside {' and '.join(self.paths)}"
        if _NO_PAGE.search(parts.path):
            return "not a page"
        if self.only and not any(fnmatchcase(path, each) for each in self.only):
            return "not among what is to be learnt only"
        if any(fnmatchcase(path, each) for each in self.excluded):
            return "not to be learnt"
        return None

    def has_site(self, url: str) -> bool:
        """Tell whether an address is of the site, whatever its path."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        is_own = _bare(host) == _bare(self.host) or host in self.hosts
        return is_own and port_of(parts) in (80, 443, self.port)

    def with_sitemap_hosts(self, urls: Iterable[str]) -> "Scope":
        """Return it with hosts of its own domain that its sitemap names."""
        below = f".{_bare(self.host)}"
        named = {urlsplit(each).hostname or "" for each in urls}
        return replace(self, hosts=self.hosts | {each for each in named if each.endswith(below)})

    def with_path(self, url: str) -> "Scope":
        """Return it with the directory to which its own address led on."""
        path = _directory(urlsplit(url).path)
        if any(_is_below(path, each) for each in self.paths):
            return self
        return replace(self, paths=(*self.paths, path))

    def __str__(self) -> str:
        paths = " and ".join(self.paths)
        return f"{', '.join([self.host, *sorted(self.hosts)])} below {paths}"


def _bare(host: str) -> str:
    return host.removeprefix("www.")


def _directory(path: str) -> str:
    last = path.rpartition("/")[2]
    return path[: len(path) - len(last)] or "/" if "." in last else path or "/"


def _is_below(path: str, directory: str) -> bool:
    return path == directory or path.startswith(directory.rstrip("/") + "/")
