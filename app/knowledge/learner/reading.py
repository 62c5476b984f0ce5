"""Has pages and files read by a child process, which a bad one may crash, fill or hang."""

import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, cast

from app.knowledge.learner.limits import MAX_PAGE_S
from app.knowledge.learner.pages.frames import FRAME, MAX_ANSWER_BYTES
from app.knowledge.learner.pages.page import Page, Unreadable, from_json

_CHILD = (sys.executable, "-m", "app.knowledge.learner.reading_child")
_ROOT = Path(__file__).parents[3]
_PIECE_BYTES = 1 << 16
# So many pages leave crumbs in its memory; a new child takes 0.1 s.
_PAGES_A_CHILD = 2000


class Reading:
    """Reads one page after the other; a context manager that ends the child."""

    def __init__(
        self,
        *,
        command: Sequence[str] = _CHILD,
        timeout_s: float = MAX_PAGE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._command = command
        self._timeout_s = timeout_s
        self._clock = clock
        self._child: subprocess.Popen[bytes] | None = None
        self._left = 0

    def __enter__(self) -> "Reading":
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._end()

    def read(self, body: bytes, kind: str, name: str, charset: str | None = None) -> Page:
        """Read a file of a kind that ``kinds.kind_of`` names.

        Raises:
            Unreadable: it is not what it is said to be, or the child died of it.
        """
        asked = json.dumps({"kind": kind, "name": name, "charset": charset}).encode()
        child = self._running()
        try:
            pipe = cast(IO[bytes], child.stdin)
            pipe.write(FRAME.pack(len(asked), len(body)) + asked)
            pipe.write(body)
            pipe.flush()
            answer = json.loads(self._receive(child))
        except Unreadable:
            self._end()
            raise
        except (OSError, ValueError) as error:
            self._end()
            raise Unreadable("reading it ended its process") from error
        except BaseException:  # of a signal: what is on its way would answer another question
            self._end()
            raise
        if "error" in answer:
            if "memory" in answer["error"]:
                self._end()
            raise Unreadable(answer["error"])
        return from_json(answer["page"])

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._left == 0:
            self._end()
            self._child = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=_ROOT,
                env={"PATH": os.defpath, "PYTHONPATH": str(_ROOT), "PYTHONUTF8": "1"},
                start_new_session=True,  # Ctrl-C is for us: it ends with us
            )
            self._left = _PAGES_A_CHILD
        self._left -= 1
        return self._child

    def _receive(self, child: subprocess.Popen[bytes]) -> bytes:
        until = self._clock() + self._timeout_s
        answer_bytes, _ = FRAME.unpack(self._take(child, FRAME.size, until))
        if answer_bytes > MAX_ANSWER_BYTES:
            raise Unreadable("reading it ended its process")
        return self._take(child, answer_bytes, until)

    def _take(self, child: subprocess.Popen[bytes], count: int, until: float) -> bytes:
        file = cast(IO[bytes], child.stdout).fileno()
        taken = bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(file, selectors.EVENT_READ)
            while len(taken) < count:
                if not selector.select(max(0.0, until - self._clock())):
                    raise Unreadable(f"reading it took longer than {self._timeout_s:g} s")
                piece = os.read(file, min(_PIECE_BYTES, count - len(taken)))
                if not piece:
                    raise Unreadable("reading it ended its process")
                taken += piece
        return bytes(taken)

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        for pipe in (child.stdin, child.stdout):
            with suppress(OSError):  # what it did not read any more
                cast(IO[bytes], pipe).close()
        child.wait()
