"""The suite's runner: what failed once is named, and what fails twice fails."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # each starts pytest, twice

ROOT = Path(__file__).parents[2]
ONCE = """
from pathlib import Path

def test_fails_once():
    tried = Path("tried")
    was_tried = tried.exists()
    tried.touch()
    assert was_tried

def test_passes():
    Path("passes").open("a").write("x")
"""
ALWAYS = "def test_fails():\n    assert False\n"


def run(directory: Path, *command: str, first: str = "") -> tuple[int, str]:
    """Return the exit code, and what was listed."""
    tool = [sys.executable, str(ROOT / "tools" / "run_twice.py"), "out/flaky.txt", first]
    done = subprocess.run([*tool, *command], cwd=directory, capture_output=True, check=False)
    listing = directory / "out" / "flaky.txt"
    return done.returncode, listing.read_text() if listing.exists() else ""


def run_pytest(directory: Path, text: str, first: str = "") -> tuple[int, str]:
    (directory / "test_it.py").write_text(text)
    (directory / "pytest.ini").write_text("[pytest]\n")
    return run(directory, sys.executable, "-m", "pytest", "-q", first=first)


@pytest.mark.parametrize("first", ["", "-n 2"])
def test_one_that_passes_the_second_time_is_named_and_runs_alone(
    tmp_path: Path, first: str
) -> None:
    assert run_pytest(tmp_path, ONCE, first) == (0, "test_it.py::test_fails_once\n")
    assert (tmp_path / "passes").read_text() == "x"


def test_one_that_fails_twice_fails_the_run_and_is_not_named(tmp_path: Path) -> None:
    assert run_pytest(tmp_path, ONCE + ALWAYS) == (1, "")


def test_a_run_without_tests_or_with_a_broken_file_is_no_success(tmp_path: Path) -> None:
    assert run_pytest(tmp_path, "")[0] == 5
    assert run_pytest(tmp_path, "import nothing_of_this_name\n")[0] != 0


def test_failures_of_an_earlier_run_are_not_taken_for_this_ones(tmp_path: Path) -> None:
    run_pytest(tmp_path, ALWAYS)

    assert run_pytest(tmp_path, "def test_passes():\n    pass\n") == (0, "")


SHELL = 'if [ -e tried ]; then exit 0; fi; touch tried; echo "not ok 3 - it holds"; exit 1'


def test_another_command_runs_whole_and_its_failures_are_named(tmp_path: Path) -> None:
    code, listed = run(tmp_path, "sh", "-c", SHELL)

    assert code == 0
    assert listed.endswith(": it holds\n")


def test_another_command_that_fails_twice_fails(tmp_path: Path) -> None:
    assert run(tmp_path, "sh", "-c", "exit 3") == (3, "")
