import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.domain.knowledge import Found, Inquiry, Similarities
from app.knowledge.building import build
from app.knowledge.connections import LOOK_EVERY_S
from app.knowledge.finding import NEAREST
from app.knowledge.library import ASK_EVERY_S, Library
from tests.knowledge.library_parts import SHOP, ListedDocuments, count_tokens


class Machine:
    """A folder, a version that the store is said to have, and a library over both."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.version = 1
        self.builds = 0
        self.now = 1000.0
        self.near: list[tuple[int, float]] = []
        self.asked: list[tuple[Path, str, int]] = []
        self.library = Library(
            folder,
            "default",
            max_tokens=40,
            version=lambda: self.version,
            request_build=self._count,
            nearest=self._nearest,
            clock=lambda: self.now,
        )

    def build(self, version: int = 1, documents: tuple[object, ...] = SHOP) -> Path:
        store = ListedDocuments(documents, version)  # type: ignore[arg-type]
        return build(store, "default", self.folder, count_tokens)  # type: ignore[arg-type]

    def ask(self, question: str = "hazelnut") -> Found:
        return self.library.find(Inquiry(question))

    def _nearest(self, path: Path, question: str, most: int) -> Similarities | None:
        self.asked.append((path, question, most))
        return Similarities(self.near, 0.1, 0.9) if self.near else None

    def _count(self) -> None:
        self.builds += 1


def count_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path)
    yield made
    made.library.close()


def test_newest_index_answers(machine: Machine) -> None:
    machine.build()

    found = machine.ask()

    assert (found.is_ready, found.version, found.passages[0].title) == (True, 1, "Cakes")
    assert (machine.library.is_known(), machine.builds) == (True, 0)


def test_what_is_near_by_meaning_is_asked_of_the_file_at_hand_and_mixed_in(
    machine: Machine,
) -> None:
    path = machine.build()
    machine.ask()
    with closing(sqlite3.connect(path)) as db:
        [jobs] = db.execute(
            "SELECT p.id FROM passages p JOIN documents d ON d.id = p.document"
            " WHERE d.title = 'Jobs'"
        ).fetchone()
    machine.near = [(jobs, 0.9)]

    found = machine.ask("what may I eat")

    assert machine.asked == [(path, "what may I eat", NEAREST)]
    assert found.passages[0].title == "Jobs"


def test_assistant_without_documents_knows_nothing(machine: Machine) -> None:
    machine.version = 0

    assert not machine.library.is_known()
    assert machine.ask() == Found()
    assert machine.builds == 0


def test_machine_without_an_index_asks_for_one_now_and_then(machine: Machine) -> None:
    assert not machine.ask().is_ready
    assert not machine.ask().is_ready
    assert machine.builds == 1

    machine.now += ASK_EVERY_S
    machine.ask()
    assert machine.builds == 2


@pytest.mark.slow
def test_build_that_never_comes_is_asked_for_ever_more_seldom(machine: Machine) -> None:
    for _ in range(3600):
        machine.ask()
        machine.now += 1
    assert 6 <= machine.builds <= 15

    builds, machine.version = machine.builds, 2
    machine.ask()
    assert machine.builds == builds + 1


def test_waiting_for_a_newer_index_opens_no_more_files(machine: Machine) -> None:
    machine.build(1)
    machine.version = 2
    machine.ask()
    descriptors = count_descriptors()

    for each in range(20):
        machine.now += LOOK_EVERY_S
        assert machine.ask(f"hazelnut {each}").version == 1

    assert count_descriptors() <= descriptors + 1


def test_older_index_answers_until_the_newer_one_is_there(machine: Machine) -> None:
    machine.build(1)
    machine.version = 2
    assert (machine.ask().version, machine.builds) == (1, 1)

    machine.build(2, SHOP[:2])
    machine.now += LOOK_EVERY_S

    assert machine.ask().version == 2
    assert {each.title for each in machine.ask("refund").passages} == {"Returns", "Opening hours"}


def test_newer_index_answers_where_the_version_in_memory_is_old(machine: Machine) -> None:
    machine.build(1)
    machine.ask()
    machine.build(5).with_name("default-1.db").unlink()

    # Of several connections, one alone is open.
    with machine.library._connections.take(1).connection:  # type: ignore[union-attr]
        found = machine.ask("refund")

    assert (found.version, machine.builds) == (5, 1)


def test_index_of_another_life_of_the_store_is_forgotten_at_the_start(machine: Machine) -> None:
    machine.build(5)

    machine.library.forget_newer(1)

    assert not machine.ask().is_ready
    assert list(machine.folder.glob("*.db")) == []


def test_question_asked_again_is_not_looked_up_again(machine: Machine) -> None:
    machine.build()

    assert machine.ask() is machine.ask()


def test_damaged_index_gives_way_to_the_one_before(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    machine.build(1)
    machine.build(2).write_bytes(b"garbage" * 2000)
    machine.version = 2

    assert machine.ask().version == 1
    assert machine.builds == 1
    assert "default-2.db is of no use" in caplog.text

    machine.build(2)
    machine.now += LOOK_EVERY_S
    assert machine.ask().version == 2


def test_damage_within_the_file_is_not_raised(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    path = machine.build(1)
    content = bytearray(path.read_bytes())
    content[8192:] = b"\xff" * (len(content) - 8192)
    path.write_bytes(content)

    found = [machine.ask(), machine.ask("refund")]

    assert [each.is_ready for each in found] == [False, False]
    assert machine.builds == 1
    assert "hazelnut" not in caplog.text


def test_index_whose_texts_are_damaged_alone_is_built_anew(machine: Machine) -> None:
    path = machine.build(1)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE passages SET text = zeroblob(20)")

    assert not machine.ask().is_ready

    machine.build(1)
    machine.now += LOOK_EVERY_S
    assert machine.ask().passages[0].title == "Cakes"


def test_index_of_another_format_is_asked_for_anew(machine: Machine) -> None:
    path = machine.build(1)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE about SET value = value - 1 WHERE name = 'format'")

    assert (machine.ask().is_ready, machine.builds) == (False, 1)

    machine.build(1)
    machine.now += LOOK_EVERY_S
    assert machine.ask().passages[0].title == "Cakes"


def test_file_that_was_taken_away_or_replaced_is_no_failure(machine: Machine) -> None:
    machine.build(1)
    machine.version = 2
    path = machine.build(2)
    machine.ask()
    for damage in (None, b"of another format" * 500):
        path.unlink()
        if damage:
            path.write_bytes(damage)
        # Of several connections, one alone is open.
        machine.library._connections.close()
        machine.now += LOOK_EVERY_S

        assert machine.ask(f"hazelnut {damage!r}").version == 1

        machine.build(2)
        machine.now += LOOK_EVERY_S
        assert machine.ask().version == 2


def test_error_of_ours_leaves_the_index_in_use(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    machine.build()
    machine.ask()

    failed = machine.library.find(Inquiry(None))  # type: ignore[arg-type]

    assert not failed.is_ready
    assert "Nothing is found for assistant default" in caplog.text
    assert machine.ask("refund").is_ready


def test_library_can_be_closed_before_and_after_its_first_question(machine: Machine) -> None:
    machine.library.close()
    machine.build()
    machine.ask()
    machine.library.close()

    assert machine.ask().is_ready
