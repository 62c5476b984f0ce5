"""Vectors in 8 bits."""

import numpy as np
import pytest

from app.knowledge.vectors.matrix import Matrix, dimensions_of, pack

RANDOM = np.random.default_rng(7)


def unit(rows: int, dimensions: int = 384) -> np.ndarray:
    found = RANDOM.normal(size=(rows, dimensions)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def matrix_of(rows: np.ndarray, first_id: int = 100) -> Matrix:
    matrix = Matrix(len(rows), rows.shape[1])
    for number, row in enumerate(rows):
        matrix.add(first_id + number, pack(row))
    return matrix


def test_nearest_are_those_of_the_exact_vectors_in_their_order() -> None:
    rows, question = unit(3000), unit(1)[0]

    found = matrix_of(rows).nearest(question, 10)

    exact = rows @ question
    assert found is not None
    assert {each for each, _ in found.nearest} >= {100 + int(i) for i in np.argsort(-exact)[:8]}
    assert [s for _, s in found.nearest] == sorted((s for _, s in found.nearest), reverse=True)
    assert found.greatest == found.nearest[0][1]
    assert found.least == pytest.approx(exact.min(), abs=0.003)
    assert [s for i, s in found.nearest] == pytest.approx(
        [exact[i - 100] for i, _ in found.nearest], abs=0.003
    )


def test_fewer_than_asked_for_are_all_there_are() -> None:
    found = matrix_of(unit(3)).nearest(unit(1)[0], 50)

    assert found is not None
    assert {each for each, _ in found.nearest} == {100, 101, 102}


def test_empty_matrix_finds_nothing() -> None:
    assert Matrix(5, 384).nearest(unit(1)[0], 3) is None


def test_share_is_of_the_passages_that_there_will_be() -> None:
    matrix = Matrix(4, 384)
    matrix.add(1, pack(unit(1)[0]))

    found = matrix.nearest(unit(1)[0], 3)

    assert found is not None
    assert found.share == 0.25


def test_a_vector_of_another_size_is_refused() -> None:
    matrix = matrix_of(unit(2))

    with pytest.raises(ValueError, match="another size"):
        matrix.add(9, pack(unit(1, 8)[0]))
    with pytest.raises(ValueError, match="size"):
        matrix.nearest(unit(1, 8)[0], 1)


def test_a_packed_vector_takes_a_byte_for_each_dimension() -> None:
    packed = pack(unit(1)[0])

    assert (len(packed), dimensions_of(packed)) == (388, 384)


def test_a_vector_of_zeros_is_like_nothing() -> None:
    matrix = matrix_of(np.zeros((1, 384), dtype=np.float32))

    found = matrix.nearest(unit(1)[0], 1)

    assert found is not None
    assert found.nearest == ((100, 0.0),)
