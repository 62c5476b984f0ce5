"""The operator's commands, as docs/deploy/host.md and docs/deploy/docker.md write them."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.deployment import VENV, Deployment
from tests.deploy.platforms import ROOT, checkout, compose, host
from tests.docs.blocks import blocks_of
from tests.live.eventually import eventually
from tests.servers.upstream import Upstream

pytestmark = pytest.mark.live

# Users that no machine has, as those of DynamicUser=yes. Only root can be them.
SERVICE_UID = 61_234
HOSTILE = """He said "$HOME" and '`touch pwned`'; $(touch pwned) & touch pwned | 100% #1 \\ end"""


def the_documents_switch(document: str) -> str:
    """Return the command line that a page has for the emergency switch."""
    (block,) = [each for each in blocks_of(document) if each.run_by and "switch" in each.text]
    return block.text.strip()


class HostDeployment(Deployment):
    """The service of a host, with the unit and the settings' file that systemd would have."""

    def __init__(self, upstream: Upstream, folder: Path) -> None:
        (folder / "opt").mkdir()
        app = folder / "opt" / "perch"
        checkout(app)
        (app / ".venv").symlink_to(VENV.parent)
        super().__init__(host(), upstream, app, folder)
        self.app = app
        self.data = folder / "data"
        unit = (app / "deploy/perch.service").read_text()
        here = {"/opt/perch": app, "/var/lib/perch": self.data, "/etc/perch.env": folder / "env"}
        for place, path in here.items():
            unit = unit.replace(place, str(path))
        (folder / "perch.service").write_text(unit)
        self.environment["SYSTEM_PROMPT"] = HOSTILE
        given = {**self.environment, "APP_ENV": None, "SQLITE_PATH": None, "SPOOL_PATH": None}
        escaped = {
            name: re.sub(r'(["\\`$])', r"\\\1", value) for name, value in given.items() if value
        }
        (folder / "env").write_text("".join(f'{name}="{escaped[name]}"\n' for name in escaped))
        (folder / "env").chmod(0o600)
        if os.geteuid() == 0:
            os.chown(self.data, SERVICE_UID, SERVICE_UID)
            power = "-all,+dac_read_search"  # the tests' folders are root's alone
            self.command = [
                "setpriv", f"--reuid={SERVICE_UID}", f"--regid={SERVICE_UID}", "--clear-groups",
                f"--inh-caps={power}", f"--ambient-caps={power}", "--", *self.command,
            ]  # fmt: skip

    def run(self, line: str, **more: str) -> "subprocess.CompletedProcess[str]":
        """Run a line of the page in root's shell, whose own settings are others."""
        return subprocess.run(
            ["sh", "-c", line.replace("/opt/perch", str(self.app))],
            cwd="/",
            env={
                "PATH": os.environ["PATH"],
                "SYSTEMD_UNIT_PATH": str(self.directory),
                "SQLITE_PATH": "elsewhere.db",
                "PERCH_ENV_FILE": "elsewhere.env",
                **more,
            },
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip


@pytest.fixture(scope="module")
def service(
    session_upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[HostDeployment]:
    """A host's service, which runs."""
    deployment = HostDeployment(session_upstream, tmp_path_factory.mktemp("host"))
    try:
        yield deployment.start_again()  # nobody has chatted yet
    finally:
        deployment.kill()


def test_the_switch_of_the_hosts_page_stops_the_running_service(service: HostDeployment) -> None:
    line = the_documents_switch("docs/deploy/host.md")
    eventually((service.data / "chat.db").exists)

    told = service.run(line)

    assert (told.returncode, told.stdout) == (0, "The assistant is off.\n"), told.stderr
    assert told.stderr == f"on SQLite {service.data}/chat.db (production)\n"
    eventually(lambda: service.chat("Hi").status == 503)
    assert service.chat("Hi").json["code"] == "switched_off"
    assert service.run(line.replace("off", "on")).returncode == 0
    eventually(lambda: service.chat("Hi").status == 200)


def test_a_command_leaves_no_file_of_another_user_and_none_elsewhere(
    service: HostDeployment,
) -> None:
    before = sorted(service.app.rglob("*"))
    line = the_documents_switch("docs/deploy/host.md").replace("switch off", "conversations list")

    assert service.run(line).returncode == 0

    owners = {path.stat().st_uid for path in (service.data, *service.data.rglob("*"))}
    assert owners == {SERVICE_UID if os.geteuid() == 0 else os.geteuid()}
    assert [path for path in sorted(service.app.rglob("*")) if path not in before] == []


def test_no_value_of_the_settings_reaches_a_shell(service: HostDeployment) -> None:
    show = (
        'import sys; sys.path.insert(0, "/opt/perch"); from deploy import as_service as a; '
        'print(a.read_environment(a.read_service(sys.argv[1]))["SYSTEM_PROMPT"])'
    )
    line = f"/opt/perch/.venv/bin/python -I -c '{show}' {service.directory}"

    told = service.run(line)

    assert told.stdout == f"{HOSTILE}\n", told.stderr
    assert not list(service.directory.rglob("pwned"))


def test_a_plain_command_beside_the_service_says_that_it_has_no_store(
    service: HostDeployment,
) -> None:
    told = service.run("cd /opt/perch && env -i .venv/bin/python -m app switch off")

    assert told.returncode == 1
    first, error = told.stderr.splitlines()
    assert first == f"on SQLite {service.app}/data/chat.db (development)"
    assert "deploy/perch" in error
    assert not (service.app / "data").exists()


def test_without_a_unit_it_says_so(service: HostDeployment) -> None:
    told = service.run("/opt/perch/deploy/perch stats", SYSTEMD_UNIT_PATH="/nowhere")

    assert told.returncode == 1
    assert told.stderr.startswith("There is no perch.service in /nowhere")


def test_a_link_to_the_command_does_as_well(service: HostDeployment) -> None:
    (service.directory / "perch").symlink_to(service.app / "deploy/perch")

    assert service.run(f"{service.directory}/perch switch").returncode == 0


def test_the_switch_of_dockers_page_stops_the_running_service(
    session_upstream: Upstream, image_folder: Path, tmp_path: Path
) -> None:
    """No daemon here: what is executed in the container runs where and as the server does."""
    program, line = the_documents_switch("docs/deploy/docker.md").split(" perch ", 1)
    assert program == "docker compose exec"
    deployment = Deployment(compose(), session_upstream, image_folder, tmp_path)
    try:
        deployment.start_again()
        eventually((tmp_path / "data/chat.db").exists)

        told = subprocess.run(
            ["sh", "-c", line], cwd=image_folder, env=deployment.environment,
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

        assert (told.returncode, told.stdout) == (0, "The assistant is off.\n"), told.stderr
        assert told.stderr == f"on SQLite {tmp_path}/data/chat.db (production)\n"
        eventually(lambda: deployment.chat("Hi").status == 503)
    finally:
        deployment.kill()


def test_the_pages_name_the_commands_in_one_way() -> None:
    for page in ("docs/security.md", "docs/limits.md", "docs/dashboard.md"):
        assert "flask --app" not in (ROOT / page).read_text()
