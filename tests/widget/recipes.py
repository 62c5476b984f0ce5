"""The recipes of ``docs/recipes.md``, as they stand there, made ready to run."""

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.docs.blocks import ROOT, blocks_of
from tests.servers.perch import WIDGET_KEY, Server

PAGE = "docs/recipes.md"
CLIENTS = ROOT / "tests" / "clients"
LONGEST_S = 60


def recipe(server: Server, language: str, mark: str) -> str:
    """Return the block of this language that has this text in it, for this server."""
    (found,) = [
        block.text for block in blocks_of(PAGE) if block.language == language and mark in block.text
    ]
    return found.replace("https://HOST", server.url).replace("…", WIDGET_KEY)


def node(*arguments: str | Path, folder: Path = CLIENTS) -> str:
    """Run Node in a folder; fail with what it said."""
    ran = subprocess.run(
        ["node", *map(str, arguments)], cwd=folder, capture_output=True, text=True,
        timeout=LONGEST_S, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def bundle(folder: Path, files: dict[str, str], *, for_node: bool = False) -> Path:
    """Return the script of an application, whose first file begins it."""
    for name, text in files.items():
        (folder / name).write_text(text)
    out = folder / ("server.mjs" if for_node else "browser.js")
    node("bundle.mjs", folder / next(iter(files)), out, *(["--node"] if for_node else []))
    return out


def read_php(path: Path) -> Any:
    """Return the ``calls`` and the ``entries`` of arrays in a PHP file."""
    return json.loads(node("php.mjs", path))
