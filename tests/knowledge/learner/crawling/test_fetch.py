"""What is fetched, and what is not: against a server on this machine, with names of our own."""

import gzip
import socket
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_network
from pathlib import Path

import pytest

from app.knowledge.learner.crawling import fetch
from app.knowledge.learner.crawling.answer import NotFetched, gunzip
from app.knowledge.learner.crawling.fetch import Fetcher
from tests.data import a_tls_certificate
from tests.knowledge.learner.site import send, serving

PUBLIC = "93.184.216.34"


class Names:
    """A resolver that answers what it was told to, one answer a time; the last for ever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, _port: int) -> Sequence[str]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def a_fetcher(
    resolve: Callable[[str, int], Sequence[str]] = Names(["127.0.0.1"]),  # noqa: B008
    *,
    allow_loopback: bool = True,
    **options: object,
) -> Iterator[Fetcher]:
    fetcher = Fetcher(
        "Perch/test (+https://site.example)",
        resolve=resolve,
        allow_loopback=allow_loopback,
        **options,  # type: ignore[arg-type]
    )
    try:
        yield fetcher
    finally:
        fetcher.close()


def why_not(fetcher: Fetcher, url: str, **options: object) -> NotFetched:
    with pytest.raises(NotFetched) as raised:
        fetcher.get(url, **options)  # type: ignore[arg-type]
    return raised.value


def test_request_has_the_host_its_port_our_name_and_nothing_of_anybody(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".netrc").write_text("machine site.example login me password secret\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    seen: list[dict[str, str]] = []

    def handle(request: BaseHTTPRequestHandler) -> None:
        seen.append(dict(request.headers))
        send(request, b"<p>Hello", Set_Cookie="id=1")

    with serving(handle) as port, a_fetcher() as fetcher:
        first = fetcher.get(f"http://site.example:{port}/")
        fetcher.get(f"http://site.example:{port}/")

    assert (first.status, first.body, first.content_type) == (200, b"<p>Hello", "text/html")
    names = {name for each in seen for name in each}
    assert names - {"Connection"} == {"Accept", "Accept-Encoding", "Host", "User-Agent"}
    assert seen[1]["Host"] == f"site.example:{port}"
    assert seen[1]["User-Agent"] == "Perch/test (+https://site.example)"
    assert seen[1]["Accept-Encoding"] == "gzip"


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["169.254.169.254"],
        ["10.0.0.1"],
        [PUBLIC, "127.0.0.1"],
        ["127.0.0.1", PUBLIC],
        ["::ffff:127.0.0.1"],
        ["64:ff9b::7f00:1"],
        ["::1"],
    ],
)
def test_name_of_which_one_address_is_private_is_refused(addresses: list[str]) -> None:
    with a_fetcher(Names(addresses), allow_loopback=False) as fetcher:
        error = why_not(fetcher, "http://site.example/")

    assert str(error).startswith("its address is of a private network")
    assert error.is_refused


def test_name_that_resolves_to_another_address_the_next_time_is_vetted_again() -> None:
    names = Names([PUBLIC], ["127.0.0.1"])
    with serving(send) as port, a_fetcher(names, allow_loopback=False) as fetcher:
        # The first is vetted, and not connected to: there is no way to it from a test.
        assert fetcher._vetted("site.example", port) == [PUBLIC]
        error = why_not(fetcher, f"http://site.example:{port}/")

    assert str(error).startswith("its address is of a private network")


def test_address_that_was_vetted_is_the_one_that_is_connected_to() -> None:
    names = Names(["127.0.0.1"], ["10.0.0.1"])
    with serving(lambda it: send(it, b"here")) as port, a_fetcher(names) as fetcher:
        found = fetcher.get(f"http://site.example:{port}/")

    assert found.body == b"here"
    assert names.asked == ["site.example"]


@pytest.mark.parametrize(
    "host",
    ["2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "127.1", "017700000001", "[::1]",
     "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "127.0.0.1", "169.254.169.254"],
)  # fmt: skip
def test_address_in_other_dress_is_refused(host: str) -> None:
    with a_fetcher(fetch.resolve, allow_loopback=False) as fetcher:
        assert why_not(fetcher, f"http://{host}/").is_refused


def test_intranet_that_the_owner_named_is_reached() -> None:
    with a_fetcher(
        Names(["10.1.2.3"]), private=[ip_network("10.1.2.0/24")], allow_loopback=False
    ) as fetcher:
        assert fetcher._vetted("intranet.example", 80) == ["10.1.2.3"]
        assert why_not(a_fetcher_to("10.1.3.3"), "http://intranet.example/").is_refused


def a_fetcher_to(address: str) -> Fetcher:
    return Fetcher("Perch/test", resolve=Names([address]), private=[ip_network("10.1.2.0/24")])


def test_second_address_is_tried_where_the_first_does_not_answer() -> None:
    def handle(request: BaseHTTPRequestHandler) -> None:
        send(request, b"second")

    with serving(handle) as port, a_fetcher(Names(["127.0.0.9", "127.0.0.1"])) as fetcher:
        assert fetcher.get(f"http://site.example:{port}/").body == b"second"


def test_name_that_nobody_knows_is_a_failure() -> None:
    def nobody(_host: str, _port: int) -> Sequence[str]:
        raise socket.gaierror

    with a_fetcher(nobody) as fetcher:
        error = why_not(fetcher, "http://site.example/")

    assert (str(error), error.is_refused) == ("its name is not known", False)


def redirects(table: dict[str, str]) -> Callable[[BaseHTTPRequestHandler], None]:
    def handle(request: BaseHTTPRequestHandler) -> None:
        target = table.get(request.path)
        if target is None:
            send(request, b"arrived")
        else:
            send(request, status=302, Location=target)

    return handle


def test_redirects_are_followed_and_told() -> None:
    with serving(redirects({"/a": "/b?x=1#y", "/b?x=1": "c"})) as port, a_fetcher() as fetcher:
        found = fetcher.get(f"http://site.example:{port}/a")

    assert (found.url, found.body) == (f"http://site.example:{port}/c", b"arrived")


def test_redirect_to_metadata_is_refused() -> None:
    table = {"/a": "http://169.254.169.254/latest/meta-data/"}
    with serving(redirects(table)) as port, a_fetcher(fetch.resolve) as fetcher:
        error = why_not(fetcher, f"http://127.0.0.1:{port}/a")

    assert str(error).startswith("its address is of a private network")


def test_redirects_in_a_circle_end() -> None:
    with serving(redirects({"/a": "/b", "/b": "/a"})) as port, a_fetcher() as fetcher:
        error = why_not(fetcher, f"http://site.example:{port}/a")

    assert str(error) == "more than 5 redirects"


@pytest.mark.parametrize(
    "target",
    ["file:///etc/passwd", "ftp://site.example/", "http://me:secret@site.example/", "http://[", ""],
)
def test_redirect_to_what_is_no_page_is_refused(target: str) -> None:
    with serving(redirects({"/a": target, "/": "/a"})) as port, a_fetcher() as fetcher:
        error = why_not(fetcher, f"http://site.example:{port}/a")

    assert str(error).startswith(("leads to what is no page", "no answer", "more than 5"))
    assert "secret" not in str(error)


def test_redirect_out_of_the_scope_is_refused() -> None:
    with serving(redirects({"/a": "/out"})) as port, a_fetcher() as fetcher:
        error = why_not(fetcher, f"http://site.example:{port}/a", why_not=lambda _url: "outside")

    assert str(error) == f"leads to http://site.example:{port}/out: outside"
    assert error.is_refused


def test_redirect_from_https_to_http_is_refused() -> None:
    class Response:
        headers = {"location": "http://site.example/"}  # noqa: RUF012

    with pytest.raises(NotFetched, match="leads from https to http"):
        Fetcher._next("https://site.example/", Response(), lambda _url: None)  # type: ignore[arg-type]


@pytest.mark.parametrize("status", [400, 404, 410, 429, 500, 503])
def test_status_of_400_or_more_is_never_a_page(status: int) -> None:
    with serving(lambda it: send(it, b"<h1>Oops", status)) as port, a_fetcher() as fetcher:
        error = why_not(fetcher, f"http://site.example:{port}/")

    assert (error.status, error.is_gone) == (status, status in (404, 410))


def test_body_that_is_too_large_is_left_before_it_is_read() -> None:
    with serving(lambda it: send(it, b"x" * 300_000)) as port, a_fetcher() as fetcher:
        error = why_not(fetcher, f"http://site.example:{port}/", bound=100_000)

    assert str(error) == "larger than 97 KB"


@pytest.mark.slow
def test_bomb_of_gzip_is_left_at_the_bound() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000, mtime=0)
    assert len(bomb) < 100_000

    def handle(request: BaseHTTPRequestHandler) -> None:
        send(request, bomb, Content_Encoding="gzip")

    with serving(handle) as port, a_fetcher() as fetcher:
        error = why_not(fetcher, f"http://site.example:{port}/")

    assert str(error) == "larger than 2048 KB"


def test_gzip_is_unpacked() -> None:
    def handle(request: BaseHTTPRequestHandler) -> None:
        send(request, gzip.compress(b"<p>Hello", mtime=0), Content_Encoding="gzip")

    with serving(handle) as port, a_fetcher() as fetcher:
        assert fetcher.get(f"http://site.example:{port}/").body == b"<p>Hello"


@pytest.mark.parametrize(
    ("encoding", "body"),
    [("br", b"x"), ("deflate", zlib.compress(b"x")), ("gzip, gzip", gzip.compress(b"x", mtime=0))],
)
def test_compression_that_was_not_asked_for_is_refused(encoding: str, body: bytes) -> None:
    def handle(request: BaseHTTPRequestHandler) -> None:
        send(request, body, Content_Encoding=encoding)

    with serving(handle) as port, a_fetcher() as fetcher:
        assert "compressed" in str(why_not(fetcher, f"http://site.example:{port}/"))


@pytest.mark.parametrize("body", [gzip.compress(b"Hello" * 1000, mtime=0)[:-20], b"no gzip at all"])
def test_damaged_gzip_is_a_failure(body: bytes) -> None:
    def handle(request: BaseHTTPRequestHandler) -> None:
        send(request, body, Content_Encoding="gzip")

    with serving(handle) as port, a_fetcher() as fetcher:
        assert "broke off" in str(why_not(fetcher, f"http://site.example:{port}/"))


@pytest.mark.slow
def test_body_that_drips_is_left_when_its_time_is_over() -> None:
    is_over = threading.Event()

    def drip(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
        while not is_over.wait(0.01):
            request.wfile.write(b"x")
        request.close_connection = True

    with serving(drip) as port, a_fetcher(timeout_s=0.1) as fetcher:
        error = why_not(fetcher, f"http://site.example:{port}/")
        is_over.set()

    assert str(error) == "it took longer than 0.1 s"


@pytest.mark.slow
def test_headers_that_drip_are_left_when_their_time_is_over() -> None:
    is_over = threading.Event()

    def drip(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\nX-Endless: ")
        while not is_over.wait(0.01):
            request.wfile.write(b"x")
        request.close_connection = True

    with serving(drip) as port, a_fetcher(timeout_s=0.1) as fetcher:
        error = why_not(fetcher, f"http://site.example:{port}/")
        is_over.set()

    assert str(error) == "it took longer than 0.1 s"


def test_answer_that_breaks_off_is_a_failure() -> None:
    def handle(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort")
        request.close_connection = True

    with serving(handle) as port, a_fetcher() as fetcher:
        assert "broke off" in str(why_not(fetcher, f"http://site.example:{port}/"))


def test_what_is_no_http_is_a_failure() -> None:
    def handle(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"SSH-2.0-OpenSSH\r\n")
        request.close_connection = True

    with serving(handle) as port, a_fetcher() as fetcher:
        assert "no answer" in str(why_not(fetcher, f"http://site.example:{port}/"))


def test_bound_by_type_is_asked_before_the_body_is_read() -> None:
    def bound(_url: str, content_type: str) -> int:
        raise NotFetched(f"no {content_type}", is_refused=True)

    with serving(lambda it: send(it, Content_Type="image/png")) as port, a_fetcher() as fetcher:
        error = why_not(fetcher, f"http://site.example:{port}/", bound=bound)

    assert str(error) == "no image/png"


def test_archive_is_unpacked_to_its_bound() -> None:
    assert gunzip(gzip.compress(b"x" * 10, mtime=0), 10) == b"x" * 10
    with pytest.raises(NotFetched, match="larger"):
        gunzip(gzip.compress(b"x" * 11, mtime=0), 10)
    with pytest.raises(NotFetched, match="damaged"):
        gunzip(b"\x1f\x8bnothing", 10)


@pytest.mark.slow
def test_certificate_must_be_of_the_name_and_not_of_the_address(tmp_path: Path) -> None:
    certificate = a_tls_certificate(tmp_path)
    with serving(lambda it: send(it, b"safe"), certificate) as port:
        with a_fetcher(verify=str(certificate)) as fetcher:
            found = fetcher.get(f"https://localhost:{port}/")
            error = why_not(fetcher, f"https://site.example:{port}/")
        with a_fetcher() as fetcher:
            unknown = why_not(fetcher, f"https://localhost:{port}/")

    assert found.body == b"safe"
    assert str(error).startswith("its certificate is refused")
    assert str(unknown).startswith("its certificate is refused")
