"""Nothing stored or sent by anybody silences a worker: ``/health`` answers through all of it.

Each attack is the worst input of its kind that is known. It is made up to three
times, for a busy machine may be slow by itself; one good run is enough. Nor does
the time count in which the machine ran others.
"""

import json
import re
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

import pytest

from app.domain.conversation import Answer, Question
from app.storage.sqlite import SqliteStore
from bench.seed_store import seed
from tests.dashboard.rendering.test_markdown_work import INTRICATE
from tests.live.exchange import Answer as Reply
from tests.live.exchange import Exchange, request_bytes
from tests.servers.perch import ADMIN_KEY, WIDGET_KEY, Server, chat_body

pytestmark = pytest.mark.sqlite  # what is stored is written past the server

PASSWORD = "the password of this dashboard"
SLOWEST_S = 0.25
TRIES = 3
MAX_STREAMS = 10
# Below its places the server has room for so many connections and 510 more.
CROWD = 1600
BODY_BYTES = 256 * 1024
GUESSES = 2_000
GUESSERS = 1_000  # addresses
HEAD = {"x-api-key": WIDGET_KEY, "Content-Type": "application/json"}
OWNER = {"x_admin_api_key": ADMIN_KEY}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server over a store that holds what a hostile crowd can have put there."""
    directory = tmp_path_factory.mktemp("responsive")
    fill(directory / "chat.db")
    with Server(
        directory,
        DASHBOARD_PASSWORD=PASSWORD,
        MAX_STREAMS=str(MAX_STREAMS),
        CLIENT_IP_HEADER="X-IP",
        IDENTITY_SECRET="i" * 40,
        REQUEST_TIMEOUT_S="5",
    ) as server:
        yield server
        assert len(server.workers) == 1
        assert "Traceback" not in server.log()


def fill(path: Path) -> None:
    seed(path, 40_000, int(time.time() * 1000))
    store = SqliteStore(path, timeout_s=60)
    for number in range(100):
        texts = list(INTRICATE.values())
        tell(store, "s-intricate", texts[number % len(texts)], number)
        tell(store, "s-long", '"' * 200_000, number)
        tell(store, "s-table", "|a" * 200 + "\n" + "|-" * 200 + "\n" + "|\n" * 400, number)
    tell(store, "s-many", "Yes. " * 100, 0)
    store.close()
    with sqlite3.connect(path) as db:  # 5,000 turns would take a minute
        columns = "conversation, turn_id, role, content, created_at, status"
        db.execute(
            f"INSERT INTO messages (position, {columns}) WITH RECURSIVE n(i) AS"
            " (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)"
            f" SELECT i, {columns} FROM n, messages WHERE role = 'assistant' AND conversation ="
            " (SELECT key FROM conversations WHERE session_id = 's-many')"
        )


def tell(store: SqliteStore, session: str, text: str, number: int) -> None:
    turn = store.begin_turn(
        Question(session, f"turn-{number:08}", "Tell me."), history_limit=1, lease_s=60
    )
    store.finish_turn(turn, Answer(text, "complete"))


def health_s(server: Server) -> float:
    """Return how long ``/health`` takes, less what others have kept the two ends waiting."""
    before_s = queued_s(server)
    took_s = server.request("GET", "/health").took_s
    return took_s - (queued_s(server) - before_s)


def queued_s(server: Server) -> float:
    """Return how long the worker and this thread have been ready to run, and did not.

    Where the kernel tells (proc(5), ``schedstat``); else nothing.
    """
    told = [Path(f"/proc/{end}/schedstat") for end in (server.workers[0], "thread-self")]
    return sum(int(each.read_text().split()[1]) for each in told if each.exists()) / 1e9


def slowest_health_s(server: Server, attack: Callable[[Server], None]) -> float:
    """Return the longest that ``/health`` took while the attack went on."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            attack(server)
        except BaseException as error:
            failures.append(error)

    attacker = threading.Thread(target=run)
    attacker.start()
    took = [health_s(server)]
    while attacker.is_alive():
        took.append(health_s(server))
        time.sleep(0.005)
    attacker.join()
    if failures:
        raise failures[0]
    return max(took)


def hold(server: Server, attack: Callable[[Server], None]) -> None:
    took = []
    for _ in range(TRIES):
        took.append(slowest_health_s(server, attack))
        if took[-1] <= SLOWEST_S:
            return
    raise AssertionError(f"/health took {took} s")


def conversation(server: Server, session: str) -> str:
    """Return the id of a session's conversation."""
    found = server.admin("/v1/admin/conversations?limit=200").json["conversations"]
    return next(str(each["_id"]) for each in found if each["sessionId"] == session)


def open_form(server: Server) -> tuple[str, str]:
    """Return the cookie and the token that a sign-in must bring back."""
    page = server.request("GET", "/dashboard/login")
    token = re.search(rb'name="token" value="([^"]+)"', page.body)
    assert token is not None
    return str(page.headers["Set-Cookie"]).partition(";")[0], token[1].decode()


def sign_in(server: Server) -> str:
    """Return the operator's cookies."""
    visit, token = open_form(server)
    form = urlencode({"token": token, "password": PASSWORD}).encode()
    answer = server.request(
        "POST",
        "/dashboard/login",
        form,
        cookie=visit,
        content_type="application/x-www-form-urlencoded",
    )
    assert answer.status == 303, answer.body
    cookies = answer.headers.get_all("Set-Cookie") or []
    return "; ".join(each.partition(";")[0] for each in cookies)


@pytest.fixture(scope="module")
def operator(server: Server) -> str:
    return sign_in(server)


@pytest.mark.parametrize("session", ["s-table", "s-intricate", "s-long", "s-many"])
def test_opening_a_hostile_transcript(server: Server, operator: str, session: str) -> None:
    path = f"/dashboard/conversations/{conversation(server, session)}"

    def open_it(server: Server) -> None:
        assert server.request("GET", path, cookie=operator).status == 200

    hold(server, open_it)


SEARCHES = [
    {"q": "zz"},  # too short for the index
    {"q": "Nothing"},  # in every message
    {"q": "%" * 200},
    {"q": "\\" * 200},
    {"q": "ÄÖÜ" * 60},
    {"q": '"' * 200},
    {"q": "Yes. " * 40, "page": "https://", "status": "complete", "user": "x"},
    {"page": "h" * 2048},
    {"q": "zz", "from": "1970-01-01", "to": "9999-12-30", "limit": "200"},
]


@pytest.mark.parametrize("search", SEARCHES, ids=str)
def test_the_worst_searches(server: Server, operator: str, search: dict[str, str]) -> None:
    query = urlencode(search)

    def look(server: Server) -> None:
        assert server.admin(f"/v1/admin/conversations?{query}").status == 200
        assert server.request("GET", f"/dashboard/conversations?{query}", cookie=operator).status

    hold(server, look)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/admin/export",
        "/v1/admin/export?format=csv&q=zz",
        "/v1/admin/export?format=csv",
        "/v1/admin/stats?from=2025-11-26&to=2026-11-25",
        "/v1/admin/stats?by=hour",
        "/v1/admin/conversations?limit=200",
        "/v1/admin/conversations/{s-many}",
        "/v1/admin/conversations/{s-long}",
    ],
)
def test_reading_everything(server: Server, path: str) -> None:
    path = re.sub(r"\{(.*)\}", lambda found: conversation(server, found[1]), path)

    def read(server: Server) -> None:
        assert server.request("GET", path, **OWNER).status == 200

    hold(server, read)


BODIES = {
    "lists": b'{"a":[' + b"[]," * (BODY_BYTES // 3 - 10) + b"0]}",
    "objects": b'{"a":[' + b"{}," * (BODY_BYTES // 3 - 10) + b"0]}",
    "numbers": b'{"a":[' + b"1," * (BODY_BYTES // 2 - 10) + b"0]}",
    "long numbers": b'{"a":[' + b",".join([b"1" * 4000] * 60) + b"]}",
    "one number": b'{"a":' + b"1" * (BODY_BYTES - 10) + b"}",
    "keys": b"{" + b",".join(b'"%x":0' % number for number in range(BODY_BYTES // 9)) + b"}",
    "the same key": b"{" + b'"a":0,' * (BODY_BYTES // 6 - 10) + b'"a":0}',
    "escapes": b'{"a":"' + b"\\u0041" * (BODY_BYTES // 6 - 10) + b'"}',
    "escaped zeros": b'{"a":"' + b"\\\\u0000" * (BODY_BYTES // 7 - 10) + b'"}',
    "depth": b'{"a":' + b"[" * (BODY_BYTES - 10),
    "an unknown user's word": json.dumps({"jwt": "a." * 2000}).encode(),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_the_worst_bodies(server: Server, body: bytes) -> None:
    def send(server: Server) -> None:
        for path in ("/v1/session", "/v1/chat"):
            assert server.request("POST", path, body, x_api_key=WIDGET_KEY).status in (200, 400)

    hold(server, send)


def test_the_worst_forms(server: Server) -> None:
    def send(server: Server) -> None:
        for number, form in enumerate((b"a=&" * (BODY_BYTES // 3), b"&" * BODY_BYTES)):
            kind = "application/x-www-form-urlencoded"
            answer = server.request(
                "POST", "/dashboard/login", form, content_type=kind, x_ip=f"192.0.2.{number}"
            )
            assert answer.status in (413, 429)

    hold(server, send)


def guess(server: Server, numbers: range, seen: list[int]) -> None:
    """Try passwords over one connection, each from an address of the crowd."""
    visit, token = open_form(server)
    kind = {"Cookie": visit, "Content-Type": "application/x-www-form-urlencoded"}
    link = HTTPConnection(*server.address, timeout=20)
    for number in numbers:
        form = urlencode({"token": token, "password": f"guess {number}"})
        address = f"10.{number % GUESSERS >> 8}.{number % GUESSERS & 255}.1"
        link.request("POST", "/dashboard/login", form, {**kind, "X-IP": address})
        answer = link.getresponse()
        answer.read()
        seen.append(answer.status)
    link.close()


def test_a_storm_of_passwords(server: Server, operator: str) -> None:
    seen: list[int] = []
    owner: list[int] = []

    def storm(server: Server) -> None:
        share = GUESSES // 4
        with ThreadPoolExecutor(4) as crowd:
            jobs = [
                crowd.submit(guess, server, range(share * part, share * (part + 1)), seen)
                for part in range(4)
            ]
            while not all(job.done() for job in jobs):
                owner.append(server.request("GET", "/dashboard/settings", cookie=operator).status)
                time.sleep(0.05)
            for job in jobs:
                job.result()

    hold(server, storm)

    assert set(seen) <= {401, 429}
    assert seen.count(401) <= 50 * TRIES
    assert set(owner) == {200}


HEADERS = {
    "a cookie of nothing": {"cookie": ";" * 32_000},
    "many cookies": {"cookie": "perch-=;" * 4_000},
    "a type of many parts": {"content-type": "a/b" + ';a="' * 8_000},
    "a type of many stars": {"content-type": "a/b" + ";a*0*=b" * 4_500},
    "tags": {"if-none-match": "," * 32_000},
    "encodings": {"accept-encoding": "a;q=0.1," * 4_000},
    "languages": {"accept-language": "a;q=0.1," * 4_000},
    "ranges": {"range": "bytes=" + "0-1," * 8_000, "if-range": '"a",' * 8_000},
    "addresses": {"x-forwarded-for": "1.2.3.4," * 4_000, "x-ip": "," * 20_000},
    "an origin": {"origin": "https://" + "a." * 15_000},
    "a token": {"authorization": "Bearer " + "a." * 15_000},
}
PATHS = [
    "/v1/chat", "/v1/session", "/dashboard/login", "/widget/chat-widget.js",
    "/dashboard/conversations", "/v1/session/messages",
]  # fmt: skip


@pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS.keys())
def test_the_worst_headers(server: Server, headers: dict[str, str]) -> None:
    def send(server: Server) -> None:
        for path in PATHS:
            method = "POST" if path in ("/v1/chat", "/v1/session") else "GET"
            request = request_bytes(method, path, {**HEAD, **headers}, b"{}" * (method == "POST"))
            assert Exchange(server.address, request).answer().status < 500

    hold(server, send)


@pytest.mark.parametrize("query", ["a=&" * 2_700, "q=" + "%41" * 2_700, "&" * 8_000])
def test_the_worst_queries(server: Server, operator: str, query: str) -> None:
    def send(server: Server) -> None:
        for path in ("/v1/admin/conversations", "/v1/admin/export", "/dashboard/conversations"):
            answer = server.request("GET", f"{path}?{query}", cookie=operator, **OWNER)
            assert answer.status < 500

    hold(server, send)


class Crowd:
    """Many clients that each send a part of a request and nothing more."""

    def __init__(self, server: Server, sent: Callable[[int], bytes], count: int = CROWD) -> None:
        self._server = server
        self._sent = sent
        self._count = count
        self._stack = ExitStack()

    def __enter__(self) -> "Crowd":
        for number in range(self._count):
            link = self._stack.enter_context(socket.create_connection(self._server.address, 20))
            with suppress(OSError):  # it made way already
                link.sendall(self._sent(number))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


def part(method: str, path: str, headers: dict[str, str], body: bytes, ip: str = "") -> bytes:
    named = {**HEAD, "Connection": "keep-alive", **({"X-IP": ip} if ip else {}), **headers}
    return request_bytes(method, path, named) + body


SLOW = {
    "session": ("POST", "/v1/session", {"Content-Length": "2000"}, b"{"),
    "chat": ("POST", "/v1/chat/stream", {"Content-Length": "2000"}, b"{"),
    "chunks": ("POST", "/v1/session", {"Transfer-Encoding": "chunked"}, b"7d0\r\n{"),
    "expectation": ("POST", "/v1/session", {"Content-Length": "9", "Expect": "100-continue"}, b""),
    "wrong key": ("POST", "/v1/session", {"Content-Length": "2000", "x-api-key": "no"}, b"{"),
    "no route": ("POST", "/nothing", {"Content-Length": "2000"}, b"{"),
    "a body of GET": ("GET", "/health", {"Content-Length": "2000"}, b"{"),
    "sign-in": (
        "POST",
        "/dashboard/login",
        {"Content-Length": "2000", "Content-Type": "application/x-www-form-urlencoded"},
        b"a",
    ),
}


@pytest.mark.parametrize("whose", ["one address", "an address each"])
@pytest.mark.parametrize("slow", SLOW.values(), ids=SLOW.keys())
def test_bodies_that_do_not_come_hold_no_place(
    server: Server, slow: tuple[str, str, dict[str, str], bytes], whose: str
) -> None:
    answers: list[Reply] = []

    def wait(server: Server) -> None:
        ip = "" if whose == "one address" else "10.1.{}.{}"
        with Crowd(server, lambda n: part(*slow, ip=ip.format(n // 250, n % 250))):
            other = {"x_api_key": WIDGET_KEY, "x_ip": "10.2.0.1"}
            answers.append(server.request("POST", "/v1/session", {}, **other))
            asked = chat_body("Hi", None, {})
            answers.append(server.request("POST", "/v1/chat", asked, **other))

    hold(server, wait)

    assert {answer.status for answer in answers} == {200}


def flood(server: Server, head: bytes, piece: bytes, seconds_s: float = 1.5) -> None:
    """Send without a pause, until the server has enough of it."""
    with socket.create_connection(server.address, 5) as link:
        link.sendall(head)
        until = time.monotonic() + seconds_s
        with suppress(OSError):
            while time.monotonic() < until:
                link.sendall(piece)


FLOODS = {
    "one byte a chunk": b"1\r\na\r\n" * 10_000,
    "extensions": (b"1;" + b"a" * 200 + b"\r\na\r\n") * 300,
    "a large chunk": b"100000\r\n" + b"x" * 0x100000 + b"\r\n",
}


@pytest.mark.parametrize("path", ["/v1/session", "/nothing", "/dashboard/login"])
@pytest.mark.parametrize("piece", FLOODS.values(), ids=FLOODS.keys())
def test_bodies_that_do_not_end(server: Server, path: str, piece: bytes) -> None:
    head = part("POST", path, {"Transfer-Encoding": "chunked"}, b"")

    hold(server, lambda server: flood(server, head, piece))


def test_a_body_of_a_gigabyte(server: Server) -> None:
    head = part("POST", "/nothing", {"Content-Length": str(10**9)}, b"")

    hold(server, lambda server: flood(server, head, b"x" * 1_000_000))


@pytest.mark.parametrize("piece", [b"a" * 60_000, b"x: 1\r\n" * 10_000, b"\r\n" * 30_000])
def test_heads_that_do_not_end(server: Server, piece: bytes) -> None:
    hold(server, lambda server: flood(server, b"GET /health HTTP/1.1\r\nx: ", piece))


def test_cookies_of_a_whole_domain_pass(server: Server) -> None:
    for size in (8_190, 16_000, 30_000):
        assert (
            server.request("GET", "/widget/chat-widget.js", cookie="a=" + "x" * size).status == 200
        )
    assert server.request("GET", "/health", cookie="a=" + "x" * 40_000).status == 431


def test_body_in_chunks_is_taken_like_one_of_a_length(server: Server) -> None:
    body = json.dumps({"sessionId": "s-chunked", "message": "Hi " + "é" * 50}).encode()
    for size in (1, 7, len(body)):
        chunks = [body[at : at + size] for at in range(0, len(body), size)]
        framed = b"".join(b"%x;a=b\r\n%b\r\n" % (len(each), each) for each in chunks)
        for end in (b"0\r\n\r\n", b"0\r\nx-trailer: 1\r\n\r\n"):
            raw = part("POST", "/v1/chat", {"Transfer-Encoding": "chunked"}, framed + end)
            # The next request of the connection is found where it begins.
            raw += part("GET", "/health", {"Connection": "close"}, b"")
            with socket.create_connection(server.address, 10) as link:
                link.sendall(raw)
                said = link.makefile("rb").read()

            assert said.startswith(b"HTTP/1.1 200 ")
            assert said.endswith(b'{"status":"ok"}\n')
