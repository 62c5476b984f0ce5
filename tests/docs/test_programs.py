"""The documents' commands and programs, as they stand there, page by page and in order."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.settings import DEVELOPMENT_WIDGET_KEY
from tests.docs.blocks import PROGRAMS, Block, blocks_of, documents
from tests.live.clients import CLIENTS
from tests.servers.perch import ADMIN_KEY, Server
from tests.servers.upstream import Upstream

pytestmark = pytest.mark.live

SHOWN_ADDRESS = "http://localhost:4000"
LONGEST_S = 60
COMMANDS = {
    "sh": ["bash", "-euo", "pipefail", "-c"],
    "js": ["node", "--input-type=module", "-e"],
    "python": [sys.executable, "-c"],
}


def programs_of(document: str) -> list[Block]:
    """Return the blocks that are run here."""
    return [
        block for block in blocks_of(document) if block.language in PROGRAMS and not block.remark
    ]


PAGES = [document for document in documents() if programs_of(document)]


@pytest.fixture(scope="module")
def development() -> Iterator[Server]:
    """A server with the keys of the documents."""
    with (
        Upstream() as upstream,
        Server.over(upstream, WIDGET_API_KEY=DEVELOPMENT_WIDGET_KEY) as server,
    ):
        yield server


def run(block: Block, server: Server, folder: Path) -> str:
    """Run one block; fail with what it said."""
    told = subprocess.run(
        [*COMMANDS[block.language], block.text.replace(SHOWN_ADDRESS, server.url)],
        cwd=folder, capture_output=True, text=True, timeout=LONGEST_S, check=False,
        env={
            "PATH": os.environ["PATH"],
            "HOST": server.url,
            "ADMIN_API_KEY": ADMIN_KEY,
            "SQLITE_PATH": server.environment["SQLITE_PATH"],
        },
    )  # fmt: skip
    assert told.returncode == 0, f"{block.where}\n{told.stdout}{told.stderr}"
    return told.stdout


@pytest.mark.parametrize("document", PAGES)
def test_a_pages_programs_run(document: str, development: Server, tmp_path: Path) -> None:
    (tmp_path / "node_modules").symlink_to(CLIENTS / "node_modules")
    for block in programs_of(document):
        said = run(block, development, tmp_path)

        # A call that was refused says so here, and exits with 0 all the same.
        assert '"code":' not in said, f"{block.where}\n{said}"


@pytest.mark.parametrize("language", ["js", "python"])
def test_the_examples_print_the_answer(language: str, development: Server, tmp_path: Path) -> None:
    (example,) = [block for block in programs_of("docs/api.md") if block.language == language]

    said = run(example, development, tmp_path)

    stored = development.admin("/v1/admin/conversations").json["conversations"]
    conversation = next(each for each in stored if each["sessionId"] == f"{language}-example")
    answer = development.messages(conversation["_id"])[-1]["content"]
    assert said == f"{answer}\n— stored in {conversation['_id']}\n"
