"""A stream as gunicorn takes it: an iterable, a connection, an end."""

import gc
import json
import socket
from io import BytesIO
from typing import TYPE_CHECKING, Any

import gevent
import pytest
from structlog.testing import capture_logs

from app.server.writer import WRITER, ChunkedWriter
from app.storage.protocol import ConversationStore
from app.turns.turn import RunningTurn
from tests.conftest import Pair
from tests.data import SESSION, WIDGET_KEY
from tests.fakes import Gate, ScriptedModel, until

if TYPE_CHECKING:
    from tests.conftest import MakeApp


@pytest.fixture
def request_environ() -> dict[str, Any]:
    """What the last request is, as gunicorn keeps it."""
    return {}


@pytest.fixture
def writer(pair: Pair) -> ChunkedWriter:
    """What the worker writes answers with."""
    pair[0].settimeout(0.05)
    return ChunkedWriter(pair[0], is_chunked=True)


@pytest.fixture
def called(
    make_app: "MakeApp", pair: Pair, writer: ChunkedWriter, request_environ: dict[str, Any]
) -> Any:
    """Calls the application as gunicorn does; returns the response's iterable."""
    app = make_app()

    def call(path: str = "/v1/chat/stream", **more: Any) -> Any:
        body = json.dumps({"sessionId": SESSION, "message": "Hi"}).encode()
        request_environ.update(
            {
                "REQUEST_METHOD": "POST",
                "PATH_INFO": path,
                "SERVER_NAME": "perch.test",
                "SERVER_PORT": "80",
                "SERVER_PROTOCOL": "HTTP/1.1",
                "REMOTE_ADDR": "203.0.113.7",
                "CONTENT_TYPE": "application/json",
                "CONTENT_LENGTH": str(len(body)),
                "HTTP_X_API_KEY": WIDGET_KEY,
                "wsgi.url_scheme": "http",
                "wsgi.input": BytesIO(body),
                "wsgi.errors": BytesIO(),
                "gunicorn.socket": pair[0],
                WRITER: writer,
                **more,
            }
        )
        return app(request_environ, lambda *_: lambda _: None)

    return call


def serve(response: Any, writer: ChunkedWriter) -> None:
    """Write a response as gunicorn does."""
    for lines in response:
        writer.write(lines)
    writer.end()


def turns_in_memory() -> list[RunningTurn]:
    return [each for each in gc.get_objects() if type(each) is RunningTurn]


def stored(store: ConversationStore) -> list[tuple[str, str, str | None]]:
    thread = store.read_session(SESSION, limit=10)
    assert thread is not None
    return [(each.role, each.content, each.status) for each in thread.messages]


def test_tokens_go_to_the_socket_while_the_response_waits(
    called: Any, model: ScriptedModel, pair: Pair
) -> None:
    gate = Gate()
    model.script(gate, ["Hel", "lo"], " there")
    response = called()

    lines = gevent.spawn(b"".join, response)
    gate.wait_reached()
    gate.open()
    yielded = lines.get(timeout=20).splitlines()
    response.close()
    written = pair[1].recv(65_536)

    assert [json.loads(line)["type"] for line in yielded] == ["start"]
    assert written.split(b"\r\n")[1::2] == [
        b'{"type":"token","token":"Hel"}\n{"type":"token","token":"lo"}\n',
        b'{"type":"token","token":" there"}\n',
    ]


def test_last_line_leaves_with_the_end_of_the_body(
    called: Any, writer: ChunkedWriter, pair: Pair
) -> None:
    response = called()
    pieces = list(response)
    assert [json.loads(piece)["type"] for piece in pieces] == ["start"]
    pair[1].recv(65_536)  # the tokens

    writer.end()
    response.close()

    _, line, end = pair[1].recv(65_536).split(b"\r\n", 2)
    assert json.loads(line)["type"] == "done"
    assert end == b"0\r\n\r\n"


def test_turn_that_is_over_leaves_nothing_to_the_garbage_collector(
    called: Any, writer: ChunkedWriter
) -> None:
    others = turns_in_memory()  # of other tests, held here
    gc.disable()
    try:
        response = called()
        serve(response, writer)
        response.close()
        del response
        assert len(turns_in_memory()) == len(others)
    finally:
        gc.enable()


def test_without_a_writer_the_response_yields_every_line(
    called: Any, request_environ: dict[str, Any], pair: Pair
) -> None:
    pieces = b"".join(called(**{WRITER: None, "gunicorn.socket": None}))

    types = [json.loads(line)["type"] for line in pieces.splitlines()]
    assert types == ["start", "token", "token", "done"]


def test_what_gunicorn_holds_of_the_request_is_let_go(
    called: Any, request_environ: dict[str, Any]
) -> None:
    response = iter(called())
    assert request_environ

    next(response)

    assert not request_environ


def test_reader_who_takes_nothing_ends_the_response_with_an_error(
    called: Any, writer: ChunkedWriter, model: ScriptedModel, store: ConversationStore
) -> None:
    gate = Gate()
    large = "x" * 150_000
    model.script(gate, large, Gate())
    response = called()
    serving = gevent.spawn(serve, response, writer)
    gate.wait_reached()
    gate.open()

    # Ended cleanly, it would write the end mark into the middle of a chunk.
    with pytest.raises(BrokenPipeError):
        serving.get(timeout=20)

    response.close()
    until(lambda: model.open_count == 0)
    until(lambda: len(stored(store)) == 2)
    assert stored(store)[1] == ("assistant", large, "partial")


def test_visitor_who_reads_late_holds_up_neither_the_model_nor_the_session(
    called: Any, model: ScriptedModel, store: ConversationStore, pair: Pair, writer: ChunkedWriter
) -> None:
    pair[0].settimeout(20)
    words = [f"{number:05}-" * 1000 for number in range(30)]
    model.script(*[[word] for word in words])
    response = called()
    serving = gevent.spawn(serve, response, writer)

    until(lambda: len(stored(store)) == 2)

    assert stored(store)[1] == ("assistant", "".join(words), "complete")
    assert not serving.ready()
    reading = gevent.spawn(lambda: b"".join(iter(lambda: pair[1].recv(65_536), b"")))
    serving.get(timeout=20)
    response.close()
    pair[0].shutdown(socket.SHUT_WR)
    lines = [line for line in reading.get(timeout=20).split(b"\n") if line.startswith(b"{")]
    tokens = [event["token"] for line in lines if "token" in (event := json.loads(line))]
    assert "".join(tokens) == "".join(words)


@pytest.mark.parametrize("path", ["/v1/chat/stream", "/chat", "/v1/chat"])
def test_visitor_who_leaves_stops_the_model(
    called: Any, model: ScriptedModel, store: ConversationStore, pair: Pair, path: str
) -> None:
    gate = Gate()
    model.script("Half", gate)
    reading = gevent.spawn(lambda: b"".join(called(path)))
    gate.wait_reached()

    pair[1].close()

    until(lambda: model.open_count == 0)
    reading.get(timeout=20)
    assert stored(store) == [("user", "Hi", None), ("assistant", "Half", "partial")]


def test_response_that_is_never_read_asks_no_model_and_frees_the_session(
    called: Any, model: ScriptedModel, store: ConversationStore
) -> None:
    response = called()

    response.close()

    def is_free() -> bool:
        thread = store.read_session(SESSION, limit=10)
        return thread is not None and thread.running_turn_id is None

    until(is_free)
    assert stored(store) == [("user", "Hi", "partial")]
    assert model.prompts == []


def outcome(logs: list[Any]) -> list[tuple[str, int]]:
    return [(line["outcome"], line["tokens"]) for line in logs if line["event"] == "stream"]


def test_log_says_how_a_stream_ended(called: Any, model: ScriptedModel) -> None:
    with capture_logs() as logs:
        response = called()
        list(response)
        response.close()

    assert outcome(logs) == [("done", 2)]
    assert "Hello" not in str(logs)
    assert WIDGET_KEY not in str(logs)


def test_log_says_who_left(called: Any, model: ScriptedModel, pair: Pair) -> None:
    gate = Gate()
    model.script("Half", gate)
    with capture_logs() as logs:
        response = called()
        reading = gevent.spawn(list, response)
        gate.wait_reached()
        pair[1].close()
        reading.get(timeout=20)
        response.close()

    assert outcome(logs) == [("left", 1)]
