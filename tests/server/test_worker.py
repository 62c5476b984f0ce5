"""What the worker makes of gunicorn's own classes, and what gunicorn is told to believe."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http.parser import RequestParser

from app.server import worker
from app.server.worker import HeadWithBody
from app.server.writer import WRITER
from tests.conftest import Pair

CONFIGURATION = Path(__file__).parents[2] / "gunicorn.conf.py"
AT = 784_111_777.0
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"


def a_request(**fields: Any) -> Any:
    request = {
        "method": "GET",
        "version": (1, 1),
        "headers": [],
        "query": "",
        "uri": "/",
        "path": "/",
        "scheme": "http",
        "body": None,
        "proxy_protocol_info": {},
        "_expected_100_continue": False,
        "should_close": lambda: False,
    }
    return SimpleNamespace(**{**request, **fields})


def created(pair: Pair, *, request: Any = None, **options: Any) -> tuple[Any, dict[str, Any]]:
    """A response and its environ, as gunicorn has them made."""
    pair[0].settimeout(5)
    peer, server = ("203.0.113.7", 1), ("perch.test", 80)
    return worker._create(
        request or a_request(), pair[0], peer, server, Config(),
        **{"response_class": HeadWithBody, **options},
    )  # fmt: skip


def test_application_is_given_the_writer_of_its_answer(pair: Pair) -> None:
    response, environ = created(pair)

    assert environ[WRITER] is response.writer


def test_answer_of_another_protocol_has_no_writer_of_ours(pair: Pair) -> None:
    _, environ = created(pair, response_class=lambda *_: SimpleNamespace())

    assert WRITER not in environ


def test_stream_leaves_in_chunks_its_last_piece_with_the_end(pair: Pair) -> None:
    response, environ = created(pair)
    response.start_response("200 OK", [("Content-Type", "text/plain")])

    response.write(b"first")
    environ[WRITER].finish(b"last")
    response.close()

    pair[0].close()
    sent = b"".join(iter(lambda: pair[1].recv(4096), b""))
    head, _, body = sent.partition(b"\r\n\r\n")
    assert b"\r\nTransfer-Encoding: chunked" in head
    assert body == b"5\r\nfirst\r\n4\r\nlast\r\n0\r\n\r\n"


def test_answer_of_a_known_length_is_no_chunks(pair: Pair) -> None:
    response, _ = created(pair)
    response.start_response("200 OK", [("Content-Length", "5")])

    response.write(b"whole")
    response.close()

    pair[0].close()
    sent = b"".join(iter(lambda: pair[1].recv(4096), b""))
    assert sent.endswith(b"\r\nContent-Length: 5\r\n\r\nwhole")
    assert b"chunked" not in sent


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """The time, in seconds since the epoch."""
    now = [AT]
    monkeypatch.setattr("time.time", lambda: now[0])
    worker._date_of.cache_clear()
    yield now
    worker._date_of.cache_clear()


def test_date_is_as_http_has_it(clock: list[float]) -> None:
    assert worker._http_date() == DATE


def test_date_is_made_once_a_second(clock: list[float]) -> None:
    dates = []
    for clock[0] in (AT, AT + 0.9, AT + 1, AT + 2.5, AT + 2.6):
        dates.append(worker._http_date())

    assert dates == [formatdate(AT + late, usegmt=True) for late in (0, 0, 1, 2, 2)]
    assert worker._date_of.cache_info().misses == 3


def test_date_of_a_given_time_is_that_one(clock: list[float]) -> None:
    assert worker._http_date(0) == "Thu, 01 Jan 1970 00:00:00 GMT"
    assert worker._http_date() == DATE


def configured(*names: str) -> Config:
    """Gunicorn's settings, with these as ``gunicorn.conf.py`` has them."""
    config = Config()
    for node in ast.parse(CONFIGURATION.read_text()).body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(target, ast.Name) and target.id in names:
            config.set(target.id, ast.literal_eval(node.value))  # type: ignore[attr-defined]
    return config


@pytest.mark.parametrize("peer", [("127.0.0.1", 1), ("::1", 1), ("203.0.113.7", 1), ""], ids=str)
def test_nobody_is_believed_whatever_the_address(peer: Any) -> None:
    config = configured("forwarded_allow_ips", "forwarder_headers", "secure_scheme_headers")
    data = (
        b"GET /path HTTP/1.1\r\nHost: a.test\r\nSCRIPT_NAME: /path\r\nPATH_INFO: /x\r\n"
        b"X-Forwarded-Proto: https\r\nX-Forwarded-Ssl: on\r\nX-Forwarded-Protocol: ssl\r\n\r\n"
    )

    request = next(RequestParser(config, iter([data]), peer))

    assert config.forwarded_allow_ips == ["*"]  # no address is compared, for each request
    assert request.scheme == "http"
    assert not {"SCRIPT_NAME", "PATH_INFO"} & {name for name, _ in request.headers}


@pytest.mark.slow
def test_only_workers_look_for_garbage_and_not_in_what_was_there_before(tmp_path: Path) -> None:
    script = f"""import gc, runpy
hooks = runpy.run_path({str(CONFIGURATION)!r})
print(gc.isenabled())
hooks["post_fork"](None, None)
print(gc.isenabled(), gc.get_freeze_count() > 10_000)"""
    ran = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={"PYTHONPATH": str(CONFIGURATION.parent)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert ran.stdout.split() == ["False", "True", "True"]
