"""Answers that the store would not take."""

import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.contextvars import get_contextvars

from app.domain.conversation import Answer, Turn, Usage
from app.domain.errors import StorageUnavailable
from app.storage.retry_queue import RetryQueue

TURN = Turn("turn-0001", 2, "session-1", "conversation-1", ())
ANSWER = Answer("What was said", "partial", usage=Usage(12, 3), latency_ms=40, charged_tokens=15)


class FickleStore:
    """Takes answers while ``error`` is ``None``, and says what it is told to."""

    def __init__(self, error: Exception | None = None, applies: bool = True) -> None:
        self.error = error
        self.applies = applies
        self.stored: list[tuple[Turn, Answer]] = []

    def finish_turn(self, turn: Turn, answer: Answer) -> bool:
        if self.error is not None:
            raise self.error
        self.stored.append((turn, answer))
        return self.applies


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def away() -> FickleStore:
    return FickleStore(StorageUnavailable())


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_kept_answer_is_stored_when_the_store_is_back(folder: Path, away: FickleStore) -> None:
    spool = RetryQueue(folder, away.finish_turn)
    spool.keep(TURN, ANSWER)
    spool.retry()
    assert (len(spool), len(files(folder))) == (1, 1)

    away.error = None
    spool.retry()

    assert away.stored == [(TURN, ANSWER)]
    assert (len(spool), files(folder)) == (0, [])


def test_what_is_said_after_an_answer_does_not_bear_its_ids(folder: Path) -> None:
    bound: list[dict[str, object]] = []

    def finish_turn(_turn: Turn, _answer: Answer) -> bool:
        bound.append(get_contextvars())
        raise StorageUnavailable

    spool = RetryQueue(folder, finish_turn)
    spool.keep(TURN, replace(ANSWER, request_id="request-1"))
    before = get_contextvars()

    spool.retry()

    ids = {"id": "request-1", "conversation": "conversation-1", "turn": "turn-0001"}
    assert bound == [{**before, **ids}]
    assert get_contextvars() == before


def test_only_the_services_own_user_can_read_it(folder: Path, away: FickleStore) -> None:
    RetryQueue(folder, away.finish_turn).keep(TURN, ANSWER)

    (name,) = files(folder)
    assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_next_process_takes_it_over(folder: Path, away: FickleStore) -> None:
    RetryQueue(folder, away.finish_turn).keep(TURN, ANSWER)
    back = FickleStore()
    later = RetryQueue(folder, back.finish_turn)

    later.adopt()
    later.retry()

    assert back.stored == [(TURN, ANSWER)]
    assert files(folder) == []


def test_overtaken_answer_is_dropped(folder: Path, away: FickleStore) -> None:
    spool = RetryQueue(folder, away.finish_turn)
    spool.keep(TURN, ANSWER)
    away.error, away.applies = None, False

    spool.retry()

    assert (len(spool), files(folder)) == (0, [])


def test_answer_that_no_store_takes_stays_on_the_disk(folder: Path) -> None:
    broken = FickleStore(OverflowError("a bug"))
    spool = RetryQueue(folder, broken.finish_turn)
    spool.keep(TURN, ANSWER)

    spool.retry()

    assert (len(spool), len(files(folder))) == (0, 1)


def test_disk_that_cannot_be_written_costs_only_the_copy(tmp_path: Path, away: FickleStore) -> None:
    (tmp_path / "file").write_text("in the way")
    spool = RetryQueue(tmp_path / "file" / "spool", away.finish_turn)
    spool.keep(TURN, ANSWER)
    away.error = None

    spool.retry()

    assert away.stored == [(TURN, ANSWER)]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"{}", b"\xff", b'{"turn": {}, "answer": {}}']
)
def test_file_that_makes_no_sense_is_left_alone(
    folder: Path, away: FickleStore, content: bytes
) -> None:
    folder.mkdir()
    (folder / "odd.json").write_bytes(content)
    spool = RetryQueue(folder, away.finish_turn)

    spool.adopt()

    assert (len(spool), files(folder)) == (0, ["odd.json"])


def test_folder_that_cannot_be_entered_keeps_no_worker_from_starting(
    folder: Path, away: FickleStore, caplog: pytest.LogCaptureFixture
) -> None:
    folder.mkdir()
    spool = RetryQueue(folder / ("a" * 300), away.finish_turn)

    spool.adopt()

    assert len(spool) == 0
    assert "Answers that wait there" in caplog.text


def test_it_tries_by_itself(
    folder: Path, away: FickleStore, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    away.error = None
    spool = RetryQueue(folder, away.finish_turn)

    spool.keep(TURN, ANSWER)
    wait_until(lambda: len(spool) == 0)

    assert (away.stored, len(spool)) == ([(TURN, ANSWER)], 0)


@pytest.fixture
def wait_until(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], bool]], None]:
    """Lets the retrying greenlet try soon, and waits for what it shall bring about."""
    import gevent

    from app.storage import retry_queue as spool

    monkeypatch.setattr(spool, "_FIRST_PAUSE_S", 0.001)

    def wait_until(holds: Callable[[], bool]) -> None:
        # Not for the end of all greenlets: other tests of this process left some.
        with gevent.Timeout(5):
            while not holds():
                gevent.sleep(0.001)

    return wait_until
