"""Index files that are embedded in the background."""

import os
from pathlib import Path

import pytest

from app.knowledge.vectors.indexes import Index, Indexes, UnknownIndex
from app.knowledge.vectors.wire import IndexStatus
from tests.knowledge.vectors.parts import WordEmbedder, write_index

TEXTS = ["You may return it.", "We open at nine.", "We ship to Japan.", "The password is reset."]


def finish(indexes: Indexes, index: Index) -> Index:
    """Do what the background thread would."""
    indexes.work_at(index)
    while index.todo and not index.problem:
        indexes.work_at(index)
    return index


def test_passages_are_embedded_below_their_title_and_heading(tmp_path: Path) -> None:
    embedder = WordEmbedder()
    write_index(tmp_path, TEXTS[:2])
    indexes = Indexes(tmp_path, embedder)

    index = finish(indexes, indexes.find("default-1.db"))

    assert embedder.embedded == [f"Shop › Help\n{text}" for text in TEXTS[:2]]
    assert index.is_ready
    assert indexes.statuses() == [IndexStatus("default-1.db", 2, 2)]


def test_only_changed_passages_are_embedded_anew(tmp_path: Path) -> None:
    write_index(tmp_path, TEXTS)
    first = Indexes(tmp_path, WordEmbedder())
    finish(first, first.find("default-1.db"))
    write_index(tmp_path, [*TEXTS[1:], "We return calls."], "default-2.db")
    embedder = WordEmbedder()
    second = Indexes(tmp_path, embedder)

    index = finish(second, second.find("default-2.db"))

    assert embedder.embedded == ["Shop › Help\nWe return calls."]
    assert index.matrix is not None
    found = index.matrix.nearest(embedder.embed_question("return"), 1)
    assert found is not None
    assert found.nearest[0][0] == 4


def test_equal_passages_are_embedded_once_and_found_each(tmp_path: Path) -> None:
    embedder = WordEmbedder()
    write_index(tmp_path, ["We open.", "We open.", "We ship."])
    indexes = Indexes(tmp_path, embedder)

    index = finish(indexes, indexes.find("default-1.db"))

    assert len(embedder.embedded) == 2
    assert index.matrix is not None
    found = index.matrix.nearest(embedder.embed_question("open"), 2)
    assert found is not None
    assert {each for each, _ in found.nearest} == {1, 2}


def test_index_is_not_ready_before_nine_of_ten_passages_have_vectors(tmp_path: Path) -> None:
    write_index(tmp_path, [f"{number} ship" for number in range(20)])
    indexes = Indexes(tmp_path, WordEmbedder())
    index = indexes.find("default-1.db")
    indexes.work_at(index)

    ready = []
    for _ in range(20):
        indexes.work_at(index)
        ready.append(index.is_ready)

    assert ready == [False] * 17 + [True] * 3


@pytest.mark.parametrize(
    "name", ["other-1.db", "../default-1.db", "default.db", "default-1.db\n", "", "default--1"]
)
def test_other_names_are_no_index(tmp_path: Path, name: str) -> None:
    write_index(tmp_path, TEXTS)

    with pytest.raises(UnknownIndex):
        Indexes(tmp_path, WordEmbedder()).find(name)


def test_file_that_was_replaced_is_loaded_again(tmp_path: Path) -> None:
    path = write_index(tmp_path, TEXTS)
    indexes = Indexes(tmp_path, WordEmbedder())
    first = finish(indexes, indexes.find(path.name))
    write_index(tmp_path, ["We open."], "new")
    os.replace(tmp_path / "new", path)  # noqa: PTH105

    second = finish(indexes, indexes.find(path.name))

    assert first is not second
    assert indexes.statuses() == [IndexStatus("default-1.db", 1, 1)]


def test_new_version_keeps_the_one_before_and_drops_older_ones(tmp_path: Path) -> None:
    indexes = Indexes(tmp_path, WordEmbedder())
    for version in (1, 2, 3):
        path = write_index(tmp_path, TEXTS, f"default-{version}.db")
        finish(indexes, indexes.find(path.name))

    assert {each.name for each in indexes.statuses()} == {"default-2.db", "default-3.db"}


def test_file_that_is_removed_while_it_is_embedded_is_let_go(tmp_path: Path) -> None:
    path = write_index(tmp_path, TEXTS)
    indexes = Indexes(tmp_path, WordEmbedder())
    index = indexes.find(path.name)
    indexes.work_at(index)
    path.unlink()

    indexes.work_at(index)

    assert indexes.statuses() == []


def test_vectors_that_no_passage_needs_are_removed(tmp_path: Path) -> None:
    indexes = Indexes(tmp_path, WordEmbedder())
    finish(indexes, indexes.find(write_index(tmp_path, TEXTS).name))
    finish(indexes, indexes.find(write_index(tmp_path, TEXTS[:1], "default-2.db").name))
    embedder = WordEmbedder()

    again = Indexes(tmp_path, embedder)
    finish(again, again.find(write_index(tmp_path, TEXTS, "default-3.db").name))

    assert len(embedder.embedded) == len(TEXTS) - 1


def test_more_passages_than_memory_allows_are_a_problem_and_no_crash(tmp_path: Path) -> None:
    write_index(tmp_path, TEXTS)
    indexes = Indexes(tmp_path, WordEmbedder(), max_passages=3)

    indexes.work_at(indexes.find("default-1.db"))

    assert indexes.statuses() == [IndexStatus("default-1.db", 4, 0, "TooManyPassages")]


def test_index_asked_about_longest_ago_makes_room(tmp_path: Path) -> None:
    indexes = Indexes(tmp_path, WordEmbedder(), max_passages=6)
    for name in ("a-1.db", "b-1.db"):
        finish(indexes, indexes.find(write_index(tmp_path, TEXTS, name).name))

    assert [each.name for each in indexes.statuses()] == ["b-1.db"]


def test_failed_model_is_asked_again_later_and_told_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    embedder = WordEmbedder()
    embedder.failure = "status 500"
    write_index(tmp_path, TEXTS)
    indexes = Indexes(tmp_path, embedder)

    index = finish(indexes, indexes.find("default-1.db"))

    assert indexes.statuses() == [IndexStatus("default-1.db", 4, 0, "status 500")]
    assert caplog.messages == ["Passages of default-1.db are not embedded: status 500"]
    embedder.failure = None
    indexes.work_at(index)
    assert finish(indexes, index).is_ready


def test_one_text_that_a_server_refuses_stops_no_other(tmp_path: Path) -> None:
    embedder = WordEmbedder(batch=64)
    embedder.refused_word = "Japan"
    write_index(tmp_path, TEXTS)
    indexes = Indexes(tmp_path, embedder)

    index = finish(indexes, indexes.find("default-1.db"))

    assert index.status() == IndexStatus("default-1.db", 3, 3)


def test_file_that_is_no_index_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "default-1.db").write_bytes(b"nothing")
    indexes = Indexes(tmp_path, WordEmbedder())

    indexes.work_at(indexes.find("default-1.db"))

    assert indexes.statuses() == [IndexStatus("default-1.db", 0, 0, "DatabaseError")]
