"""Clients that behave badly get a documented answer or are let go, and nobody else notices."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPResponse
from pathlib import Path

import pytest

from tests.faults.conftest import DEADLINES, Elsewhere
from tests.live.eventually import eventually
from tests.live.exchange import Exchange, request_bytes
from tests.servers.perch import WIDGET_KEY
from tests.servers.planted_server import PlantedServer
from tests.servers.upstream import Upstream
from tests.servers.upstream_script import words

IDLE = 1000
# The server's patience with a head is gunicorn's keep-alive time; with a body, a setting.
HEAD_S = 5.0
BODY_S = 1.0
BUSY_MACHINE_S = 2.0
BODY = json.dumps({"sessionId": "s-slow", "message": "Hi"}).encode()
HEADERS = {"Content-Type": "application/json", "x-api-key": WIDGET_KEY}
POST = request_bytes("POST", "/v1/chat", {**HEADERS, "Connection": "keep-alive"}, BODY)
HEALTH = request_bytes("GET", "/health")


@pytest.fixture(scope="module")
def brisk(session_upstream: Upstream) -> Iterator[PlantedServer]:
    """A server with little patience and little room."""
    limits = {**DEADLINES, "TURN_TIMEOUT_S": "20", "REQUEST_TIMEOUT_S": str(BODY_S)}
    with PlantedServer.over(session_upstream, MAX_STREAMS="20", **limits) as server:
        server.warm_up()
        yield server
        assert server.tracebacks() == []


@contextmanager
def connected(server: PlantedServer, sent: bytes = b"") -> Iterator[socket.socket]:
    with socket.create_connection(server.address, timeout=20) as link:
        link.sendall(sent)
        yield link


def drip(link: socket.socket, data: bytes, pause_s: float) -> float:
    """Send byte by byte until the other side closes or answers; returns how long that took."""
    began = time.monotonic()
    link.settimeout(pause_s)
    for number in range(len(data)):
        try:
            link.sendall(data[number : number + 1])
            link.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            continue
        except OSError:
            pass
        break
    link.settimeout(20)
    return time.monotonic() - began


def read_answer(link: socket.socket) -> HTTPResponse:
    answer = HTTPResponse(link)
    answer.begin()
    return answer


def test_a_body_that_drips_is_refused_in_time(brisk: PlantedServer, elsewhere: Elsewhere) -> None:
    head, _, body = POST.partition(b"\r\n\r\n")

    with elsewhere(brisk), connected(brisk, head + b"\r\n\r\n") as link:
        took_s = drip(link, body, pause_s=0.3)
        answer = read_answer(link)
        problem = json.loads(answer.read())

    assert BODY_S <= took_s < BODY_S + BUSY_MACHINE_S
    assert (answer.status, problem["code"]) == (408, "request_timeout")


def test_a_body_that_never_comes_is_refused_in_time(
    brisk: PlantedServer, elsewhere: Elsewhere
) -> None:
    head, _, body = POST.partition(b"\r\n\r\n")

    with elsewhere(brisk), connected(brisk, head + b"\r\n\r\n" + body[:5]) as link:
        began = time.monotonic()
        answer = read_answer(link)
        took_s = time.monotonic() - began
        problem = json.loads(answer.read())

    assert took_s < BODY_S + BUSY_MACHINE_S
    assert (answer.status, problem["code"]) == (408, "request_timeout")


def test_a_head_that_drips_is_let_go_in_time(brisk: PlantedServer, elsewhere: Elsewhere) -> None:
    with elsewhere(brisk), connected(brisk) as link:
        took_s = drip(link, POST, pause_s=0.2)

    assert HEAD_S - 0.5 < took_s < HEAD_S + BUSY_MACHINE_S


def test_a_body_that_comes_in_pieces_is_answered(brisk: PlantedServer, upstream: Upstream) -> None:
    upstream.script(tokens=3)
    head, _, body = POST.partition(b"\r\n\r\n")

    with connected(brisk, head + b"\r\n\r\n") as link:
        drip(link, body, pause_s=0.005)
        answer = read_answer(link)

        assert json.loads(answer.read())["message"] == words(3)


def test_a_thousand_idle_connections_keep_nobody_out(
    brisk: PlantedServer, upstream: Upstream, elsewhere: Elsewhere
) -> None:
    upstream.script(tokens=3)
    with elsewhere(brisk), ExitStack() as idle:
        for _ in range(IDLE):
            idle.enter_context(connected(brisk))

        health = brisk.request("GET", "/health")
        answer = brisk.chat("Hi")

    assert (health.status, answer.status) == (200, 200)
    assert max(health.took_s, answer.took_s) < 1


def test_more_idle_connections_than_there_is_room_for_make_way(
    brisk: PlantedServer, elsewhere: Elsewhere
) -> None:
    with elsewhere(brisk), ExitStack() as idle:
        links = [idle.enter_context(connected(brisk, b"GET /hea")) for _ in range(3 * IDLE)]

        health = brisk.request("GET", "/health")
        oldest = links[0].recv(1)

    assert (health.status, oldest) == (200, b"")
    assert health.took_s < HEAD_S / 2  # sooner than patience alone would have freed a place


def test_pipelined_requests_are_answered_in_order(
    brisk: PlantedServer, upstream: Upstream, elsewhere: Elsewhere
) -> None:
    upstream.script(tokens=3)
    keep_alive = HEALTH.replace(b"Connection: close", b"Connection: keep-alive")

    with elsewhere(brisk), connected(brisk, POST + keep_alive + POST + HEALTH) as link:
        reader = link.makefile("rb")
        bodies = [read_one(reader) for _ in range(4)]

    assert [body.get("message") for body in bodies] == [words(3), None, words(3), None]
    assert [body.get("status") for body in bodies] == [None, "ok", None, "ok"]


def read_one(reader: socket.SocketIO) -> dict[str, object]:
    """Read one response with a length, and not a byte more."""
    length = 0
    while (line := reader.readline().strip()) != b"":
        name, _, value = line.partition(b":")
        length = int(value) if name.lower() == b"content-length" else length
    body: dict[str, object] = json.loads(reader.read(length) or b"{}")
    return body


def test_a_request_sent_behind_a_stream_is_answered_after_it(
    brisk: PlantedServer, upstream: Upstream
) -> None:
    upstream.script(tokens=3, fault="stall", at=1)
    stream = POST.replace(b"/v1/chat ", b"/v1/chat/stream ")

    with connected(brisk, stream) as link:
        upstream.wait_for_token(upstream.wait_for_request())
        link.sendall(HEALTH)
        upstream.release()
        answers = link.makefile("rb").read()

    stream, _, health = answers.partition(b"\r\n0\r\n\r\n")
    lines = [json.loads(line) for line in stream.splitlines() if line.startswith(b"{")]
    assert [line["type"] for line in lines] == ["start", "token", "token", "token", "done"]
    assert health.startswith(b"HTTP/1.1 200 OK")
    assert health.endswith(b'{"status":"ok"}\n')


def test_a_visitor_who_never_reads_is_let_go_and_costs_no_memory(
    brisk: PlantedServer, upstream: Upstream, elsewhere: Elsewhere
) -> None:
    upstream.script(tokens=["x" * 1000] * 20_000)
    with elsewhere(brisk):
        before = memory_kib(brisk)
        with connected(brisk, POST.replace(b"/v1/chat ", b"/v1/chat/stream ")):
            request = eventually(lambda: upstream.requests[1:])[0]

            assert request.left(within_s=float(DEADLINES["SEND_TIMEOUT_S"]) + BUSY_MACHINE_S)
            assert memory_kib(brisk) - before < 30_000


def memory_kib(server: PlantedServer) -> int:
    status = Path(f"/proc/{server.workers[0]}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def test_one_who_does_not_fetch_a_long_answer_is_let_go(brisk: PlantedServer) -> None:
    with socket.socket() as link:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        link.connect(brisk.address)
        link.sendall(b"GET /v1/openapi.json HTTP/1.1\r\nHost: perch.test\r\n\r\n" * 400)

        brisk.settle()


def test_a_client_that_resets_at_once_leaves_nothing(brisk: PlantedServer) -> None:
    for _ in range(50):
        Exchange(brisk.address, POST).reset()

    brisk.settle()


def test_a_client_that_closes_its_half_still_gets_its_answer(
    brisk: PlantedServer, upstream: Upstream
) -> None:
    upstream.script(tokens=3)
    with connected(brisk, HEALTH) as link:
        link.shutdown(socket.SHUT_WR)

        assert json.loads(read_answer(link).read()) == {"status": "ok"}
