"""Fixtures of every test, and rules for every run: nothing is skipped in silence."""

import gc
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

# The fixtures import what they need: the live tests never load the application.
if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient
    from playwright.sync_api import Browser, Playwright
    from werkzeug.test import TestResponse

    from app.storage.protocol import ConversationStore
    from tests.clock import Clock
    from tests.fakes import ScriptedModel
    from tests.servers.redis import RedisServer

    MakeApp = Callable[..., Flask]
    Ask = Callable[..., TestResponse]

Pair = tuple[Any, Any]

# Their tests write files, or are of a whole application.
SLOW_FOLDERS = [Path(__file__).with_name(name) for name in ("cli", "corpus", "routes", "storage")]

# What an example takes by the clock tells how busy the machine is.
settings.register_profile(
    "busy", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("busy")


@pytest.fixture
def store(tmp_path: Path, pytestconfig: pytest.Config) -> "Iterator[ConversationStore]":
    """An empty store, of the kind that ``--store`` names."""
    if pytestconfig.option.store == "convex":
        from app.storage.convex import ConvexStore
        from tests.convex_server import convex_server

        server = convex_server()
        server.reset()
        store: ConversationStore = ConvexStore(server.url, server.deploy_key)
    else:
        from app.storage.sqlite import SqliteStore

        store = SqliteStore(tmp_path / "chat.db")
    yield store
    store.close()


@pytest.fixture
def model() -> "ScriptedModel":
    """A model that says hello until it is told otherwise."""
    from tests.fakes import ScriptedModel

    return ScriptedModel()


@pytest.fixture
def make_app(store: "ConversationStore", model: "ScriptedModel", tmp_path: Path) -> "MakeApp":
    """Builds applications over ``store`` and ``model``, from variables."""
    from app.factory import Parts, create_app
    from tests.compiled_rules import keep_compiled_rules
    from tests.data import ADMIN_KEY, WIDGET_KEY, some_settings

    keep_compiled_rules()

    def make(**variables: str) -> "Flask":
        defaults = {
            "SQLITE_PATH": str(tmp_path / "chat.db"),
            "KNOWLEDGE_PATH": str(tmp_path / "knowledge"),
            "WIDGET_API_KEY": WIDGET_KEY,
            "ADMIN_API_KEY": ADMIN_KEY,
        }
        settings = some_settings(**{**defaults, **variables})
        return create_app(settings, Parts(store=store, model=model))

    return make


@pytest.fixture
def client(make_app: "MakeApp") -> "FlaskClient":
    """A client of an application with the defaults of a test."""
    return make_app().test_client()


@pytest.fixture
def ask(client: "FlaskClient") -> "Ask":
    """Asks over ``/v1/chat``, or another path, with the widget key."""
    from tests.data import SESSION, WIDGET_KEY

    def ask(message: str = "Hello", path: str = "/v1/chat", **fields: Any) -> "TestResponse":
        body = {"sessionId": SESSION, "message": message, **fields}
        return client.post(path, json=body, headers={"x-api-key": WIDGET_KEY}, buffered=True)

    return ask


@pytest.fixture
def short_path() -> Iterator[Path]:
    """An empty folder for sockets, whose whole path may have 107 bytes."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.fixture
def clock() -> "Clock":
    """A clock that stands still until a test moves it."""
    from tests.clock import Clock

    return Clock()


@pytest.fixture(scope="session")
def shared_redis() -> "Iterator[RedisServer]":
    """A Redis for all tests of a process."""
    from tests.servers.redis import RedisServer

    with RedisServer() as server:
        yield server.start()


@pytest.fixture
def redis(shared_redis: "RedisServer") -> "RedisServer":
    """A Redis that runs and is empty; tests that stop it start their own."""
    with shared_redis.client() as client:
        client.flushall()
    return shared_redis


@pytest.fixture
def own_redis() -> "Iterator[RedisServer]":
    """A Redis of the test's own, not started."""
    from tests.servers.redis import RedisServer

    with RedisServer() as server:
        yield server


@pytest.fixture(scope="session")
def playwright() -> "Iterator[Playwright]":
    """The one Playwright of a test process: a second one in its thread does not start."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(playwright: "Playwright") -> "Iterator[Browser]":
    """The system's Chromium without a window; a test opens contexts of its own."""
    from tests.widget.browser import FLAGS, headless_shell

    browser = playwright.chromium.launch(executable_path=headless_shell(), args=FLAGS)
    yield browser
    browser.close()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--no-skips", action="store_true", help="fail when any test is skipped (make test, CI)"
    )
    parser.addoption(
        "--store",
        choices=("sqlite", "convex"),
        default="sqlite",
        help="where the tests over HTTP keep conversations",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Say where tests write, and where the servers of tests over HTTP keep conversations."""
    if config.option.basetemp is None:
        # In memory if possible, for the store syncs all that it writes; apart from other runs,
        # which forget all but the latest three in the folder that pytest would share.
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        folder = tempfile.TemporaryDirectory(
            prefix="perch-tests-", dir=memory, ignore_cleanup_errors=True
        )
        config.add_cleanup(folder.cleanup)
        config.option.basetemp = f"{folder.name}/tests"
    if config.option.store == "convex":
        from tests.convex_server import convex_server
        from tests.servers.perch import Server

        convex = convex_server()
        Server.store = {
            "CONVEX_URL": convex.url,
            "CONVEX_DEPLOY_KEY": convex.deploy_key,
            # What one test has learnt would be known to the servers of all.
            "GROUNDING": "off",
        }


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what is slow, and leave out the tests of another store.

    Those of a real model are left out unless ``-m`` names them.
    """
    for item in items:
        if "make_app" in getattr(item, "fixturenames", ()) or any(
            item.path.is_relative_to(folder) for folder in SLOW_FOLDERS
        ):
            item.add_marker(pytest.mark.slow)
    other_store = "sqlite" if config.option.store == "convex" else "convex"
    left_out = [other_store] if "model" in config.option.markexpr else [other_store, "model"]
    opted_out = [item for item in items if any(map(item.get_closest_marker, left_out))]
    config.hook.pytest_deselected(items=opted_out)
    items[:] = [item for item in items if item not in opted_out]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Turn a green run with skipped tests red."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not session.config.option.no_skips:
        return
    skipped = reporter.stats.get("skipped", [])
    if skipped and session.exitstatus == pytest.ExitCode.OK:
        reporter.write_line(f"\n--no-skips: {len(skipped)} skipped", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture
def pair() -> Iterator[Pair]:
    """The server's end and the visitor's end of a TCP connection with small buffers."""
    from gevent import socket

    listener, visitor = socket.socket(), socket.socket()
    with listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        visitor.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        visitor.connect(listener.getsockname())
        server, _ = listener.accept()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    visitor.settimeout(20)
    yield server, visitor
    server.close()
    visitor.close()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Spare the garbage collector what is imported and collected: all of it stays."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()
