"""Runs ``make doctor``'s command beside a server, with the server's environment."""

import subprocess
import sys

from tests.servers.perch import Server

TIMEOUT_S = 60
_COLUMNS = ("What", "Found", "To mend it")


def doctor(server: Server, code: int) -> str:
    """Return what it finds, a line for each thing: level, name, what was found, what to do."""
    run = subprocess.run(
        [sys.executable, "-m", "app", "doctor"],
        cwd=server.directory,
        env=server.environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert run.returncode == code, run.stdout + run.stderr
    return "\n".join(" | ".join(row) for row in _rows(run.stdout))


def _rows(table: str) -> list[list[str]]:
    """Put the cells of a printed table together again, which were broken into lines."""
    head, *lines = table.splitlines()
    starts = [0, *(head.index(name) for name in _COLUMNS)]
    rows: list[list[str]] = []
    for line in lines:
        ends = [*starts[1:], len(line)]
        cells = [line[start:end].strip() for start, end in zip(starts, ends, strict=True)]
        if cells[1]:
            rows.append(cells)
        else:
            rows[-1] = [
                f"{said} {more}".strip() for said, more in zip(rows[-1], cells, strict=True)
            ]
    return rows
