"""The README's own commands, as they stand there."""

import contextlib
import json
import os
import subprocess
import urllib.request
from pathlib import Path

import pytest

from app import settings
from tests.docs.blocks import blocks_of
from tests.live.eventually import eventually
from tests.servers.perch import ROOT, free_port

# A fresh machine's first `make run` installs the requirements.
INSTALL_S = 300


def is_healthy(url: str) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/health", timeout=1) as answer:
        return bool(answer.status == 200)
    return False


def commands(document: str) -> list[str]:
    return [block.text for block in blocks_of(document) if block.language == "sh"]


def the_readmes_curl() -> str:
    _, curl = commands("README.md")
    assert curl.startswith("curl ")
    return curl


def test_the_quick_start_begins_as_the_readme_does() -> None:
    start, _ = commands("README.md")

    assert commands("docs/index.md")[0].strip() in start


@pytest.mark.timeout(INSTALL_S + 60)
def test_make_run_serves_the_readmes_first_chat(tmp_path: Path) -> None:
    port = free_port()
    # Empty means unset, also where a developer's .env says otherwise; gunicorn itself reads one.
    nothing = dict.fromkeys(settings.variables(), "")
    made = {
        **nothing,
        "WEB_CONCURRENCY": "1",
        "PORT": str(port),
        "SQLITE_PATH": str(tmp_path / "chat.db"),
    }
    log = (tmp_path / "log").open("wb")
    running = subprocess.Popen(
        ["make", "run"], cwd=ROOT, env={**os.environ, **made}, stdout=log, stderr=log
    )
    try:
        url = f"http://localhost:{port}"
        eventually(lambda: running.poll() is not None or is_healthy(url), within_s=INSTALL_S)
        assert running.poll() is None, (tmp_path / "log").read_text()

        command = the_readmes_curl().replace(":4000", f":{port}").replace("curl ", "curl -sS ", 1)
        told = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    finally:
        running.terminate()
        running.wait(30)
        log.close()

    lines = [json.loads(line) for line in told.stdout.splitlines() if line]
    assert [line["type"] for line in (lines[0], lines[1], lines[-1])] == ["start", "token", "done"]
    assert "demo" in lines[-1]["message"]
    assert "OPENAI_API_KEY" in lines[-1]["message"]
