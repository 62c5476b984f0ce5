"""Answers that the store would not take, kept until it does.

An answer that a visitor has read must not be lost because the store was away
at its end. It is retried while this process lives; a copy on the disk, which
only the service's own user can read, waits for the next process. The store
fences each answer by its turn's attempt, so that trying twice, or from two
processes, changes nothing.
"""

import hashlib
import json
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import gevent
from structlog.contextvars import bound_contextvars

from app.domain.conversation import Answer, Turn, Usage
from app.domain.errors import ServiceError
from app.domain.knowledge import Source

log = logging.getLogger(__name__)

_FIRST_PAUSE_S = 0.5
_LAST_PAUSE_S = 30.0

FinishTurn = Callable[[Turn, Answer], object]
"""Stores an answer; false when another attempt overtook it."""


class RetryQueue:
    """Unstored answers of this process, with a file each in ``directory``.

    A directory that cannot be written costs only the copy on the disk.
    """

    def __init__(self, directory: Path, finish_turn: FinishTurn) -> None:
        self._directory = directory
        self._finish_turn = finish_turn
        self._waiting: dict[str, tuple[Turn, Answer]] = {}
        self._retrying = False

    def __len__(self) -> int:
        return len(self._waiting)

    def keep(self, turn: Turn, answer: Answer) -> None:
        """Hold an answer, and try to store it until that succeeds. Never raises."""
        name = _name(turn)
        self._waiting[name] = turn, answer
        failure = gevent.get_hub().threadpool.apply(
            _try_to_write, (self._directory / name, turn, answer)
        )
        if failure is not None:
            log.error("An unstored answer is kept in memory only: %s", failure)
        self._retry_soon()

    def adopt(self) -> None:
        """Take over what earlier processes left behind."""
        for path in self._left_behind():
            try:
                self._waiting[path.name] = _read(path)
            except (OSError, ValueError, TypeError, KeyError) as error:
                log.error("%s in the retry queue cannot be read: %s", path.name, error)
        if self._waiting:
            self._retry_soon()

    def _left_behind(self) -> list[Path]:
        try:
            return sorted(path for path in self._directory.iterdir() if path.suffix == ".json")
        except FileNotFoundError:
            pass
        except OSError as error:
            log.error("Answers that wait there cannot be looked for: %s", error)
        return []

    def retry(self) -> None:
        """Try each answer once more."""
        for name, (turn, answer) in list(self._waiting.items()):
            with bound_contextvars(
                id=answer.request_id, conversation=turn.conversation_id, turn=turn.id
            ):
                self._retry_one(name, turn, answer)

    def _retry_one(self, name: str, turn: Turn, answer: Answer) -> None:
        try:
            stored = bool(self._finish_turn(turn, answer))
        except ServiceError:
            return
        except Exception:  # a bug: the next version may know better
            log.exception("An answer cannot be stored, and stays in the retry queue as %s", name)
            del self._waiting[name]
            return
        log.info("A spooled answer was %s", "stored" if stored else "overtaken, and dropped")
        del self._waiting[name]
        with suppress(OSError):  # there may be no copy
            (self._directory / name).unlink()

    def _retry_soon(self) -> None:
        if not self._retrying:
            self._retrying = True
            gevent.spawn(self._retry_until_empty)

    def _retry_until_empty(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while self._waiting:
            gevent.sleep(pause_s)
            self.retry()
            pause_s = min(pause_s * 2, _LAST_PAUSE_S)
        self._retrying = False


def _name(turn: Turn) -> str:
    key = f"{turn.conversation_id} {turn.id} {turn.attempt}"
    return f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"


def _try_to_write(path: Path, turn: Turn, answer: Answer) -> OSError | None:
    # Returned, not raised: gevent prints what is raised in its threads, and
    # where that cannot be printed either, whoever waits is never woken.
    try:
        _write(path, turn, answer)
    except OSError as error:
        return error
    return None


def _write(path: Path, turn: Turn, answer: Answer) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fields: dict[str, Any] = {
        "turn": {
            "id": turn.id,
            "attempt": turn.attempt,
            "session_id": turn.session_id,
            "conversation_id": turn.conversation_id,
        },
        "answer": asdict(answer),
    }
    draft = path.with_suffix(".draft")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(fields, file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _read(path: Path) -> tuple[Turn, Answer]:
    fields = json.loads(path.read_text())
    answer = fields["answer"]
    usage = answer.pop("usage")
    sources = answer.pop("sources", None)
    return (
        Turn(prompt=(), **fields["turn"]),
        Answer(
            usage=Usage(**usage) if usage else None,
            sources=sources and [Source(*each) for each in sources],
            **answer,
        ),
    )
