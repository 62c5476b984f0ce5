"""How a worker starts the sidecar: as a process that outlives it, and knows no secret of others."""

import logging
import os
import sys
from contextlib import suppress

from app.knowledge.vectors.client import SidecarClient
from app.knowledge.vectors.configuration import SidecarConfiguration
from app.settings import Settings
from app.settings.reader import ROOT

log = logging.getLogger(__name__)

# Without the current folder, which may have an `app` of its own.
_PROGRAM = (sys.executable, "-P", "-m", "app.knowledge.vectors")
_INHERITED = (
    "PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "PYTHONHOME", "VIRTUAL_ENV",
    "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR",
)  # fmt: skip


class Spawn:
    """Starts a sidecar; where there is one already, the new one ends by itself.

    Its output goes where this process's does. It stands in a group of its own: signals
    to the server's do not reach it, and it ends once no worker was connected for 20 seconds.
    """

    def __init__(self, configuration: SidecarConfiguration) -> None:
        self._configuration = configuration
        self.process_id: int | None = None

    def __call__(self) -> None:
        """Start one, unless the last that this started still runs. Takes about a millisecond."""
        if self.process_id is not None and _is_running(self.process_id):
            return  # it is about to listen
        reader, writer = os.pipe()
        try:
            # Not subprocess: gevent's forks this whole process, and there is no other then.
            self.process_id = os.posix_spawn(
                _PROGRAM[0], _PROGRAM, _environment(), setpgroup=0, setsigmask=(),
                file_actions=[(os.POSIX_SPAWN_DUP2, reader, 0)],
            )  # fmt: skip
            # On standard input, since others may read a process's arguments. It fits into the pipe.
            with suppress(BrokenPipeError):
                os.write(writer, self._configuration.to_json().encode())
        except OSError as error:
            log.warning("The sidecar of vectors cannot be started: %s", type(error).__name__)
        finally:
            os.close(reader)
            os.close(writer)


def _is_running(process_id: int) -> bool:
    try:
        return os.waitpid(process_id, os.WNOHANG) == (0, 0)
    except ChildProcessError:  # somebody else has seen its end
        return False


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    # An arena of memory for each thread would count as 64 MB of addresses.
    return {**kept, "PYTHONPATH": path, "MALLOC_ARENA_MAX": "2", "PYTHONUNBUFFERED": "1"}


def make_nearest(settings: Settings) -> SidecarClient | None:
    """Return how this machine finds passages by meaning; ``None`` where ``VECTORS`` is off."""
    if not settings.uses_vectors:
        return None
    configuration = SidecarConfiguration.from_settings(settings)
    return SidecarClient(configuration, Spawn(configuration))
