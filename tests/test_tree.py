"""Rules about the tree of tests: each runs in a part of the suite."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_what_the_quick_run_does_not_look_into_is_run_with_the_rest() -> None:
    makefile = (ROOT / "Makefile").read_text()
    settings = dict(re.findall(r"^(UNIT|WITHOUT_UNITS) = (.+)$", makefile, re.MULTILINE))
    folders = [f"tests/{each}" for each in settings["WITHOUT_UNITS"].split()]

    collect = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-m", settings["UNIT"]]
    found = subprocess.run(
        [*collect, *folders], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert found.returncode == pytest.ExitCode.NO_TESTS_COLLECTED, found.stdout
