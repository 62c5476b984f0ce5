"""A site for the learner: pages by address, without a network; and a server of answers with one."""

import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from app.knowledge.learner.crawling.answer import Bound, Fetched, NotFetched
from app.knowledge.learner.crawling.fetch import MAX_REDIRECTS
from app.knowledge.learner.crawling.urls import normalise
from app.knowledge.learner.pages.files import read_file
from app.knowledge.learner.pages.page import Page

SITE = "https://site.example"


@dataclass(frozen=True)
class Answer:
    """What the site answers."""

    body: bytes | str = b""
    status: int = 200
    content_type: str = "text/html; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


def leads_to(url: str) -> Answer:
    return Answer(status=301, headers={"location": url})


class FakeSite:
    """Stands in for a ``Fetcher``; ``asked`` are the addresses, in order."""

    def __init__(self, pages: Mapping[str, Answer | str] = {}) -> None:
        self.pages: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.is_at_home = False
        self.put(pages)

    def put(self, pages: Mapping[str, Answer | str]) -> None:
        for path, answer in pages.items():
            url = path if path.startswith("http") else SITE + path
            self.pages[url] = Answer(answer) if isinstance(answer, str) else answer

    def get(
        self,
        url: str,
        *,
        bound: int | Bound = 1 << 21,
        why_not: Callable[[str], str | None] = lambda _url: None,
    ) -> Fetched:
        for _ in range(MAX_REDIRECTS + 1):
            self.asked.append(url)
            answer = self.pages.get(url, Answer(status=404))
            if answer.status == 301:
                url = normalise(answer.headers["location"], url)
                if why := why_not(url):
                    raise NotFetched(f"leads to {url}: {why}", is_refused=True, url=url)
                continue
            if answer.status != 200:
                words = f"the server answers {answer.status}"
                raise NotFetched(words, status=answer.status, url=url)
            if not isinstance(bound, int):
                bound(url, answer.content_type)
            body = answer.body.encode() if isinstance(answer.body, str) else answer.body
            headers = {"content-type": answer.content_type, **answer.headers}
            return Fetched(url, 200, headers, body)
        raise NotFetched("more than 5 redirects")

    def visited(self) -> list[str]:
        """Return the paths of pages that were asked for."""
        others = ("/robots.txt", "/sitemap.xml")
        return [it.removeprefix(SITE) for it in self.asked if not it.endswith(others)]


class ReadingHere:
    """Reads in this process, what tests wrote themselves."""

    def read(self, body: bytes, kind: str, name: str, charset: str | None = None) -> Page:
        return read_file(body, kind, name, charset)


def a_page(title: str, *paragraphs: str, head: str = "", links: tuple[str, ...] = ()) -> str:
    """A page with a heading and paragraphs; links stand in its navigation."""
    around = "".join(f'<a href="{each}">{each}</a>' for each in links)
    said = "".join(f"<p>{each}</p>" for each in paragraphs)
    return (
        f"<html lang=en><head><title>{title}</title>{head}</head><body><nav>{around}</nav>"
        f"<h1>{title}</h1>{said}</body></html>"
    )


def words_of(subject: str) -> str:
    """A sentence long enough to be learnt, of a subject that no other page has."""
    return f"All that there is to be known about {subject}, and then a little more than that."


Handle = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def serving(handle: Handle, certificate: Path | None = None) -> Iterator[int]:
    """Serve on localhost, each request by ``handle``; yield the port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            handle(self)

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_arguments: None  # type: ignore[method-assign]  # who left
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def send(
    handler: BaseHTTPRequestHandler, body: bytes = b"", status: int = 200, **headers: str
) -> None:
    """Answer a request, and close."""
    handler.send_response(status)
    headers = {"Content_Type": "text/html", "Content_Length": str(len(body)), **headers}
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.wfile.write(body)
    handler.close_connection = True
