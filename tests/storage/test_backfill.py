"""Figures of conversations that are older than the figures."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.conversation import Usage
from app.domain.figures import DayFigures
from app.storage.convex import ConvexStore
from app.storage.protocol import ConversationStore
from app.storage.sqlite import SqliteStore
from app.storage.sqlite.backfill import BATCH_CONVERSATIONS
from app.storage.sqlite.schema import MIGRATIONS
from tests.convex_server import ConvexServer
from tests.data import a_question, an_answer

DAY_MS = 24 * 60 * 60 * 1000
THEN_MS = 1_600_000_000_000  # 2020-09-13, in the afternoon
THEN, DAY_AFTER = "2020-09-13", "2020-09-14"


@pytest.fixture
def convex_store(convex: ConvexServer) -> Iterator[ConvexStore]:
    opened = ConvexStore(convex.url, convex.deploy_key)
    yield opened
    opened.close()


def backfill(store: ConversationStore) -> int:
    """Count all batches; returns how many there were."""
    batches = 0
    while store.backfill_figures():
        batches += 1
    return batches


def write_original(server: ConvexServer, session_id: str, times: list[int]) -> str:
    """Write the original's questions and answers, in turns, at these times."""
    conversation = {"sessionId": session_id, "createdAt": times[0], "updatedAt": times[-1]}
    (conversation_id,) = server.insert("conversations", [conversation])
    messages = [
        {
            "conversationId": conversation_id,
            "role": ("user", "assistant")[number % 2],
            "content": "Hello",
            "createdAt": at,
        }
        for number, at in enumerate(times)
    ]
    server.insert("messages", messages)
    return conversation_id


def test_originals_count_on_the_days_on_which_they_were_written(
    convex: ConvexServer, convex_store: ConvexStore
) -> None:
    write_original(convex, "one", [THEN_MS, THEN_MS + 1, THEN_MS + DAY_MS, THEN_MS + DAY_MS + 1])
    write_original(convex, "two", [THEN_MS, THEN_MS + 1, THEN_MS + 2])

    backfill(convex_store)

    assert list(convex_store.read_figures(THEN, DAY_AFTER)) == [
        DayFigures(day=THEN, conversations=2, visitors=2, turns=2),
        DayFigures(day=DAY_AFTER, visitors=1, turns=1),
    ]


def test_many_originals_count_once_each_however_often_it_is_begun(
    convex: ConvexServer, convex_store: ConvexStore
) -> None:
    for number in range(120):
        write_original(convex, f"session-{number}", [THEN_MS, THEN_MS + 1])

    assert convex_store.backfill_figures() < 120  # interrupted here, and begun again
    assert backfill(convex_store) > 1
    assert backfill(convex_store) == 0

    (found,) = convex_store.read_figures(THEN, THEN)
    assert found == DayFigures(day=THEN, conversations=120, visitors=120, turns=120)


def test_long_original_is_counted_in_bounded_batches(
    convex: ConvexServer, convex_store: ConvexStore
) -> None:
    write_original(convex, "long", [THEN_MS + number for number in range(1600)])

    assert backfill(convex_store) == 4

    (found,) = convex_store.read_figures(THEN, THEN)
    assert found == DayFigures(day=THEN, conversations=1, visitors=1, turns=800)
    assert max(read for path, read in convex.calls() if path == "figures:backfill") < 600


def test_original_that_went_on_is_counted_once(
    convex: ConvexServer, convex_store: ConvexStore
) -> None:
    write_original(convex, "old", [THEN_MS, THEN_MS + 1])
    turn = convex_store.begin_turn(a_question(session_id="old"), history_limit=1, lease_s=60)
    convex_store.finish_turn(turn, an_answer())

    backfill(convex_store)

    then, today = convex_store.read_figures("2000-01-01", "2999-12-31")
    assert then == DayFigures(day=THEN, conversations=1, visitors=1, turns=1)
    assert (today.conversations, today.visitors, today.turns) == (0, 1, 1)


def test_backfilled_original_is_no_new_conversation_when_it_goes_on(
    convex: ConvexServer, convex_store: ConvexStore
) -> None:
    write_original(convex, "old", [THEN_MS, THEN_MS + 1])
    backfill(convex_store)

    convex_store.begin_turn(a_question(session_id="old"), history_limit=1, lease_s=60)

    found = convex_store.read_figures("2000-01-01", "2999-12-31")
    assert sum(figures.conversations for figures in found) == 1


def test_file_without_figures_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    write_first_version(path, conversations=BATCH_CONVERSATIONS + 1)
    store = SqliteStore(path)

    assert backfill(store) == 2

    (found,) = store.read_figures(THEN, THEN)
    store.close()
    assert (found.conversations, found.visitors) == (BATCH_CONVERSATIONS + 1,) * 2
    assert (found.turns, found.errors) == (2 * (BATCH_CONVERSATIONS + 1), BATCH_CONVERSATIONS + 1)
    assert found.prompt_tokens == 7 * (BATCH_CONVERSATIONS + 1)
    assert found.thumbs_up == BATCH_CONVERSATIONS + 1


def test_turns_after_the_migration_are_not_counted_again(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    write_first_version(path, conversations=1)
    store = SqliteStore(path, clock_ms=lambda: THEN_MS + DAY_MS)
    turn = store.begin_turn(a_question(session_id="session-0"), history_limit=1, lease_s=60)
    store.finish_turn(turn, an_answer(usage=Usage(5, 5)))

    backfill(store)

    found = {figures.day: figures.turns for figures in store.read_figures(THEN, DAY_AFTER)}
    store.close()
    assert found == {THEN: 2, DAY_AFTER: 1}


def write_first_version(path: Path, conversations: int) -> None:
    """Write a file as the first version of the schema left it: an answer, and a failure."""
    db = sqlite3.connect(path)
    db.executescript(MIGRATIONS[0])
    db.execute("PRAGMA user_version = 1")
    for key in range(conversations):
        db.execute(
            "INSERT INTO conversations (key, id, session_id, created_at, updated_at, next_position)"
            " VALUES (?, ?, ?, ?, ?, 4)",
            (key, f"id-{key}", f"session-{key}", THEN_MS, THEN_MS),
        )
        db.executemany(
            "INSERT INTO messages (conversation, position, turn_id, role, content, created_at,"
            " status, prompt_tokens, completion_tokens, rating) VALUES (?,?,?,?,?,?,?,?,?,?)",
            [
                (key, 0, "turn-a", "user", "Hi", THEN_MS, None, None, None, None),
                (key, 1, "turn-a", "assistant", "Hi!", THEN_MS, "complete", 7, 3, "up"),
                (key, 2, "turn-b", "user", "Still there?", THEN_MS, "error", None, None, None),
            ],
        )
    db.commit()
    db.close()
