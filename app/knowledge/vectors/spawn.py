"""How a worker starts the sidecar: as a process that outlives it, and knows no secret of others."""

import logging
import os
import subprocess
import sys
from contextlib import suppress
from typing import Any

import gevent
from gevent import monkey

from app.knowledge.vectors.client import SidecarClient
from app.knowledge.vectors.configuration import SidecarConfiguration
from app.settings import Settings
from app.settings.reader import ROOT

log = logging.getLogger(__name__)

# gevent's own forks this whole process, and watches the child from the hub.
_Popen: Any = monkey.get_original("subprocess", "Popen")
_INHERITED = (
    "PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV",
    "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR",
)  # fmt: skip


class Spawn:
    """Starts a sidecar on a thread; where there is one already, the new one ends by itself.

    Its output goes where this process's does. It stands in a session of its own: signals
    to the server do not reach it, and it ends once no worker was connected for 5 minutes.
    """

    def __init__(self, configuration: SidecarConfiguration) -> None:
        self._configuration = configuration
        self._child: Any = None

    def __call__(self) -> None:
        """Start one; what comes of it, the log says."""
        gevent.get_hub().threadpool.spawn(self.start)

    def start(self) -> int | None:
        """Start one, on the thread that calls; return its process id."""
        if self._child is not None and self._child.poll() is None:
            return int(self._child.pid)  # it is about to listen, or another has the lock
        try:
            self._child = _Popen(
                [sys.executable, "-m", "app.knowledge.vectors"],
                cwd=ROOT, env=_environment(), stdin=subprocess.PIPE, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            log.warning("The sidecar of vectors cannot be started: %s", type(error).__name__)
            return None
        # On standard input, since others may read a process's arguments.
        with suppress(OSError), self._child.stdin as pipe:
            pipe.write(self._configuration.to_json().encode())
        return int(self._child.pid)


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    # An arena of memory for each thread would count as 64 MB of addresses.
    return {**kept, "MALLOC_ARENA_MAX": "2", "PYTHONUNBUFFERED": "1"}


def make_nearest(settings: Settings) -> SidecarClient | None:
    """Return how this machine finds passages by meaning; ``None`` where ``VECTORS`` is off."""
    if not settings.uses_vectors:
        return None
    configuration = SidecarConfiguration.from_settings(settings)
    return SidecarClient(configuration, Spawn(configuration))
