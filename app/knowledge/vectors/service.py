"""The sidecar's connections, and its questions: answered on a thread, or refused at once."""

import logging
import queue
import socket
import struct
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from app.domain.knowledge import Similarities
from app.knowledge.vectors.configuration import SidecarConfiguration
from app.knowledge.vectors.embedding import Embedder, EmbeddingFailed
from app.knowledge.vectors.indexes import Indexes, UnknownIndex
from app.knowledge.vectors.sidecar import rss_bytes
from app.knowledge.vectors.wire import (
    MAX_LINE_BYTES,
    MAX_NEAREST,
    MAX_QUESTION_CHARS,
    SidecarStatus,
    from_line,
    similarities_to_fields,
    status_to_fields,
    to_line,
)

log = logging.getLogger(__name__)

_MAX_WAITING = 16
_MAX_WITHIN_MS = 10_000
_MAX_CONNECTIONS = 200
_STACK_BYTES = 1024**2


class Refused(Exception):
    """A question that is not answered; the argument says why, as the wire has it."""


@dataclass(slots=True)
class _Link:
    """A connection; several threads answer over it."""

    socket: socket.socket
    lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, fields: Mapping[str, Any]) -> None:
        with self.lock:
            try:
                self.socket.sendall(to_line(fields))
            except OSError:  # who asked has gone, or does not read: half a line ends it
                with suppress(OSError):
                    self.socket.shutdown(socket.SHUT_RDWR)


@dataclass(slots=True)
class _Question:
    link: _Link
    id: int
    index: str
    text: str
    k: int
    within_s: float
    asked_at: float = field(default_factory=time.monotonic)

    @classmethod
    def read(cls, link: _Link, fields: Mapping[str, Any]) -> "_Question":
        return cls(
            link, int(fields["id"]), str(fields["index"]),
            str(fields["question"])[:MAX_QUESTION_CHARS],
            max(1, min(int(fields["k"]), MAX_NEAREST)),
            max(0, min(int(fields["withinMs"]), _MAX_WITHIN_MS)) / 1000,
        )  # fmt: skip

    @property
    def is_late(self) -> bool:
        return time.monotonic() - self.asked_at > self.within_s


class Service:
    """What one sidecar does for all who connect."""

    def __init__(self, embedder: Embedder, configuration: SidecarConfiguration) -> None:
        self._embedder = embedder
        self._fingerprint = configuration.fingerprint
        self._indexes = Indexes(configuration.folder, embedder)
        self._waiting: queue.Queue[_Question] = queue.Queue(_MAX_WAITING)
        self._counting = threading.Lock()
        self._counts = {"answered": 0, "late": 0, "refused": 0}
        self._started_at = time.monotonic()
        self._working: dict[int, float] = {}
        self._problem: str | None = None
        self.connections = 0
        self.is_outdated = False

    def start(self) -> None:
        """Begin to work: a thread for passages, and those for questions."""
        threading.stack_size(_STACK_BYTES)
        threading.Thread(target=self._indexes.run, daemon=True).start()
        for _ in range(self._embedder.parallel):
            threading.Thread(target=self._answer_questions, daemon=True).start()

    def serve(self, link: socket.socket) -> None:
        """Read a connection to its end, on a thread of its own."""
        if self.connections >= _MAX_CONNECTIONS:
            link.close()
            return
        with self._counting:
            self.connections += 1
        link.setblocking(True)
        link.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 1, 0))
        threading.Thread(target=self._read, args=(link,), daemon=True).start()

    def busy_s(self) -> float:
        """Return for how long the oldest question is being worked at."""
        began = min(list(self._working.values()), default=None)
        return 0.0 if began is None else time.monotonic() - began

    def status(self) -> SidecarStatus:
        """Return what there is to be seen from outside."""
        return SidecarStatus(
            model=self._embedder.name,
            rss_bytes=rss_bytes(),
            uptime_s=round(time.monotonic() - self._started_at, 1),
            indexes=self._indexes.statuses(),
            **self._counts,
        )

    def _count(self, what: str) -> None:
        with self._counting:
            self._counts[what] += 1

    def _read(self, accepted: socket.socket) -> None:
        link = _Link(accepted)
        try:
            with accepted, accepted.makefile("rb") as lines:
                hello = from_line(lines.readline(MAX_LINE_BYTES))
                if hello.get("hello") != self._fingerprint:
                    log.info("A worker has other settings than this sidecar")
                    self.is_outdated = True
                    return
                while line := lines.readline(MAX_LINE_BYTES):
                    self._take(link, from_line(line))
        except (OSError, ValueError, KeyError, TypeError) as error:
            if not isinstance(error, ConnectionError):
                log.warning("A connection was given up: %s", type(error).__name__)
        finally:
            with self._counting:
                self.connections -= 1

    def _take(self, link: _Link, fields: Mapping[str, Any]) -> None:
        match fields["do"]:
            case "nearest":
                self._take_question(_Question.read(link, fields))
            case "prepare":
                with suppress(UnknownIndex):
                    self._indexes.find(str(fields["index"]))
            case "status":
                link.send({"id": fields["id"], **status_to_fields(self.status())})
            case _:
                raise ValueError("an unknown request")

    def _take_question(self, question: _Question) -> None:
        try:
            if not self._indexes.find(question.index).is_ready:
                raise Refused("unready")
            self._waiting.put_nowait(question)
        except UnknownIndex:
            self._refuse(question, "unknown")
        except queue.Full:
            self._refuse(question, "busy")
        except Refused as refused:
            self._refuse(question, str(refused))

    def _refuse(self, question: _Question, why: str) -> None:
        self._count("refused")
        question.link.send({"id": question.id, "refused": why})

    def _answer_questions(self) -> None:
        me = threading.get_ident()
        while True:
            question = self._waiting.get()
            if question.is_late:  # nobody waits for it any more
                self._count("late")
                continue
            self._working[me] = time.monotonic()
            try:
                found = self._look(question)
            except Refused as refused:
                self._refuse(question, str(refused))
            else:
                self._count("late" if question.is_late else "answered")
                question.link.send({"id": question.id, **similarities_to_fields(found)})
            finally:
                self._working.pop(me, None)

    def _look(self, question: _Question) -> Similarities:
        try:
            vector = self._embedder.embed_question(question.text)
            matrix = self._indexes.find(question.index).matrix
            found = matrix and matrix.nearest(vector, question.k)
        except EmbeddingFailed as failure:
            if failure.code != self._problem:  # else it is known
                log.warning("A question was not embedded: %s", failure.code)
            self._problem = failure.code
            raise Refused("failed") from None
        except (UnknownIndex, ValueError):
            raise Refused("failed") from None
        if not found:
            raise Refused("unready")
        self._problem = None
        return found
