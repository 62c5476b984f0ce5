"""The sidecar: one process of a machine that embeds questions and passages for its workers."""

import fcntl
import logging
import os
import resource
import signal
import socket
import sys
import threading
import time
import traceback
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import IO, Any

from app.knowledge.vectors.configuration import SidecarConfiguration

log = logging.getLogger(__name__)

# It writes to the server's output, whose reader waits for the end of both. A new one
# is there within a second.
IDLE_EXIT_S = 20
MAX_RSS_BYTES = 450 * 1024**2
# The engine does not survive an allocation that fails: a backstop, far above what it takes.
_MAX_ADDRESS_SPACE_BYTES = 2 * 1024**3
_HUNG_S = 30
_BACKLOG = 128
# Each pool of these libraries would take all cores, which belong to the workers.
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def run_sidecar(configuration: SidecarConfiguration, *, idle_exit_s: float = IDLE_EXIT_S) -> int:
    """Serve until nobody was connected for a while, or SIGTERM; return the exit code.

    Returns 0 at once where another process serves this folder already. Ends the whole
    process at last: the engine's threads are not to outlive what they work on.
    """
    configuration.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = _lock(configuration.lock_path)
    if lock is None:
        return 0
    os.environ.update(_ONE_THREAD)
    with suppress(ValueError, OSError):  # a lower limit than ours holds
        resource.setrlimit(resource.RLIMIT_AS, (_MAX_ADDRESS_SPACE_BYTES,) * 2)
    with suppress(OSError):  # where memory runs out, the workers stay
        Path("/proc/self/oom_score_adj").write_text("500")
    # Before the model: who asks meanwhile waits in the queue of the socket, and not for a start.
    with _listen(configuration.socket_path) as listener:
        code = _serve(listener, configuration, idle_exit_s)
    with suppress(OSError):
        configuration.socket_path.unlink()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _lock(path: Path) -> IO[bytes] | None:
    lock = path.open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock


def _listen(path: Path) -> socket.socket:
    """Listen on a socket that this user alone may open."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.parent.stat().st_uid != os.getuid():
        raise PermissionError(f"{path.parent} is somebody else's")
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(before)
    listener.listen(_BACKLOG)
    return listener


def _serve(listener: socket.socket, configuration: SidecarConfiguration, idle_exit_s: float) -> int:
    # Here, since numpy reads the variables above while it is loaded.
    from app.knowledge.vectors.embedding import make_embedder
    from app.knowledge.vectors.service import Service

    service = Service(make_embedder(configuration), configuration)
    ending = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        ending.set()

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, end)
    threading.excepthook = _end_with_thread
    service.start()
    log.info("Vectors are served by process %d", os.getpid())
    listener.settimeout(min(1.0, idle_exit_s / 3))
    idle_since = time.monotonic()
    while not ending.is_set() and not service.is_outdated:
        with suppress(TimeoutError, ConnectionError):
            link, _ = listener.accept()
            service.serve(link)
        now = time.monotonic()
        idle_since = now if service.connections else idle_since
        if now - idle_since > idle_exit_s:
            log.info("The sidecar ends: nobody asks it")
            return 0
        if problem := _problem(service):
            log.error("The sidecar ends: %s", problem)
            return 1
    log.info("The sidecar ends")
    return 0


def _end_with_thread(failure: threading.ExceptHookArgs) -> None:
    """End where a thread failed: a new process does better than one that lacks a thread."""
    # Without the error's own words, which may quote a text.
    trace = "".join(traceback.format_tb(failure.exc_traceback))
    log.error("The sidecar ends: %s\n%s", failure.exc_type.__name__, trace)
    os._exit(1)


def _problem(service: Any) -> str | None:
    if service.busy_s() > _HUNG_S:
        return "a question takes too long"
    if rss_bytes() > MAX_RSS_BYTES:
        return "it has taken too much memory"
    return None


def rss_bytes() -> int:
    """Return the memory that this process has now; its most so far, where that is not told."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
    return pages * resource.getpagesize()
