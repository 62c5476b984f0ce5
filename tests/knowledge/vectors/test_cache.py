"""The file in which vectors are kept."""

import logging
from pathlib import Path

import pytest

from app.knowledge.vectors.cache import VectorCache, key_of


def test_what_was_put_is_there_for_the_next_process(tmp_path: Path) -> None:
    first = VectorCache(tmp_path / "default.vectors")
    first.put({b"a": b"1", b"b": b"2"})
    first.remove([b"a"])
    first.close()

    assert dict(VectorCache(tmp_path / "default.vectors")) == {b"b": b"2"}


def test_key_is_of_the_text_and_of_the_model() -> None:
    keys = {key_of("m", "text"), key_of("m", "text."), key_of("n", "text")}

    assert len(keys) == 3
    assert key_of("m", "\ud800") != key_of("m", "")


def test_damaged_file_is_begun_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "default.vectors"
    path.write_bytes(b"no database at all " * 500)

    cache = VectorCache(path)
    cache.put({b"a": b"1"})

    assert dict(cache) == {b"a": b"1"}
    assert "begun anew: default.vectors" in caplog.text


def test_folder_that_is_not_there_keeps_nothing_and_breaks_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache = VectorCache(tmp_path / "none" / "default.vectors")

    cache.put({b"a": b"1"})

    assert dict(cache) == {b"a": b"1"}
    assert "Vectors are not kept" in caplog.text


def test_what_cannot_be_written_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache = VectorCache(tmp_path / "default.vectors")
    cache.close()
    caplog.set_level(logging.WARNING)

    cache.put({b"a": b"1"})
    cache.put({b"b": b"1"})

    assert caplog.messages == ["Vectors were not kept: default.vectors (ProgrammingError)"]
