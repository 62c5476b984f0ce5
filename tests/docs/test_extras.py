"""The optional packages, installed as docs/operations.md and the Dockerfile write it."""

import os
import re
import subprocess
import venv
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.deploy import dockerfile
from tests.deploy.platforms import checkout
from tests.docs.blocks import ROOT, blocks_of

# Loads from a package index, and builds.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

PIN = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)
LIST = (
    "import importlib.metadata as m\n"
    "for each in m.distributions(): print(each.name.lower().replace('_', '-'), each.version)"
)
LOOK = (
    "import app, sentry_sdk, opentelemetry.sdk.trace, opentelemetry.exporter.otlp.proto.http\n"
    "print(app.__file__)"
)


def shell(folder: Path, line: str, **more: str) -> str:
    told = subprocess.run(
        ["sh", "-euc", line], cwd=folder, env={**os.environ, "PYTHONPATH": "", **more},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stdout + told.stderr
    return told.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout in which the page's lines were run."""
    folder = tmp_path_factory.mktemp("extras")
    checkout(folder)
    venv.create(folder / ".venv", with_pip=True)
    (block,) = [each for each in blocks_of("docs/operations.md") if "[sentry,otel]" in each.text]
    shell(folder, block.text)
    return folder


def versions(folder: Path) -> Mapping[str, str]:
    lines = shell(folder, f'.venv/bin/python -c "{LIST}"').splitlines()
    return dict(line.split(" ", 1) for line in lines)


def test_the_packages_are_there_and_the_code_is_the_checkouts(installed: Path) -> None:
    said = shell(installed, f'.venv/bin/python -c "{LOOK}"')

    assert said == f"{installed.resolve()}/app/__init__.py\n"


def test_they_move_no_package_of_the_server(installed: Path) -> None:
    # A package may have a pin for each Python.
    pins = set(PIN.findall((ROOT / "requirements.txt").read_text()))
    pinned = {name for name, _ in pins}
    found = versions(installed)

    assert len(pinned) > 30
    assert {each for each in found.items() if each[0] in pinned} <= pins
    assert found.keys() >= {"flask", "gunicorn", "gevent", "sentry-sdk", "opentelemetry-sdk"}


def test_git_does_not_see_what_was_made(installed: Path) -> None:
    shell(installed, "git init --quiet && git add .")

    tracked = shell(installed, "git ls-files").splitlines()
    assert "app/factory/__init__.py" in tracked
    assert [name for name in tracked if name.startswith(("build/", "constraints.txt"))] == []


def test_the_image_installs_them_with_the_same_words(installed: Path, tmp_path: Path) -> None:
    build = dockerfile.parse(ROOT / "Dockerfile")[1][0]
    (line,) = [each for each in build.all("RUN") if "$EXTRAS" in each]
    here = line.replace("/tmp/", f"{tmp_path}/").replace("/venv/", f"{installed}/.venv/")

    shell(installed, here, EXTRAS="sentry,otel")

    assert (tmp_path / "constraints.txt").is_file()
    assert "sentry-sdk" in versions(installed)


def test_the_image_without_them_installs_nothing_more(tmp_path: Path) -> None:
    build = dockerfile.parse(ROOT / "Dockerfile")[1][0]
    (line,) = [each for each in build.all("RUN") if "$EXTRAS" in each]

    shell(tmp_path, line, EXTRAS="")

    assert list(tmp_path.iterdir()) == []
