"""Vectors in 8 bits, and which of them are nearest to a question's."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from app.domain.knowledge import Similarities
from app.knowledge.vectors.embedding import Vectors

# Rows that are multiplied at once: in 32 bits they are 1.5 MB, and stay within a cache.
_BLOCK = 1024
_SCALE_BYTES = 4


def pack(vector: Vectors) -> bytes:
    """Write a vector as its scale (float32, little-endian), and a byte for each dimension."""
    scale = max(float(np.abs(vector).max()) / 127, 1e-12)
    return np.array(scale, "<f4").tobytes() + np.round(vector / scale).astype(np.int8).tobytes()


def dimensions_of(packed: bytes) -> int:
    """Return how many dimensions a packed vector has."""
    return len(packed) - _SCALE_BYTES


class Matrix:
    """Packed vectors of passages, each under the passage's id.

    One thread may add while others look.
    """

    def __init__(self, capacity: int, dimensions: int) -> None:
        self.dimensions = dimensions
        self._rows = np.zeros((capacity, dimensions), dtype=np.int8)
        self._scales = np.zeros(capacity, dtype=np.float32)
        self._ids = np.zeros(capacity, dtype=np.int64)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def capacity(self) -> int:
        """How many there will be."""
        return len(self._ids)

    def add(self, passage: int, packed: bytes) -> None:
        """Add a passage's vector.

        Raises:
            ValueError: it is of another size.
        """
        if dimensions_of(packed) != self.dimensions:
            raise ValueError("a vector of another size")
        at = self._count
        self._scales[at] = np.frombuffer(packed, "<f4", 1)[0]
        self._rows[at] = np.frombuffer(packed, np.int8, offset=_SCALE_BYTES)
        self._ids[at] = passage
        self._count = at + 1  # last: from now on it is looked at

    def nearest(self, question: Vectors, k: int) -> Similarities | None:
        """Return the ``k`` passages nearest to a question; ``None`` while there are none.

        Raises:
            ValueError: the question's vector is of another size.
        """
        count = self._count
        if not count:
            return None
        similarities = self._similarities(question, count)
        k = min(k, count)
        first = np.argpartition(-similarities, k - 1)[:k]
        order = first[np.argsort(-similarities[first], kind="stable")]
        pairs: Sequence[tuple[int, float]] = tuple(
            (int(self._ids[each]), float(similarities[each])) for each in order
        )
        share = count / self.capacity
        return Similarities(pairs, float(similarities.min()), float(similarities.max()), share)

    def _similarities(self, question: Vectors, count: int) -> npt.NDArray[np.float32]:
        found = np.empty(count, dtype=np.float32)
        for start in range(0, count, _BLOCK):
            end = min(start + _BLOCK, count)
            found[start:end] = self._rows[start:end].astype(np.float32) @ question
        found *= self._scales[:count]
        return found
