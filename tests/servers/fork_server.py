"""A fork server: it has imported what a server imports, and forks one at each request.

Imports are two thirds of a start's CPU, and the tests start hundreds of servers. Gunicorn itself
and the application begin after the fork, in the server's own environment; Pythons that begin
with nothing have tests of their own, ``tests/deploy`` and ``tests/live/test_readme.py``.

As a program it reads JSON from the socket on descriptor 0: arguments, folder and environment of
a server, with the descriptors of a log and of a pipe. On that it tells the process id and, in the
end, the exit code.
"""

import atexit
import functools
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from gevent import config as gevent_config
from gevent import monkey

# All that a start imports, but for what gunicorn's settings take from the environment then.
IMPORTED = ("app.factory", "app.operations.diagnostics")
MAX_REQUEST = 128 * 1024


class Process:
    """A process that the fork server started, as ``subprocess.Popen`` would show it."""

    def __init__(self, told: int) -> None:
        self._told = told
        self.pid = int(os.read(told, 32))
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return the exit code, ``None`` while it runs."""
        return self._read(0)

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code; raise ``subprocess.TimeoutExpired`` after ``timeout`` seconds."""
        code = self._read(timeout)
        if code is None:
            raise subprocess.TimeoutExpired("a server", timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def _read(self, timeout_s: float | None) -> int | None:
        if self.returncode is None and select.select([self._told], [], [], timeout_s)[0]:
            self.returncode = int(os.read(self._told, 32))
            os.close(self._told)
        return self.returncode


def start(arguments: list[str], cwd: Path, environment: dict[str, str], log: int) -> Process:
    """Start gunicorn with these arguments; its output goes to the descriptor ``log``."""
    told, tells = os.pipe()
    request = {"arguments": arguments, "cwd": str(cwd), "environment": environment}
    try:
        socket.send_fds(_server(), [json.dumps(request).encode()], [log, tells])
    finally:
        os.close(tells)
    return Process(told)


@functools.cache
def _server() -> socket.socket:
    """Start the fork server of this process; it ends with it."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with its:
        process = subprocess.Popen([sys.executable, "-um", __name__], stdin=its)
    atexit.register(process.wait)
    atexit.register(ours.close)
    return ours


def _serve() -> None:
    # As gunicorn.conf.py begins.
    gevent_config.track_greenlet_tree = False
    # What gevent does not replace: this process has no loop, and its children none of its own.
    fork, wait, handle = os.fork, os.waitpid, signal.signal
    requests = socket.socket(fileno=0)
    monkey.patch_all()
    gc.disable()
    for name in IMPORTED:
        import_module(name)
    pipes: dict[int, int] = {}

    def tell_ends(*_: object) -> None:
        while pipes:
            pid, status = wait(-1, os.WNOHANG)
            if not pid:
                return
            os.write(pipes[pid], b"%d" % os.waitstatus_to_exitcode(status))
            os.close(pipes.pop(pid))

    handle(signal.SIGCHLD, tell_ends)
    while True:
        data, descriptors, *_ = socket.recv_fds(requests, MAX_REQUEST, 2)
        if not data:
            return
        log, tells = descriptors
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
        pid = fork()
        if not pid:
            handle(signal.SIGCHLD, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
            _become(json.loads(data), log, [tells, *pipes.values()])
        pipes[pid] = tells
        os.close(log)
        os.write(tells, b"%d" % pid)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])


def _become(request: dict[str, Any], log: int, not_its: list[int]) -> None:
    """Turn this process into the server; never returns."""
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, place in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(descriptor, place)
    for descriptor in (nothing, log, *not_its):
        os.close(descriptor)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = ["gunicorn", *request["arguments"]]
    import_module("gunicorn.app.wsgiapp").run()
    sys.exit()


if __name__ == "__main__":
    _serve()
