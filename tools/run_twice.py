"""Run a suite; what failed runs once more, alone: that forgives a busy machine, not a fault.

    python tools/run_twice.py LIST FIRST COMMAND …

FIRST are options of the first run alone, perhaps "".

Appends to the file LIST what failed first and passed when it ran again. Ends with the code
of the second run where there was one. Of pytest only the failed tests run again; any
other command runs whole.
"""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

LAST_FAILED = Path(".pytest_cache/v/cache/lastfailed")
TESTS_FAILED = 1
# What Node's test runner says of a test, in TAP and in its own form.
_NODE_FAILURE = re.compile(r"^\s*(?:not ok \d+ - |✖ )(.+?)(?: \([\d.]+ms\))?$", re.MULTILINE)


def main(words: list[str]) -> int:
    """Run the command, perhaps twice; return the exit code."""
    listing, first, *command = words
    run = _run_pytest if "pytest" in command else _run_other
    code, failed = run(command, shlex.split(first))
    if code and failed:
        again = [*command, "--last-failed", "--last-failed-no-failures", "none"]
        code = subprocess.call(again if run is _run_pytest else command)
        if code == 0:
            _note(Path(listing), failed)
    return code


def _run_pytest(command: list[str], first: list[str]) -> tuple[int, list[str]]:
    LAST_FAILED.unlink(missing_ok=True)  # of another run, perhaps of other tests
    code = subprocess.call([*command, *first])
    if code != TESTS_FAILED or not LAST_FAILED.exists():
        return code, []
    return code, sorted(json.loads(LAST_FAILED.read_text()))


def _run_other(command: list[str], first: list[str]) -> tuple[int, list[str]]:
    ran = subprocess.run([*command, *first], capture_output=True, text=True, check=False)
    sys.stdout.write(ran.stdout)
    sys.stderr.write(ran.stderr)
    name = shlex.join(command)
    failures = list(dict.fromkeys(_NODE_FAILURE.findall(ran.stdout))) or ["a test"]
    return ran.returncode, [f"{name}: {each}" for each in failures] if ran.returncode else []


def _note(listing: Path, failed: list[str]) -> None:
    listing.parent.mkdir(parents=True, exist_ok=True)
    with listing.open("a", encoding="utf-8") as file:
        file.writelines(f"{each}\n" for each in failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
