import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from app.knowledge.building import IndexNotBuilt, build, index_files
from app.knowledge.open_index import open_index
from tests.knowledge.library_parts import SHOP, ListedDocuments, count_tokens


def build_from(documents: ListedDocuments, folder: Path) -> Path:
    return build(documents, "default", folder, count_tokens)  # type: ignore[arg-type]


def test_index_is_built_of_all_pages_of_the_store(tmp_path: Path) -> None:
    path = build_from(ListedDocuments(version=4), tmp_path / "made")

    index = open_index(path)
    assert (path.name, index.version, index.passages) == ("default-4.db", 4, 6)


def test_last_word_on_a_key_counts(tmp_path: Path) -> None:
    documents = ListedDocuments([*SHOP, replace(SHOP[0], is_forgotten=True)])

    index = open_index(build_from(documents, tmp_path))

    assert "Opening hours" not in {row.title for row in index.all_rows()}


def test_index_that_is_there_stays(tmp_path: Path) -> None:
    first = build_from(ListedDocuments(), tmp_path).stat()

    assert build_from(ListedDocuments(), tmp_path).stat() == first


@pytest.mark.parametrize("damage", [b"", b"garbage" * 1000])
def test_damaged_index_is_built_anew(tmp_path: Path, damage: bytes) -> None:
    build_from(ListedDocuments(), tmp_path).write_bytes(damage)

    assert open_index(build_from(ListedDocuments(), tmp_path)).passages == 6


def test_index_of_another_format_is_built_anew(tmp_path: Path) -> None:
    path = build_from(ListedDocuments(), tmp_path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE about SET value = value - 1 WHERE name = 'format'")

    assert open_index(build_from(ListedDocuments(), tmp_path)).passages == 6


def test_last_two_versions_stay_and_other_assistants_keep_theirs(tmp_path: Path) -> None:
    other = build(ListedDocuments(), "other", tmp_path, count_tokens)  # type: ignore[arg-type]
    for version in (8, 9, 10):
        build_from(ListedDocuments(version=version), tmp_path)

    assert [version for version, _ in index_files(tmp_path, "default")] == [10, 9]
    assert other.exists()


def test_index_is_its_owners_to_read_alone(tmp_path: Path) -> None:
    path = build_from(ListedDocuments(), tmp_path / "knowledge")

    assert [oct(each.stat().st_mode & 0o777) for each in (path, path.parent)] == ["0o600", "0o700"]


def test_store_that_was_restored_has_its_own_index(tmp_path: Path) -> None:
    for version in (6, 7):
        build_from(ListedDocuments(version=version), tmp_path)

    path = build_from(ListedDocuments(version=3), tmp_path)

    assert [each for _, each in index_files(tmp_path, "default")] == [path]


def test_same_version_of_other_documents_is_built_anew(tmp_path: Path) -> None:
    build_from(ListedDocuments(version=7), tmp_path)

    other = [replace(SHOP[0], title="Other hours", hash="h"), *SHOP[1:]]
    index = open_index(build_from(ListedDocuments(other, version=7), tmp_path))

    assert "Other hours" in {row.title for row in index.all_rows()}


def test_build_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    build_from(ListedDocuments(version=1), tmp_path)

    def fail(text: str) -> int:
        raise OSError("no space left")

    with pytest.raises(IndexNotBuilt, match=f"the index in {tmp_path} .*: no space left"):
        build(ListedDocuments(version=2), "default", tmp_path, fail)  # type: ignore[arg-type]

    assert [version for version, _ in index_files(tmp_path, "default")] == [1]
    assert {each.name for each in tmp_path.iterdir()} == {".default.lock", "default-1.db"}


def test_half_an_index_that_a_kill_left_is_taken_away_with_the_next(tmp_path: Path) -> None:
    others = tmp_path / ".default-two-4.db.new"
    for path in (tmp_path / ".default-4.db.new", tmp_path / ".default-4.db.new-journal", others):
        path.touch()

    path = build_from(ListedDocuments(version=5), tmp_path)

    assert {*tmp_path.iterdir()} == {path, others, tmp_path / ".default.lock"}


def test_folder_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(IndexNotBuilt, match="Not a directory"):
        build_from(ListedDocuments(), tmp_path / "file" / "knowledge")


def test_folder_that_is_not_there_holds_no_index(tmp_path: Path) -> None:
    assert index_files(tmp_path / "nowhere", "default") == []


def test_folder_that_is_none_holds_no_index(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert index_files(tmp_path / "file" / "knowledge", "default") == []
