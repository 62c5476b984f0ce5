from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.knowledge import Found, Inquiry
from app.knowledge.building import build
from app.knowledge.library import ASK_EVERY_S, LOOK_EVERY_S, Library
from tests.knowledge.library_parts import SHOP, ListedDocuments, count_tokens


class Machine:
    """A folder, a version that the store is said to have, and a library over both."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.version = 1
        self.builds = 0
        self.now = 1000.0
        self.library = Library(
            folder,
            "default",
            max_tokens=40,
            version=lambda: self.version,
            request_build=self._count,
            clock=lambda: self.now,
        )

    def build(self, version: int = 1, documents: tuple[object, ...] = SHOP) -> Path:
        store = ListedDocuments(documents, version)  # type: ignore[arg-type]
        return build(store, "default", self.folder, count_tokens)  # type: ignore[arg-type]

    def ask(self, question: str = "hazelnut") -> Found:
        return self.library.find(Inquiry(question))

    def _count(self) -> None:
        self.builds += 1


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


def test_older_index_answers_until_the_newer_one_is_there(machine: Machine) -> None:
    machine.build(1)
    machine.version = 2
    assert (machine.ask().version, machine.builds) == (1, 1)

    machine.build(2, SHOP[:2])
    machine.now += LOOK_EVERY_S

    assert machine.ask().version == 2
    assert {each.title for each in machine.ask("refund").passages} == {"Returns", "Opening hours"}


def test_index_newer_than_the_store_is_not_opened(machine: Machine) -> None:
    machine.build(5)

    assert not machine.ask().is_ready


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
