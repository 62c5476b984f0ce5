"""The body of a request: all of it, in its time, and not larger than any valid one."""

from io import BytesIO
from types import SimpleNamespace
from typing import Any

import gevent
import pytest
from flask import Flask

from app.domain.errors import (
    InvalidRequest,
    LengthRequired,
    PayloadTooLarge,
    RequestTimeout,
    TooManyRequests,
)
from app.observability import request_log
from app.web.bodies import MAX_FORM_BYTES, read_body, receive_form
from app.web.current_request import current_request
from app.web.rates import MAX_WAITING_BODIES, WaitingBodies
from tests.data import some_settings

MOST_BYTES = 200_000


def an_app(**variables: str) -> Flask:
    """An application that knows its settings and its limits, and nothing else."""
    flask_app = Flask(__name__)
    flask_app.extensions["perch"] = SimpleNamespace(
        settings=some_settings(**variables), limits=SimpleNamespace(bodies=WaitingBodies())
    )
    flask_app.config["MAX_CONTENT_LENGTH"] = MOST_BYTES
    request_log.register(flask_app)
    return flask_app


@pytest.fixture(scope="module")
def flask_app() -> Flask:
    return an_app()


def read(flask_app: Flask, came: Any, **environ: str) -> bytes:
    """Read a body of which ``came`` has come; in chunks where no length is given."""
    if "CONTENT_LENGTH" not in environ:
        environ["HTTP_TRANSFER_ENCODING"] = "chunked"
    overrides = {"wsgi.input": came, "REQUEST_METHOD": "POST", **environ}
    with flask_app.test_request_context("/", environ_overrides=overrides):
        return read_body(current_request())


class Broken(BytesIO):
    """A body whose connection breaks at once."""

    def read(self, size: int | None = -1) -> bytes:
        raise ConnectionResetError


class Silence(BytesIO):
    """A body that does not come."""

    def read(self, size: int | None = -1) -> bytes:
        gevent.sleep(5)
        return b""


def test_body_of_a_length_is_read(flask_app: Flask) -> None:
    assert read(flask_app, BytesIO(b"{}and more"), CONTENT_LENGTH="2") == b"{}"


def test_body_in_chunks_is_read_to_its_end(flask_app: Flask) -> None:
    assert read(flask_app, BytesIO(b"x" * MOST_BYTES)) == b"x" * MOST_BYTES


def test_body_with_neither_is_refused(flask_app: Flask) -> None:
    with flask_app.test_request_context("/", method="POST"), pytest.raises(LengthRequired):
        read_body(current_request())


@pytest.mark.parametrize("came", [BytesIO(b'{"text": "H'), BytesIO(), Broken()])
def test_body_that_is_cut_off_is_refused(flask_app: Flask, came: BytesIO) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(flask_app, came, CONTENT_LENGTH="16")

    assert refused.value.details == {"body": ["Shorter than its Content-Length, or cut off."]}


def test_chunks_that_are_cut_off_are_refused(flask_app: Flask) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(flask_app, Broken())

    assert refused.value.details == {"body": ["Shorter than its Content-Length, or cut off."]}


def test_large_body_is_refused_unread(flask_app: Flask) -> None:
    with pytest.raises(PayloadTooLarge):
        read(flask_app, Broken(), CONTENT_LENGTH=str(MOST_BYTES + 1))


def test_large_body_in_chunks_is_refused_and_not_cut(flask_app: Flask) -> None:
    came = BytesIO(b"x" * 10 * MOST_BYTES)

    with pytest.raises(PayloadTooLarge):
        read(flask_app, came)

    assert came.tell() < 2 * MOST_BYTES


@pytest.mark.slow
@pytest.mark.parametrize("framing", [{"CONTENT_LENGTH": "9"}, {}], ids=["length", "chunks"])
def test_body_that_never_comes_is_a_timeout(framing: dict[str, str]) -> None:
    with pytest.raises(RequestTimeout):
        read(an_app(REQUEST_TIMEOUT_S="0.05"), Silence(), **framing)


def test_form_is_parsed_when_all_of_it_has_come(flask_app: Flask) -> None:
    form = {"method": "POST", "data": {"password": "right"}}
    with flask_app.test_request_context("/", **form):  # type: ignore[arg-type]
        receive_form(current_request())

        assert current_request().form.to_dict() == {"password": "right"}


def test_long_form_is_refused(flask_app: Flask) -> None:
    form = {"method": "POST", "data": b"a=&" * (MAX_FORM_BYTES // 3 + 1)}
    with (
        flask_app.test_request_context("/", **form),  # type: ignore[arg-type]
        pytest.raises(PayloadTooLarge),
    ):
        receive_form(current_request())


def test_one_client_lets_so_many_bodies_wait_and_no_more() -> None:
    bodies = WaitingBodies()
    waiting = [bodies.wait("a") for _ in range(MAX_WAITING_BODIES)]
    for each in waiting:
        each.__enter__()

    with pytest.raises(TooManyRequests) as refused, bodies.wait("a"):
        pass
    with bodies.wait("b"):
        pass
    waiting.pop().__exit__(None, None, None)
    with bodies.wait("a"):
        pass

    assert refused.value.retry_after_s == 1
