"""Starts the process that learns an assistant's pages, and tells how it goes.

What is fetched and read is read in a process of its own, ``python -m app learn``: a page that
brings its parser down must not take an answer with it. One learns at a time, whoever
started it: it holds the job ``learn:<assistant>`` in the store.
"""

import contextlib
import logging
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import gevent

from app.domain.errors import Conflict, InvalidRequest, NotConfigured
from app.domain.knowledge import MAX_KEY_CHARS
from app.operations.knowledge.commands import Child, Spawn, spawn_command
from app.operations.knowledge.learning_report import read_report
from app.storage.document_store import DocumentStore

log = logging.getLogger(__name__)

MAX_FILE_BYTES = 20 * 1024 * 1024
# What the learner reads; what it finds inside decides, not this ending.
FILE_ENDINGS = (".html", ".htm", ".md", ".markdown", ".txt", ".pdf", ".docx", ".csv")
MAX_NAME_CHARS = 120
_UPLOADS = "uploads"
# A file that nobody took away: its process was killed.
_LEFT_BEHIND_S = 24 * 3600
MAX_PATTERNS = 20
_PATTERN = re.compile(r"[/*]\S{0,199}")
_ADDRESS = re.compile(r"https?://[^\s/?#]+\S*")
_UNSAFE = re.compile(r"[^\w.()+ -]+")


class Learning:
    """Starts and stops the learner of one assistant; returns before it has learnt anything."""

    def __init__(
        self,
        store: DocumentStore,
        assistant: str,
        folder: Path,
        *,
        now_ms: Callable[[], int],
        spawn: Spawn = spawn_command,
    ) -> None:
        self._store = store
        self._assistant = assistant
        self._uploads = folder / _UPLOADS
        self._now_ms = now_ms
        self._spawn = spawn

    def learn_site(
        self, url: str, *, only: Sequence[str] = (), excluded: Sequence[str] = ()
    ) -> None:
        """Learn a site, from the page at an address on.

        ``only`` and ``excluded`` are patterns of paths, such as ``/docs/*``.

        Raises:
            InvalidRequest: it is no address of the web, or a pattern is none.
            Conflict: it is learning already.
        """
        words = [_address(url)]
        words += [word for each in _patterns(only, "only") for word in ("--only", each)]
        words += [word for each in _patterns(excluded, "not") for word in ("--not", each)]
        self._start(*words)

    def learn_sitemap(self, url: str) -> None:
        """Learn the pages that a sitemap names, and no others.

        Raises:
            InvalidRequest, Conflict: see ``learn_site``.
        """
        self._start("--sitemap", _address(url))

    def learn_again(self) -> None:
        """Look at all that was learnt again.

        Raises:
            Conflict: it is learning already.
        """
        self._start("--refresh")

    def cancel(self) -> None:
        """Ask whoever learns to stop; it does at its next page."""
        self._store.cancel_learning(self._assistant)

    @contextlib.contextmanager
    def taking(self, name: str) -> Iterator[Path]:
        """Give a place to write a file to, and take it away where that fails.

        Raises:
            InvalidRequest, Conflict: see ``place_for``.
            NotConfigured: the disk is full, or the folder refuses.
        """
        file: Path | None = None
        try:
            file = self.place_for(name)
            yield file
        except BaseException as error:
            if file is not None:
                discard(file)
            if isinstance(error, OSError):
                log.error("A file was not kept: %s", error.strerror)
                words = f"The file cannot be kept here: {error.strerror}"
                raise NotConfigured(words) from error
            raise

    def place_for(self, name: str) -> Path:
        """Return where a file of the owner's is to be written before it is learnt.

        Its folder is its own, and nobody else's to read; ``learn_file`` takes it away,
        and so must whoever does not come to that.

        Raises:
            InvalidRequest: it has no name, or is none of the kinds that are read.
            Conflict: it is learning already.
        """
        name = _file_name(name)
        self._check_idle()
        for each in (self._uploads.parent, self._uploads):
            each.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._sweep()
        folder = self._uploads / secrets.token_hex(8)
        folder.mkdir(mode=0o700)
        return folder / name

    def learn_file(self, file: Path) -> None:
        """Learn a file that stands where ``place_for`` said.

        Raises:
            Conflict: it is learning already.
        """
        try:
            child = self._start(str(file), watch=False)
        except BaseException:
            discard(file)
            raise
        gevent.spawn(_see_to_end, child, file)

    def _start(self, *words: str, watch: bool = True) -> Child:
        self._check_idle()
        try:
            child = self._spawn(["learn", *words, "--assistant", self._assistant])
        except OSError as error:
            raise NotConfigured(f"The learner cannot be started: {error.strerror}") from error
        if watch:
            gevent.spawn(_see_to_end, child)
        return child

    def _check_idle(self) -> None:
        # Two who ask at once both pass; the job's lease lets one of their learners go on.
        report = read_report(self._store, self._assistant)
        if report is not None and report.is_running(self._now_ms()):
            raise Conflict("It is learning already: wait for it, or cancel it")

    def _sweep(self) -> None:
        oldest = time.time() - _LEFT_BEHIND_S
        for folder in self._uploads.iterdir():
            with contextlib.suppress(OSError):
                if folder.stat().st_mtime < oldest:
                    shutil.rmtree(folder)


def discard(file: Path) -> None:
    """Take a file away that ``place_for`` had a place for."""
    shutil.rmtree(file.parent, ignore_errors=True)


def _see_to_end(child: Child, file: Path | None = None) -> None:
    try:
        code = child.wait()
        if code:
            log.warning("The learner ended with %d: %s", code, child.last_words())
    finally:
        if file is not None:
            discard(file)


def _address(url: str) -> str:
    url = url.strip()
    if not _ADDRESS.fullmatch(url) or len(url) > MAX_KEY_CHARS or not _has_host(url):
        rule = "Must be an address that begins with http:// or https://."
        raise InvalidRequest("This is no address of the web", details={"url": [rule]})
    return url


def _has_host(url: str) -> bool:
    """Tell whether an address leads to a host, and neither to a user of it nor nowhere."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0 and parts.username is None
    except ValueError:
        return False


def _patterns(given: Sequence[str], field: str) -> Sequence[str]:
    patterns = [each for each in map(str.strip, given) if each]
    if len(patterns) > MAX_PATTERNS or not all(map(_PATTERN.fullmatch, patterns)):
        rule = f"At most {MAX_PATTERNS} paths, which begin with / or *."
        raise InvalidRequest("These are no patterns of paths", details={field: [rule]})
    return patterns


def _file_name(given: str) -> str:
    # Whatever folders a browser, or a script, put before it.
    name = _UNSAFE.sub("_", re.split(r"[/\\]", given)[-1]).strip(" .-")
    stem, dot, ending = name.rpartition(".")
    ending = f"{dot}{ending.lower()}"
    if not stem or ending not in FILE_ENDINGS:
        raise InvalidRequest(
            "Files of this kind are not read",
            details={"name": [f"Must end in {', '.join(FILE_ENDINGS)}."]},
        )
    return f"{stem[: MAX_NAME_CHARS - len(ending)]}{ending}"
