"""An answer of a web server: read up to its bound, whatever it is compressed to."""

import ssl
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import Message

import requests

from app.knowledge.learner.limits import OutOfTime

_PIECE_BYTES = 1 << 16

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


def receive(url: str, response: requests.Response, bound: int | Bound) -> Fetched:
    """Read an answer that has begun, and close nothing.

    Raises:
        NotFetched: it is no page, or larger than its bound.
    """
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
        raise NotFetched(f"the answer broke off: {innermost(error)}") from error
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


def innermost(error: BaseException | None) -> str:
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
