"""Make a SQLite store of a million messages: python -m bench.seed_store PATH [MESSAGES].

Rows are written past the store's own transactions, a turn at a time would
take an hour; `python -m app backfill` counts them among the figures.
"""

import random
import sqlite3
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.storage.sqlite.schema import migrate

MESSAGES = 1_000_000
MESSAGES_A_CONVERSATION = 8
DAYS = 90
_BATCH = 2_000
_DAY_MS = 24 * 60 * 60 * 1000
_VOCABULARY = """
order refund parcel invoice password account delivery address opening hours warranty exchange
size colour payment card voucher basket return label tracking number cancel subscription
newsletter support contact phone shipping customs stock available soon
"""
_WORDS = _VOCABULARY.split()


def seed(path: Path, messages: int, now_ms: int) -> int:
    """Write conversations until there are so many messages; returns how many conversations."""
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path, isolation_level=None)
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = OFF")
    migrate(db)
    random.seed(1)
    # Indexed in one go at the end, which takes a tenth of the time.
    triggers = db.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'messages'"
    ).fetchall()
    for trigger in triggers:
        db.execute(f"DROP TRIGGER {trigger['name']}")
    count = messages // MESSAGES_A_CONVERSATION
    for start in range(0, count, _BATCH):
        keys = range(start + 1, min(start + _BATCH, count) + 1)
        db.execute("BEGIN")
        db.executemany(
            "INSERT INTO conversations (key, id, session_id, created_at, updated_at, last_message,"
            " page_url, user, last_question, message_count, next_position, has_complete,"
            " has_error, has_up, has_down,"
            " uncounted_before) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            [_conversation(key, count, now_ms) for key in keys],
        )
        db.executemany(
            "INSERT INTO messages (conversation, position, turn_id, role, content, created_at,"
            " status, model, prompt_tokens, completion_tokens, latency_ms, first_token_ms, rating)"
            " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
            [row for key in keys for row in _messages(key, count, now_ms)],
        )
        db.execute("COMMIT")
    db.execute("INSERT INTO messages_text (messages_text) VALUES ('rebuild')")
    for trigger in triggers:
        db.execute(trigger["sql"])
    db.close()
    return count


def _created_at(key: int, count: int, now_ms: int) -> int:
    return now_ms - round((count - key) / count * DAYS * _DAY_MS)


def _conversation(key: int, count: int, now_ms: int) -> tuple[Any, ...]:
    created_at = _created_at(key, count, now_ms)
    return (
        key, f"{key:032x}", f"session-{key}", created_at, created_at + 60_000, _text(12),
        f"https://shop.example/{random.choice(_WORDS)}",
        f"user-{key % 5000}" if key % 4 == 0 else None,
        _text(12), MESSAGES_A_CONVERSATION,
        MESSAGES_A_CONVERSATION, 1, key % 50 == 0, key % 9 == 0, key % 23 == 0,
        MESSAGES_A_CONVERSATION,
    )  # fmt: skip


def _messages(key: int, count: int, now_ms: int) -> Iterator[tuple[Any, ...]]:
    at = _created_at(key, count, now_ms)
    for position in range(MESSAGES_A_CONVERSATION):
        turn_id, when = f"turn-{position // 2:04}", at + position * 7_000
        if position % 2 == 0:
            yield (key, position, turn_id, "user", _text(8), when, *(None,) * 7)
        else:
            rating = "up" if key % 9 == 0 and position == 1 else None
            yield (
                key, position, turn_id, "assistant", _text(18), when, "complete", "gpt-4.1-mini",
                400, 90, 2_000, 350, rating,
            )  # fmt: skip


def _text(words: int) -> str:
    return " ".join(random.choices(_WORDS, k=words))


if __name__ == "__main__":
    target = Path(sys.argv[1])
    begun_at = time.monotonic()
    made = seed(
        target, int(sys.argv[2]) if len(sys.argv) > 2 else MESSAGES, int(time.time() * 1000)
    )
    megabytes = target.stat().st_size / 1e6
    print(f"{made:,} conversations, {megabytes:,.0f} MB, {time.monotonic() - begun_at:.0f} s")
