"""Peers with and without TLS, and clients that trust them."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from app.http_client import HttpClient, make_tls_context
from tests.data import a_tls_certificate
from tests.servers.peer import Handler, Peer

MakePeer = Callable[..., Peer]
MakeClient = Callable[..., HttpClient]


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_tls_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(params=["http", "https"])
def scheme(request: pytest.FixtureRequest) -> str:
    """What follows holds with and without TLS."""
    scheme: str = request.param
    return scheme


@pytest.fixture
def peer(scheme: str, certificate: Path) -> Iterator[MakePeer]:
    """Starts servers: ``peer(handler, …)``."""
    with ExitStack() as stack:

        def start(*handlers: Handler) -> Peer:
            tls = certificate if scheme == "https" else None
            return stack.enter_context(Peer(*handlers, certificate=tls))

        yield start


@pytest.fixture(scope="session")
def tls_context(certificate: Path) -> ssl.SSLContext:
    context = make_tls_context()
    context.load_verify_locations(certificate)
    return context


@pytest.fixture
def client(tls_context: ssl.SSLContext) -> Iterator[MakeClient]:
    """Makes clients of a peer: ``client(peer, read_timeout_s=…)``."""
    made: list[HttpClient] = []

    def make(peer: Peer, **options: float) -> HttpClient:
        made.append(HttpClient(peer.url, ssl_context=tls_context, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for each in made:
        each.close()
