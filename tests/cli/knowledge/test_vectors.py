"""``python -m app vectors``."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def vectors(folder: Path, *words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "app", "vectors", *words],
        cwd=ROOT,
        env={**os.environ, "PERCH_ENV_FILE": "", "KNOWLEDGE_PATH": str(folder), **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


pytestmark = pytest.mark.live


def test_status_without_a_sidecar_says_so_and_starts_none(short_path: Path) -> None:
    told = vectors(short_path, "--status")

    assert (told.returncode, told.stderr) == (1, "Error: no sidecar answers\n")
    assert list(short_path.iterdir()) == []


def test_vectors_that_are_off_are_not_served(short_path: Path) -> None:
    told = vectors(short_path, VECTORS="0")

    assert (told.returncode, told.stderr) == (1, "Error: VECTORS is off\n")


def test_second_in_a_folder_ends_at_once_and_status_tells_of_the_first(short_path: Path) -> None:
    first = subprocess.Popen(
        [sys.executable, "-m", "app", "vectors"],
        cwd=ROOT,
        env={**os.environ, "KNOWLEDGE_PATH": str(short_path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert first.stdout is not None
    with first.stdout:
        assert "Vectors are served by process" in first.stdout.readline()

        second = vectors(short_path)
        status = vectors(short_path, "--status")
        first.terminate()

        assert first.wait(30) == 0
    assert second.returncode == 0
    assert status.returncode == 0, status.stderr
    assert "multilingual-e5-small" in status.stdout
