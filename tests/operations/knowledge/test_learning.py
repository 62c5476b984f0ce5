"""Starting the learner, and what becomes of files that are handed to it."""

import json
import stat
from pathlib import Path

import gevent
import pytest

from app.domain.errors import Conflict, InvalidRequest, NotConfigured
from app.operations.knowledge.commands import spawn_command
from app.operations.knowledge.learning import Learning, discard
from app.storage.protocol import ConversationStore
from tests.knowledge_parts import ASSISTANT, Spawned

NOW = 1_800_000_000_000


@pytest.fixture
def spawned() -> Spawned:
    return Spawned()


@pytest.fixture
def learning(store: ConversationStore, tmp_path: Path, spawned: Spawned) -> Learning:
    return Learning(store.documents, ASSISTANT, tmp_path, now_ms=lambda: NOW, spawn=spawned)


def test_each_order_is_a_command_for_one_assistant(learning: Learning, spawned: Spawned) -> None:
    learning.learn_site(" https://shop.example/ ", only=["/docs/*", " "], excluded=["*/print"])
    learning.learn_sitemap("https://shop.example/sitemap.xml")
    learning.learn_again()

    assert spawned.words == [
        [
            "learn", "https://shop.example/", "--only", "/docs/*", "--not", "*/print",
            "--assistant", ASSISTANT,
        ],
        ["learn", "--sitemap", "https://shop.example/sitemap.xml", "--assistant", ASSISTANT],
        ["learn", "--refresh", "--assistant", ASSISTANT],
    ]  # fmt: skip


@pytest.mark.parametrize("patterns", [["docs"], ["--accept"], ["/a b"], ["/"] * 21, ["/" * 201]])
def test_what_is_no_pattern_starts_nothing(
    learning: Learning, spawned: Spawned, patterns: list[str]
) -> None:
    for name in ("only", "excluded"):
        with pytest.raises(InvalidRequest):
            learning.learn_site("https://shop.example/", **{name: patterns})

    assert spawned.words == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "shop.example",
        "ftp://shop.example",
        "--refresh",
        "https://",
        "https://a b",
        "https://[",
        "https://shop.example:99999/",
        "https://a:b@shop.example/",
        "https://@shop.example/",
    ],
)
def test_what_is_no_address_starts_nothing(learning: Learning, spawned: Spawned, url: str) -> None:
    for order in (learning.learn_site, learning.learn_sitemap):
        with pytest.raises(InvalidRequest):
            order(url)

    assert spawned.words == []


def test_file_is_private_while_it_is_learnt_and_gone_afterwards(
    learning: Learning, spawned: Spawned, tmp_path: Path
) -> None:
    file = learning.place_for("C:\\docs\\Handbook.PDF")
    folder_mode = stat.S_IMODE(file.parent.stat().st_mode)
    file.write_bytes(b"%PDF")

    learning.learn_file(file)
    gevent.sleep(0)

    assert file.name == "Handbook.pdf"
    assert folder_mode == 0o700
    assert spawned.files == {"Handbook.pdf": b"%PDF"}
    assert list((tmp_path / "uploads").iterdir()) == []


def test_file_that_the_disk_does_not_take_is_told_and_taken_away(
    learning: Learning, spawned: Spawned, tmp_path: Path
) -> None:
    def take() -> None:
        with learning.taking("Handbook.pdf") as file:
            file.write_bytes(b"%P")
            raise OSError(28, "No space left on device")

    with pytest.raises(NotConfigured, match="cannot be kept here: No space left on device"):
        take()

    assert list((tmp_path / "uploads").iterdir()) == []
    (tmp_path / "uploads").rmdir()
    (tmp_path / "uploads").touch()
    with pytest.raises(NotConfigured, match="File exists"):
        take()
    assert spawned.words == []


def test_learner_that_failed_is_told_to_the_log(
    learning: Learning, spawned: Spawned, caplog: pytest.LogCaptureFixture
) -> None:
    spawned.code = 1

    learning.learn_again()
    gevent.sleep(0)

    assert "The learner ended with 1: Error: it was too much" in caplog.text


@pytest.mark.slow
def test_process_tells_how_it_ended_and_what_it_said() -> None:
    process = spawn_command(["no-such-command"])

    assert process.wait() == 2
    assert "No such command" in process.last_words()


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("a\x00b;c.md", "a_b_c.md"),
        ("--refresh.md", "refresh.md"),
        ("手册.docx", "手册.docx"),
        ("x" * 300 + ".csv", "x" * 116 + ".csv"),
    ],
)
def test_name_of_a_file_leads_nowhere_else(
    learning: Learning, tmp_path: Path, given: str, name: str
) -> None:
    file = learning.place_for(given)

    assert file.name == name
    assert file.parent.parent == tmp_path / "uploads"


@pytest.mark.parametrize("name", ["", ".md", "virus.exe", "noending", "page.html.zip"])
def test_file_of_another_kind_is_refused(learning: Learning, name: str) -> None:
    with pytest.raises(InvalidRequest, match="kind"):
        learning.place_for(name)


def test_nothing_is_started_while_another_learns(
    store: ConversationStore, learning: Learning, spawned: Spawned
) -> None:
    report = {"state": "learning", "updatedAt": NOW - 1000, "counts": {}}
    store.documents.put_report(ASSISTANT, json.dumps(report))

    for order in (learning.learn_again, lambda: learning.place_for("a.md")):
        with pytest.raises(Conflict):
            order()

    assert spawned.words == []


def test_learner_that_fell_silent_keeps_nobody_out(
    store: ConversationStore, learning: Learning, spawned: Spawned
) -> None:
    report = {"state": "learning", "updatedAt": NOW - 600_000, "counts": {}}
    store.documents.put_report(ASSISTANT, json.dumps(report))

    learning.learn_again()

    assert len(spawned.words) == 1


def test_cancelled_learner_hears_of_it_at_its_next_report(
    store: ConversationStore, learning: Learning
) -> None:
    learning.cancel()

    assert store.documents.put_report(ASSISTANT, "{}") is False


def test_learner_that_cannot_be_started_is_told_and_its_file_taken_away(
    store: ConversationStore, tmp_path: Path
) -> None:
    def fail(_words: object) -> None:
        raise OSError(12, "Cannot allocate memory")

    learning = Learning(store.documents, ASSISTANT, tmp_path, now_ms=lambda: NOW, spawn=fail)  # type: ignore[arg-type]
    file = learning.place_for("a.md")
    file.write_text("A")

    with pytest.raises(NotConfigured, match="Cannot allocate memory"):
        learning.learn_file(file)

    assert not file.parent.exists()


def test_file_that_was_left_behind_is_swept_a_day_later(learning: Learning, tmp_path: Path) -> None:
    import os

    old = learning.place_for("old.md")
    old.write_text("old")
    os.utime(old.parent, (0, 0))

    new = learning.place_for("new.md")

    assert not old.exists()
    assert new.parent.exists()
    discard(new)
    assert not new.parent.exists()
