"""What the SQLite store promises beyond the contract: one file, many processes, bad disks."""

import errno
import fcntl
import itertools
import os
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import gevent
import pytest

from app.domain.conversation import (
    DEFAULT_ASSISTANT,
    TAKEN,
    ConversationFilter,
    ConversationPage,
    Feedback,
    Finished,
    Turn,
)
from app.domain.errors import AssistantMismatch, InvalidRequest, StorageUnavailable
from app.domain.knowledge import Document, Section, StoreState
from app.domain.people import ByOperator, ByVisitor, Contact
from app.storage.protocol import MAX_THREAD_MESSAGES
from app.storage.sqlite import SqliteStore
from app.storage.sqlite.conversations import listing, matches, searches
from app.storage.sqlite.documents import gaps
from app.storage.sqlite.documents import rows as documents
from app.storage.sqlite.faults import unavailable
from app.storage.sqlite.retention import BATCH_MESSAGES
from app.storage.sqlite.schema import MIGRATIONS
from tests.data import SESSION, a_question, an_answer

ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "perch.db"


@contextmanager
def opened(path: Path, timeout_s: float = 5.0) -> Iterator[SqliteStore]:
    with closing(SqliteStore(path, timeout_s=timeout_s)) as store:
        yield store


def begin(store: SqliteStore, **fields: object) -> Turn:
    return store.begin_turn(a_question(**fields), history_limit=30, lease_s=60)


def say(store: SqliteStore, **fields: object) -> Turn:
    turn = begin(store, **fields)
    assert store.finish_turn(turn, an_answer())
    return turn


def sentence(store: SqliteStore) -> str:
    """What ``ping`` tells the operator."""
    with pytest.raises(StorageUnavailable) as caught:
        store.ping()
    return str(caught.value)


def perch(code: str, path: Path, *arguments: str) -> "subprocess.Popen[str]":
    """Run ``code`` with a store on ``path`` in a process of its own."""
    script = (
        "import sys\n"
        "if 'patched' in sys.argv:\n"
        "    from gevent import monkey; monkey.patch_all()\n"
        "from app.storage.sqlite import SqliteStore\n"
        "from tests.data import *\n"
        "store = SqliteStore(sys.argv[1])\n"
        "def say(**fields):\n"
        "    turn = store.begin_turn(a_question(**fields), history_limit=30, lease_s=60)\n"
        "    assert store.finish_turn(turn, an_answer())\n" + code
    )
    return subprocess.Popen(
        [sys.executable, "-c", script, str(path), *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


# The file


def test_nothing_is_opened_before_the_first_use(path: Path) -> None:
    with opened(path):
        assert not path.exists()


def test_missing_directories_are_made(tmp_path: Path) -> None:
    with opened(tmp_path / "a" / "b" / "perch.db") as store:
        store.ping()

    assert (tmp_path / "a" / "b" / "perch.db").exists()


def modes(folder: Path) -> dict[str, int]:
    return {each.name: stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()}


@pytest.mark.parametrize("umask", [0o022, 0o000, 0o077])
def test_only_the_owner_can_read_what_is_made(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        with opened(tmp_path / "data" / "perch.db") as store:
            say(store)
            made = modes(tmp_path / "data")
    finally:
        os.umask(before)

    assert made == dict.fromkeys(("perch.db", "perch.db-wal", "perch.db-shm"), 0o600)
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("before", "after"), [(0o644, 0o600), (0o666, 0o600), (0o604, 0o600), (0o660, 0o660)]
)
def test_file_that_everybody_can_read_is_made_private(path: Path, before: int, after: int) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA user_version = 0")
        db.execute("CREATE TABLE of_an_earlier_version (id)")
        for name in modes(path.parent):
            (path.parent / name).chmod(before)

        with opened(path) as store:
            say(store)

            assert set(modes(path.parent).values()) == {after}


def test_hours_are_forgotten_after_a_week(path: Path) -> None:
    periods = ("2020-01-01T09", "2020-01-01", "2999-01-01T00")
    old = [(period, "turns", "default", 1) for period in periods]
    with opened(path) as store, closing(sqlite3.connect(path)) as db:
        store.ping()
        db.executemany("INSERT INTO figures VALUES (?, ?, ?, ?)", old)
        db.commit()
        say(store)
        kept = {period for (period,) in db.execute("SELECT period FROM figures")}

    assert "2020-01-01T09" not in kept
    assert {"2020-01-01", "2999-01-01T00"} < kept


def test_disk_that_refuses_locks_is_named_as_such_at_once(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an NFS without its lock service does."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "lockf", refuse)

    with opened(path) as store:
        told = sentence(store)

    assert told == (
        "The database perch.db is on a disk that refuses the locks that SQLite needs, as network "
        "shares (NFS, SMB) do: put it on a disk of this machine."
    )
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("name", ["SQLITE_IOERR_LOCK", "SQLITE_PROTOCOL", "SQLITE_IOERR_SHMMAP"])
def test_what_sqlite_calls_a_refused_lock_is_named_as_one(path: Path, name: str) -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorname = name

    assert "refuses the locks" in str(unavailable(path, error).__cause__)


def test_conversations_outlive_the_process(path: Path) -> None:
    with opened(path) as store:
        turn = say(store)

    with opened(path) as store:
        assert len(store.read_thread(turn.conversation_id).messages) == 2


def test_acknowledged_writes_are_synced(path: Path) -> None:
    with opened(path) as store:
        pragmas = ("journal_mode", "synchronous", "foreign_keys")
        values = store._database.write(
            lambda db: [db.execute(f"PRAGMA {pragma}").fetchone()[0] for pragma in pragmas]
        )

    assert values == ["wal", 2, 1]  # 2: FULL


@pytest.mark.slow
def test_store_serves_in_a_patched_process(path: Path) -> None:
    process = perch("say(); print(store.list_conversations(limit=1).total)", path, "patched")

    assert process.communicate(timeout=30)[0].strip() == "1"


@pytest.mark.slow
def test_store_serves_after_a_fork(path: Path) -> None:
    code = (
        "import os\n"
        "child = os.fork()\n"
        "say(session_id='child' if child == 0 else 'parent')\n"
        "if child: os.waitpid(child, 0); print(store.list_conversations(limit=1).total)\n"
    )

    assert perch(code, path).communicate(timeout=30)[0].strip() == "2"


# Several processes


@pytest.mark.slow
def test_processes_that_start_at_once_share_the_file(path: Path) -> None:
    code = (
        "import gevent\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "def chat(n):\n"
        "    for turn_id in ('turn-0001', 'turn-0002'):\n"
        "        say(session_id=f'{sys.argv[2]}-{n}', turn_id=turn_id)\n"
        "gevent.joinall([gevent.spawn(chat, n) for n in range(20)], raise_error=True)\n"
        "print('done')\n"
    )
    processes = [perch(code, path, name) for name in ("left", "right")]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"

    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()

    assert [process.communicate(timeout=30)[0] for process in processes] == ["done\n"] * 2
    with opened(path) as store:
        assert store.list_conversations(limit=1).total == 40
        for name in ("left", "right"):
            thread = store.read_session(f"{name}-7", limit=10)
            assert thread is not None
            assert [message.role for message in thread.messages] == ["user", "assistant"] * 2


@pytest.mark.slow
def test_acknowledged_turns_survive_a_killed_process(path: Path) -> None:
    code = "for n in range(10**6):\n    say(session_id=f'session-{n}')\n    print(n, flush=True)\n"
    process = perch(code, path)
    assert process.stdout is not None
    told = [process.stdout.readline() for _ in range(50)]
    process.kill()
    told += process.stdout.readlines()
    process.communicate(timeout=30)
    last = int(told[-1])

    with opened(path) as store:
        total = store.list_conversations(limit=1).total
        damage = store._database.read(lambda db: db.execute("PRAGMA integrity_check").fetchone()[0])
        threads = [store.read_session(f"session-{n}", limit=9) for n in range(last + 1)]

    assert damage == "ok"
    assert total is not None
    assert last + 1 <= total <= last + 2  # one may have been under way
    assert [len(thread.messages) for thread in threads if thread] == [2] * (last + 1)


# Versions

# Before revocations and jobs, and before the list led with questions.
OLDER = (4, 5)


@contextmanager
def older(path: Path, version: int) -> Iterator[sqlite3.Connection]:
    """Write a file as that version would have."""
    with closing(sqlite3.connect(path)) as db:
        for script in MIGRATIONS[:version]:
            db.executescript(script)
        db.execute(f"PRAGMA user_version = {version}")
        yield db
        db.commit()


def test_every_version_becomes_the_current_one(path: Path) -> None:
    with opened(path) as store:
        store.ping()

    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)


@pytest.mark.parametrize("version", OLDER)
def test_older_file_takes_what_is_new(path: Path, version: int) -> None:
    with older(path, version) as db:
        db.execute("INSERT INTO switches (name) VALUES ('off')")

    with opened(path) as store:
        turn = say(store)
        first = store.revoke("a-sign-in")
        purged = store.purge(unused_days=1)
        began = store.begin_job("retention", "a", lease_s=60, every_s=60)

        assert (first, store.is_revoked("a-sign-in")) == (True, True)
        assert (purged.conversations, began) == (0, True)
        assert store.read_thread(turn.conversation_id).messages
        assert store.read_state().switches == {"off"}


def test_revocations_and_jobs_of_an_older_file_hold(path: Path) -> None:
    now = 1_700_000_000_000
    with older(path, 5) as db:
        db.execute("INSERT INTO revocations VALUES ('a-sign-in', ?)", (now,))
        db.execute("INSERT INTO jobs VALUES ('retention', NULL, NULL, ?)", (now,))

    with closing(SqliteStore(path, clock_ms=lambda: now + 1000)) as store:
        assert store.is_revoked("a-sign-in")
        assert not store.begin_job("retention", "a", lease_s=60, every_s=60)


def test_failed_migration_leaves_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = (MIGRATIONS[0] + "\nCREATE TABLE half (x);\nCREATE TABLE half (x);\n",)
    monkeypatch.setattr("app.storage.sqlite.schema.MIGRATIONS", broken)
    with opened(path) as store:
        sentence(store)

    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)


def test_newer_file_is_refused_with_a_reason(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 6}")

    with opened(path) as store:
        told = sentence(store)

    assert told == (
        f"The database was written by a newer Perch (its schema is {len(MIGRATIONS) + 6}, "
        f"this one knows {len(MIGRATIONS)}): run that version, or restore a backup."
    )


@pytest.mark.parametrize("version", range(1, 6))
def test_list_of_an_older_file_leads_with_questions(path: Path, version: int) -> None:
    with older(path, version) as db:
        db.execute(
            "INSERT INTO conversations (key, id, session_id, created_at, updated_at, last_message,"
            " next_position, has_down) VALUES (1, 'c1', 'session-1', 1, 9, 'Nine.', 4, 1),"
            " (2, 'c2', 'session-2', 1, 8, NULL, 0, 0)"
        )
        db.executemany(
            "INSERT INTO messages (conversation, position, turn_id, role, content, created_at,"
            " status, rating) VALUES (1, ?, ?, ?, ?, 1, ?, ?)",
            [
                (0, "turn-0001", "user", "First", "error", None),
                (2, "turn-0002", "user", "Öffnungszeiten? " * 40, None, None),
                (3, "turn-0002", "assistant", "Nine.", "complete", "down"),
            ],
        )

    with opened(path) as store:
        page = store.list_conversations(limit=10)
        by_turn = store.list_conversations(limit=10, where=ConversationFilter(text="turn-0001"))
        messages = store.read_thread("c1").messages

    old, empty = page.conversations
    assert (old.last_question, old.message_count) == (("Öffnungszeiten? " * 40)[:500], 3)
    assert (old.last_message, old.marks) == ("Nine.", ("down",))
    assert (empty.last_question, empty.message_count) == (None, 0)
    assert [each.id for each in by_turn.conversations] == ["c1"]
    assert [(each.error_code, each.request_id) for each in messages] == [(None, None)] * 3


def test_file_of_before_the_assistants_is_the_default_ones(path: Path) -> None:
    with older(path, 6) as db:
        db.executescript((ROOT / "tests/fixtures/schema_6.sql").read_text(encoding="utf-8"))

    with closing(SqliteStore(path, clock_ms=lambda: 1_700_100_000_000)) as store:
        everything = store.list_conversations(limit=10)
        by_assistant = {
            name: store.list_conversations(limit=10, where=ConversationFilter(assistant=name))
            for name in (DEFAULT_ASSISTANT, "shop")
        }
        figures = store.read_figures("2023-11-14", "2023-11-15")
        hours = store.read_figures("2023-11-14T00", "2023-11-15T23", DEFAULT_ASSISTANT)
        (failed,) = store.list_marked_turns("error", limit=5, assistant=DEFAULT_ASSISTANT)
        with pytest.raises(AssistantMismatch):
            begin(store, session_id="session-1", turn_id="turn-0002", assistant="shop")
        continued = begin(store, session_id="session-1", turn_id="turn-0002")
        begin(store, session_id="session-3", assistant="shop")
        shop = store.read_figures("2023-11-14", "2023-11-17", "shop")

        assert [each.assistant for each in everything.conversations] == [DEFAULT_ASSISTANT] * 2
        assert everything.total == 2
        assert by_assistant[DEFAULT_ASSISTANT].conversations == everything.conversations
        assert by_assistant["shop"].conversations == ()
        assert store.read_figures("2023-11-14", "2023-11-15", DEFAULT_ASSISTANT) == figures
        assert [(day.turns, day.charged_tokens, day.limits_hit) for day in figures] == [
            (2, 150, 0),
            (0, 0, 3),
        ]
        assert sum(hour.turns for hour in hours) == 2
        assert failed.question.error_code == "model_timeout"
        assert [message.content for message in continued.prompt][:2] == [
            "What are your hours?",
            "Nine to five.",
        ]
        assert [(day.day, day.conversations) for day in shop] == [("2023-11-16", 1)]


def test_file_of_before_the_documents_takes_them_in(path: Path) -> None:
    with older(path, 7) as db:
        db.executescript((ROOT / "tests/fixtures/schema_7.sql").read_text(encoding="utf-8"))

    with closing(SqliteStore(path, clock_ms=lambda: 1_700_100_000_000)) as store:
        before = store.read_state()
        continued = begin(store, session_id="session-1", turn_id="turn-0002")
        thread = store.read_thread(continued.conversation_id)
        gaps_before = store.documents.list_gaps(DEFAULT_ASSISTANT, limit=5)
        store.rate_message("session-1", thread.messages[1].id, Feedback("down"))
        (gap,) = store.documents.list_gaps(DEFAULT_ASSISTANT, limit=5)
        asked = begin(store, session_id="session-2", turn_id="turn-0002", assistant="shop")
        store.finish_turn(asked, an_answer(gap="unknown"))
        document = Document("shop", "text:1", "text", "Norway", (Section("", "Yes."),), hash="h1")

        version = store.documents.put_documents("shop", [document])

        assert before == StoreState(frozenset({"off"}), {})
        assert (continued.cited, gaps_before) == ([], ())
        assert [(each.sources, each.gap) for each in thread.messages] == [(None, None)] * 3
        assert (gap.question, gap.reason) == ("What are your hours?", "disliked")
        assert [each.conversation_id for each in store.documents.list_gaps("shop", limit=5)] == [
            asked.conversation_id
        ]
        assert store.read_state() == StoreState(frozenset({"off"}), {"shop": version})


def test_file_of_before_the_people_hands_over(path: Path) -> None:
    with older(path, 8) as db:
        db.executescript((ROOT / "tests/fixtures/schema_8.sql").read_text(encoding="utf-8"))

    with closing(SqliteStore(path, clock_ms=lambda: 1_700_000_010_000)) as store:
        page = store.list_conversations(limit=10)
        asking, other = page.conversations
        ada = ByOperator(asking.id, "Ada")
        before = store.people.events_since("session-1", 0)
        notices = store.people.list_notices(limit=5)
        asked = store.people.hand_over(ByVisitor("session-1", DEFAULT_ASSISTANT), "ask")
        store.people.say(ada, "On Sundays from ten.", key="k1")
        late = store.finish_turn(
            Turn("turn-0002", 1, "session-1", asking.id, ()), an_answer(content="Closed.")
        )
        store.people.hand_over(ada, "release")
        thread = store.read_thread(asking.id)
        again = begin(store, session_id="session-1", turn_id="turn-0003", content="And today?")

        assert [(each.state, each.unread, each.contact) for each in page.conversations] == [
            ("bot", 0, None)
        ] * 2
        assert (asking.user, other.assistant, before.events) == ("customer-7", "shop", ())
        assert (notices, asked.is_new, late) == ((), True, Finished(f"{asking.id}-3"))
        assert [(each.role, each.event or each.content) for each in thread.messages] == [
            ("user", "What are your hours?"),
            ("assistant", "Nine to five [1]."),
            ("user", "And on Sundays?"),
            ("assistant", "Closed."),
            ("system", "asked"),
            ("system", "taken"),
            ("operator", "On Sundays from ten."),
            ("system", "released"),
        ]
        assert (thread.messages[3].status, thread.messages[3].finish_reason) == ("partial", TAKEN)
        assert [each.content for each in again.prompt] == ["And today?"]
        assert store.people.find_by_user("customer-7", DEFAULT_ASSISTANT) is not None


# People


def test_conversation_that_begins_is_noted_where_somebody_is_told(path: Path) -> None:
    with closing(SqliteStore(path, notes_starts=True)) as store:
        for turn_id in ("turn-0001", "turn-0002"):
            say(store, session_id="session-1", turn_id=turn_id)
        store.people.hand_over(ByVisitor("session-2", DEFAULT_ASSISTANT), "ask")
        store.people.set_contact("session-3", Contact("ada@visitor.example"), assistant="shop")
        notices = store.people.list_notices(limit=9)

    assert [(each.type, each.assistant) for each in reversed(notices)] == [
        ("conversation.started", DEFAULT_ASSISTANT),
        ("conversation.started", DEFAULT_ASSISTANT),
        ("conversation.waiting", DEFAULT_ASSISTANT),
        ("conversation.started", "shop"),
        ("contact.created", "shop"),
    ]


def test_notices_are_not_held_for_ever_by_a_clock_that_goes_back(path: Path) -> None:
    clock = [1_700_000_000_000]
    with closing(SqliteStore(path, clock_ms=lambda: clock[0])) as store:
        store.people.put_notice("test", DEFAULT_ASSISTANT)
        clock[0] += 10**10
        store.people.claim_notices("a", lease_s=60, limit=1)
        clock[0] -= 10**10

        claimed = store.people.claim_notices("b", lease_s=60, limit=1)

    assert len(claimed) == 1


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM conversations WHERE state = 'waiting' ORDER BY waiting_since, key",
        "SELECT * FROM conversations WHERE state = 'human' ORDER BY updated_at DESC, key DESC",
        "SELECT * FROM messages WHERE conversation = 1 AND n > 3 ORDER BY n",
        "SELECT * FROM notices WHERE NOT is_over AND due_at <= 5",
        "SELECT * FROM notices WHERE created_at > 5 ORDER BY created_at DESC, key DESC",
    ],
)
def test_people_are_found_by_an_index(path: Path, query: str) -> None:
    with opened(path) as store:
        store.ping()

    with closing(sqlite3.connect(path)) as db:
        plan = " ".join(row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {query}"))

    assert "INDEX" in plan
    assert "TEMP B-TREE" not in plan


# Jobs and retention


def test_job_is_not_held_for_ever_by_a_clock_that_goes_back(path: Path) -> None:
    clock = [2_000_000_000_000]
    with closing(SqliteStore(path, clock_ms=lambda: clock[0])) as store:
        store.begin_job("held", "a", lease_s=60, every_s=60)
        store.begin_job("done", "a", lease_s=60, every_s=60)
        store.end_job("done", "a")
        clock[0] -= 10**12

        begun = [store.begin_job(name, "b", lease_s=60, every_s=60) for name in ("held", "done")]

    assert begun == [True, True]


def test_batch_of_the_purge_holds_the_file_for_few_messages_only(path: Path) -> None:
    clock = [1_700_000_000_000]
    with closing(SqliteStore(path, clock_ms=lambda: clock[0])) as store:
        for number in range(BATCH_MESSAGES):
            say(store, turn_id=f"turn-{number:04}")
        clock[0] += 2 * 86_400_000

        counts = []
        while store.purge(unused_days=1).has_more:
            thread = store.read_session(SESSION, limit=200)
            assert thread is not None
            counts.append(len(thread.messages))

        assert counts == [BATCH_MESSAGES, 0]
        assert store.read_session(SESSION, limit=1) is None


# Bad days


def test_locked_file_is_told_in_time_and_heals(path: Path) -> None:
    with opened(path, timeout_s=1.0) as store:
        turn = say(store)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            told = sentence(store)
            with pytest.raises(StorageUnavailable):
                begin(store, turn_id="turn-0002")
            read = store.read_thread(turn.conversation_id)

        store.ping()

        assert told == "The database perch.db is locked by another process."
        assert len(read.messages) == 2
        assert store.read_thread(turn.conversation_id) == read


def test_locked_file_does_not_stop_other_greenlets(path: Path) -> None:
    with opened(path, timeout_s=0.3) as store, closing(sqlite3.connect(path)) as other:
        store.ping()
        other.execute("BEGIN IMMEDIATE")
        waiting = gevent.spawn(sentence, store)
        steps = 0
        while not waiting.ready():
            gevent.sleep(0.01)
            steps += 1

    assert waiting.value == "The database perch.db is locked by another process."
    assert steps >= 10


def test_full_disk_refuses_the_write_and_keeps_the_rest(path: Path) -> None:
    with opened(path) as store:
        turn = say(store)

        def fill(db: sqlite3.Connection) -> None:
            pages = db.execute("PRAGMA page_count").fetchone()[0]
            db.execute(f"PRAGMA max_page_count = {pages}")

        store._database.write(fill)
        with pytest.raises(StorageUnavailable) as caught:
            begin(store, session_id="session-2", content="x" * 1_000_000)

        assert str(caught.value.__cause__) == "The database perch.db cannot grow: the disk is full."
        assert len(store.read_thread(turn.conversation_id).messages) == 2
        assert store.list_conversations(limit=1).total == 1
        assert begin(store, session_id="session-2").attempt == 1


def test_full_disk_fails_every_write_of_its_commit(path: Path) -> None:
    with opened(path) as store:
        store.ping()
        store._database.write(lambda db: db.execute("PRAGMA max_page_count = 1").fetchone())

        def ask(number: int) -> str:
            try:
                begin(store, session_id=f"session-{number}", content="x" * 1_000_000)
            except StorageUnavailable:
                return "refused"
            return "stored"

        asking = [gevent.spawn(ask, number) for number in range(5)]
        gevent.joinall(asking, timeout=20, raise_error=True)
        stored = [greenlet.value for greenlet in asking].count("stored")

        assert stored < 5
        assert store.list_conversations(limit=1).total == stored


@contextmanager
def as_nobody() -> Iterator[Path]:
    """A directory of nobody's, and nobody's rights: root may write everywhere."""
    with tempfile.TemporaryDirectory() as directory:
        if os.geteuid() != 0:
            yield Path(directory)
            return
        os.chown(directory, 65534, 65534)
        os.seteuid(65534)
        try:
            yield Path(directory)
        finally:
            os.seteuid(0)


def test_read_only_file_is_named_as_such() -> None:
    with as_nobody() as directory:
        path = directory / "perch.db"
        with opened(path) as store:
            store.ping()
        path.chmod(0o444)

        with opened(path) as store:
            told = sentence(store)
            with pytest.raises(StorageUnavailable):
                begin(store)

    assert told == "The database perch.db is read-only for this user."


def test_unreachable_directory_is_named_as_such() -> None:
    with as_nobody() as directory:
        directory.chmod(0o555)
        with opened(directory / "data" / "perch.db") as store:
            told = sentence(store)

    assert told == "The database perch.db cannot be created: Permission denied."


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (lambda good: b"This is no database. " * 500, "is not a SQLite database."),
        (lambda good: good[:4096] + b"\xff" * (len(good) - 4096), "is damaged"),
        (lambda good: good[: len(good) // 2], "is damaged"),
    ],
)
def test_damaged_file_is_named_as_such(
    path: Path, damage: Callable[[bytes], bytes], expected: str
) -> None:
    with opened(path) as store:
        say(store)
    path.write_bytes(damage(path.read_bytes()))

    with opened(path) as store:
        with pytest.raises(StorageUnavailable) as caught:
            say(store, turn_id="turn-0002")
        assert expected in str(caught.value.__cause__)
        assert str(caught.value) == StorageUnavailable.text


def test_hung_disk_is_given_up_in_time(path: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "hang")
    with opened(path, timeout_s=0.2) as store:
        store.ping()
        hung = gevent.spawn(store._database.write, lambda db: (tmp_path / "hang").read_text())
        told = sentence(store)
        with pytest.raises(StorageUnavailable):
            hung.get()
        refused = [gevent.spawn(begin, store, session_id=f"s-{n}") for n in range(3)]
        gevent.joinall(refused, timeout=5)
        (tmp_path / "hang").write_text("")  # the disk comes back

        assert told == (
            "The database perch.db did not answer in time: the disk may hang, or it is a network "
            "share (NFS, SMB)."
        )
        assert [type(greenlet.exception) for greenlet in refused] == [StorageUnavailable] * 3
        store.ping()
        assert store.list_conversations(limit=1).total == 0  # what was refused is not stored


def test_failure_undoes_only_its_own_write(path: Path) -> None:
    with opened(path) as store:
        store.ping()
        lone = gevent.spawn(begin, store, session_id="bad", content="\ud800")
        good = [gevent.spawn(say, store, session_id=f"session-{n}") for n in range(5)]
        gevent.joinall(good, raise_error=True)
        with pytest.raises(InvalidRequest):
            lone.get()

        assert store.list_conversations(limit=1).total == 5


# What reads cost


@pytest.mark.parametrize(
    ("where", "index"),
    [
        (ConversationFilter(), "conversations_updated"),
        (ConversationFilter(since=5), "conversations_updated (updated_at>?)"),
        (ConversationFilter(until=5), "conversations_updated (updated_at<?)"),
        (ConversationFilter(user="ann"), "conversations_user (user=?)"),
        (ConversationFilter(user="ann", since=5), "conversations_user (user=? AND updated_at>?)"),
        (ConversationFilter(status="complete"), "conversations_complete"),
        (ConversationFilter(status="partial"), "conversations_partial"),
        (ConversationFilter(status="error"), "conversations_error"),
        (ConversationFilter(feedback="up"), "conversations_up"),
        (ConversationFilter(feedback="down"), "conversations_down"),
        (ConversationFilter(assistant="a"), "conversations_assistant (assistant=?)"),
        (
            ConversationFilter(assistant="a", since=5),
            "conversations_assistant (assistant=? AND updated_at>?)",
        ),
        (
            ConversationFilter(assistant="a", status="complete"),
            "conversations_assistant (assistant=?)",
        ),
        (
            ConversationFilter(assistant="a", status="partial"),
            "conversations_assistant_partial (assistant=?)",
        ),
        (
            ConversationFilter(assistant="a", status="error"),
            "conversations_assistant_error (assistant=?)",
        ),
        (
            ConversationFilter(assistant="a", feedback="up"),
            "conversations_assistant_up (assistant=?)",
        ),
        (
            ConversationFilter(assistant="a", feedback="down", until=5),
            "conversations_assistant_down (assistant=? AND updated_at<?)",
        ),
        (ConversationFilter(assistant="a", user="ann"), "conversations_user (user=?)"),
    ],
)
def test_list_reads_an_index_in_its_own_order(
    path: Path, where: ConversationFilter, index: str
) -> None:
    with opened(path) as store:
        plan = "\n".join(plans(store, where))

    assert f"USING INDEX {index}" in plan
    assert "TEMP B-TREE" not in plan


@pytest.mark.parametrize(
    ("read", "search"),
    [
        (
            lambda db: gaps.list_gaps(db, "shop", limit=10),
            "SEARCH m USING INDEX messages_gap (assistant=?)",
        ),
        (
            lambda db: gaps.count_citations(db, "shop", 0),
            "SEARCH messages USING INDEX messages_sources (assistant=? AND created_at>?)",
        ),
        (
            lambda db: documents.documents_since(db, "shop", 7, cursor=None),
            "SEARCH documents USING INDEX documents_version (assistant=? AND version>?)",
        ),
        (
            lambda db: documents.list_documents(db, "shop", limit=10, cursor=None),
            "SEARCH documents USING INDEX sqlite_autoindex_documents_1 (assistant=? AND key>?)",
        ),
    ],
    ids=["gaps", "citations", "since", "list"],
)
def test_what_is_read_of_knowledge_is_found_and_not_sorted(
    path: Path, read: Callable[[sqlite3.Connection], object], search: str
) -> None:
    with opened(path) as store:
        plan = explained(store, read)

    assert search in plan
    assert not any("TEMP B-TREE" in p or p.startswith("SCAN") for p in plan)


def plans(store: SqliteStore, where: ConversationFilter, cursor: str | None = None) -> list[str]:
    """Explain every query that the list runs."""
    return explained(
        store,
        lambda db: listing.list_conversations(db, limit=100, cursor=cursor, where=where),
    )


def explained(store: SqliteStore, read: Callable[[sqlite3.Connection], object]) -> list[str]:
    """Explain every query that a read runs."""

    def explain(db: sqlite3.Connection) -> list[str]:
        statements: list[str] = []
        db.set_trace_callback(statements.append)
        read(db)
        db.set_trace_callback(None)
        found = []
        for statement in statements:
            if statement.startswith("SELECT"):
                rows = db.execute(f"EXPLAIN QUERY PLAN {statement}")
                found += [row["detail"] for row in rows]
        return found

    return store._database.read(explain)


def test_next_page_begins_where_the_last_ended(path: Path) -> None:
    with opened(path) as store:
        for number in range(3):
            say(store, session_id=f"session-{number}")
        cursor = store.list_conversations(limit=1).next_cursor
        plan = plans(store, ConversationFilter(), cursor)

    assert any(
        "SEARCH conversations USING INDEX conversations_updated (updated_at<?)" in p for p in plan
    )
    assert not any("TEMP B-TREE" in p for p in plan)


@pytest.mark.parametrize("where", [ConversationFilter(text="parcel"), ConversationFilter(page="h")])
def test_search_scans_no_table(path: Path, where: ConversationFilter) -> None:
    with opened(path) as store:
        plan = plans(store, where)

    assert not [p for p in plan if p in ("SCAN conversations", "SCAN messages")]


# Searches: few matches are sorted, many are scanned for, and both take their time


@pytest.fixture
def crowd(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqliteStore]:
    """Forty conversations; every fourth comes from the cart, the others speak of a parcel."""
    monkeypatch.setattr(matches, "MAX_SORTED", 5)
    monkeypatch.setattr(matches, "SCANNED_AT_ONCE", 7)
    monkeypatch.setattr(searches, "FIRST_STRETCH_MESSAGES", 16)
    with opened(path) as store:
        for number in range(40):
            say(store, session_id=f"session-{number}", content="PARCEL ÄÖ" if number % 4 else "b%")
        store._database.write(
            lambda db: db.execute(
                "UPDATE conversations SET updated_at = key,"
                " page_url = iif(key % 4 = 1, 'https://a/cart', 'https://a/home')"
            )
        )
        yield store


def search(
    store: SqliteStore, where: ConversationFilter, limit: int, *, look_s: float = 0
) -> list[ConversationPage]:
    """Read all pages, by a clock that goes on by ``look_s`` whenever it is looked at."""
    pages: list[ConversationPage] = []
    clock_s = itertools.count(step=look_s).__next__
    while not pages or pages[-1].next_cursor is not None:
        cursor = pages[-1].next_cursor if pages else None
        pages.append(
            store._database.read(
                lambda db, cursor=cursor: listing.list_conversations(
                    db, limit=limit, cursor=cursor, where=where, clock_s=clock_s
                )
            )
        )
        assert len(pages) < 50
    return pages


@pytest.mark.parametrize(
    ("where", "is_meant"),
    [
        (ConversationFilter(text="parcel"), lambda n: n % 4),
        (ConversationFilter(text="äö"), lambda n: n % 4),
        (ConversationFilter(text="b%"), lambda n: n % 4 == 0),
        (ConversationFilter(text="hours"), lambda n: False),
        (ConversationFilter(page="https://a/"), lambda n: True),
        (ConversationFilter(page="https://a/cart"), lambda n: n % 4 == 0),
        (ConversationFilter(page="https://a/cart", text="parcel"), lambda n: False),
        (ConversationFilter(page="https://a/home", text="parcel", until=4), lambda n: 0 < n < 3),
    ],
)
@pytest.mark.parametrize("limit", [1, 3, 50])
@pytest.mark.parametrize("look_s", [0, 0.004, 1])
def test_every_way_to_search_finds_the_same(
    crowd: SqliteStore,
    where: ConversationFilter,
    is_meant: Callable[[int], bool],
    limit: int,
    look_s: float,
) -> None:
    pages = search(crowd, where, limit, look_s=look_s)

    found = [each.session_id for page in pages for each in page.conversations]
    assert all(len(page.conversations) <= limit for page in pages)
    assert found == [f"session-{n}" for n in reversed(range(40)) if is_meant(n)]


def test_word_that_is_said_again_and_again_is_found_everywhere(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matches, "MAX_SORTED", 5)
    with opened(path) as store:
        for number in range(4):
            for turn in range(3):
                say(store, session_id=f"session-{number}", turn_id=f"turn-{turn:04}")
        (page,) = search(store, ConversationFilter(text=a_question().content), 10)

    assert len(page.conversations) == 4


def test_few_matches_come_on_one_page(crowd: SqliteStore) -> None:
    crowd._database.write(
        lambda db: db.execute(
            "INSERT INTO messages (conversation, position, turn_id, role, content, created_at)"
            " VALUES (3, 9, 'turn-9', 'user', 'a voucher', 0)"
        )
    )

    (page,) = search(crowd, ConversationFilter(text="voucher"), 50)

    assert [each.session_id for each in page.conversations] == ["session-2"]


def test_search_that_takes_too_long_leads_on(crowd: SqliteStore) -> None:
    pages = search(crowd, ConversationFilter(text="hours of nothing"), 50, look_s=1)

    # Forty, seven at a time.
    assert [len(page.conversations) for page in pages] == [0] * 6


def test_deleted_words_leave_the_index(path: Path) -> None:
    with opened(path) as store:
        turn = say(store, content="A secret")
        store.delete_conversation(turn.conversation_id)
        rest = store._database.read(
            lambda db: [
                db.execute("SELECT count(*) FROM messages").fetchone()[0],
                db.execute("SELECT count(*) FROM messages_text('secret')").fetchone()[0],
            ]
        )
        store._database.write(
            lambda db: db.execute(
                "INSERT INTO messages_text (messages_text, rank) VALUES ('integrity-check', 1)"
            )
        )

    assert rest == [0, 0]


def test_long_thread_shows_its_newest_messages(path: Path) -> None:
    with opened(path) as store:
        turn = say(store)
        store._database.write(
            lambda db: db.execute(
                "WITH RECURSIVE more (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM more LIMIT ?)"
                " INSERT INTO messages (conversation, position, turn_id, role, content, created_at)"
                " SELECT 1, n, 'turn-' || n, 'user', 'Q' || n, 0 FROM more",
                (MAX_THREAD_MESSAGES,),
            )
        )
        thread = store.read_thread(turn.conversation_id)
        page = store.read_session(SESSION, limit=1)

    assert len(thread.messages) == MAX_THREAD_MESSAGES
    assert [thread.messages[0].content, thread.messages[-1].content] == ["Q2", "Q5001"]
    assert page is not None
    assert page.messages[0] == thread.messages[-1]
