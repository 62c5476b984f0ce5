"""Connections and questions of the sidecar, over pairs of sockets."""

import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from app.knowledge.vectors.configuration import SidecarConfiguration
from app.knowledge.vectors.service import Service
from app.knowledge.vectors.wire import from_line, to_line
from tests.knowledge.vectors.parts import WordEmbedder, write_index

TEXTS = ["You may return it.", "We open at nine."]
Connect = Callable[..., "Peer"]


class Peer:
    """Whoever asks: sends and reads lines."""

    def __init__(self, service: Service, hello: str) -> None:
        self.socket, theirs = socket.socketpair()
        self.socket.settimeout(10)
        self._lines = self.socket.makefile("rb")
        service.serve(theirs)
        self.send(hello=hello)

    def send(self, **fields: Any) -> None:
        self.socket.sendall(to_line(fields))

    def ask(self, question: str, number: int = 1, within_ms: int = 5000, **more: Any) -> None:
        fields = {"index": "default-1.db", "question": question, "k": 2, **more}
        self.send(do="nearest", id=number, withinMs=within_ms, **fields)

    def read(self) -> Mapping[str, Any]:
        return from_line(self._lines.readline())

    def is_over(self) -> bool:
        try:
            return self._lines.readline() == b""
        except ConnectionResetError:  # not all that was sent had been read
            return True

    def close(self) -> None:
        self._lines.close()
        self.socket.close()


@pytest.fixture
def embedder() -> WordEmbedder:
    return WordEmbedder()


@pytest.fixture
def service(tmp_path: Path, embedder: WordEmbedder) -> Service:
    write_index(tmp_path, TEXTS)
    service = Service(embedder, SidecarConfiguration(tmp_path))
    service.start()
    return service


@pytest.fixture
def connect(service: Service, tmp_path: Path) -> Iterator[Connect]:
    peers = []

    def connect(hello: str = SidecarConfiguration(tmp_path).fingerprint) -> Peer:
        peers.append(Peer(service, hello))
        return peers[-1]

    yield connect
    for peer in peers:
        peer.close()


@pytest.fixture
def peer(connect: Connect) -> Peer:
    """One whose index is embedded already."""
    peer = connect()
    peer.ask("open", 0)
    while peer.read().get("refused") == "unready":
        peer.ask("open", 0)
    return peer


def test_question_is_answered_by_the_nearest(peer: Peer) -> None:
    peer.ask("how to return", 5)

    answer = peer.read()
    assert answer["id"] == 5
    assert [each for each, _ in answer["nearest"]] == [1, 2]
    assert answer["greatest"] == answer["nearest"][0][1] > 0.99
    assert answer["least"] == answer["nearest"][1][1] < 0.1
    assert answer["share"] == 1.0


def test_index_that_is_not_there_is_unknown(peer: Peer) -> None:
    peer.ask("open", 6, index="default-9.db")

    assert peer.read() == {"id": 6, "refused": "unknown"}


def test_too_many_questions_are_refused_at_once(peer: Peer, embedder: WordEmbedder) -> None:
    embedder.go_on.clear()
    for number in range(1, 20):
        peer.ask("open", number)

    refused = [peer.read() for _ in range(2)]
    embedder.go_on.set()
    rest = [peer.read() for _ in range(17)]

    # One is worked at, sixteen wait; the first may have been taken after others came.
    assert all(each["refused"] == "busy" for each in refused)
    assert sum("nearest" in each for each in rest) >= 16


def test_question_whose_asker_has_given_up_is_not_worked_at(
    peer: Peer, embedder: WordEmbedder
) -> None:
    embedder.go_on.clear()
    peer.ask("open", 1)
    peer.ask("open", 2, within_ms=0)
    peer.ask("open", 3)
    embedder.go_on.set()

    answered = [peer.read()["id"], peer.read()["id"]]
    peer.send(do="status", id=4)

    assert answered == [1, 3]
    assert peer.read()["status"]["late"] >= 1


def test_model_that_fails_is_a_refusal_and_logs_no_word(
    peer: Peer, embedder: WordEmbedder, caplog: pytest.LogCaptureFixture
) -> None:
    embedder.failure = "status 429"

    for number in (7, 8):
        peer.ask("my secret question", number)

    assert [peer.read() for _ in range(2)] == [
        {"id": 7, "refused": "failed"},
        {"id": 8, "refused": "failed"},
    ]
    assert caplog.messages == ["A question was not embedded: status 429"]


def test_status_counts_passages_and_questions(peer: Peer) -> None:
    peer.ask("return", 1)
    peer.read()
    peer.send(do="status", id=8)

    answer = peer.read()
    status = dict(answer["status"])
    assert answer["id"] == 8
    assert status.pop("rss_bytes") > 1_000_000
    assert status.pop("uptime_s") >= 0
    assert status.pop("refused") >= 0
    assert status == {
        "model": "words",
        "answered": 2,
        "late": 0,
        "indexes": [{"name": "default-1.db", "passages": 2, "embedded": 2, "problem": None}],
    }


@pytest.mark.parametrize(
    "line",
    [b"nonsense\n", b"[]\n", b"{}\n", b'{"do":"other"}\n', b'{"do":"nearest","id":1}\n',
     b'{"do":"nearest","id":"x","index":"a-1.db","question":"q","k":1,"withinMs":1}\n',
     b"x" * 70_000 + b"\n"],
)  # fmt: skip
def test_nonsense_ends_its_connection_and_no_other(
    peer: Peer, connect: Connect, line: bytes
) -> None:
    other = connect()

    other.socket.sendall(line)

    assert other.is_over()
    peer.ask("open", 1)
    assert "nearest" in peer.read()


def test_worker_with_other_settings_ends_the_sidecar(service: Service, connect: Connect) -> None:
    peer = connect("other")

    assert peer.is_over()
    assert service.is_outdated


def test_asker_that_leaves_before_its_answer_harms_nobody(
    peer: Peer, connect: Connect, embedder: WordEmbedder
) -> None:
    embedder.go_on.clear()
    leaver = connect()
    leaver.ask("open", 1)
    leaver.close()
    embedder.go_on.set()

    peer.ask("open", 2)

    assert peer.read()["id"] == 2
