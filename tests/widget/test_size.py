"""Gate 1: what the script weighs, and what it does not contain."""

import gzip
import re
import subprocess
from pathlib import Path

import pytest

DIST = Path(__file__).parents[2] / "widget_dist"
LIMIT_B = 16_384


def test_the_script_is_at_most_16384_bytes_gzipped(capsys: pytest.CaptureFixture[str]) -> None:
    script = (DIST / "chat-widget.js").read_bytes()
    sizes = {
        "gzip, as served": (DIST / "chat-widget.js.gz").stat().st_size,
        "gzip -9": len(gzip.compress(script, 9)),
        "gzip -6": len(gzip.compress(script, 6)),
        "brotli, as served": (DIST / "chat-widget.js.br").stat().st_size,
    }

    with capsys.disabled():
        print(f"\nwidget: {len(script)} B;", ", ".join(f"{k} {v} B" for k, v in sizes.items()))
    assert max(sizes.values()) <= LIMIT_B


def test_the_compressed_forms_are_the_script() -> None:
    script = (DIST / "chat-widget.js").read_bytes()
    unpack = "process.stdout.write(zlib.brotliDecompressSync(fs.readFileSync(0)))"
    brotli = subprocess.run(
        ["node", "-e", unpack],
        input=(DIST / "chat-widget.js.br").read_bytes(),
        capture_output=True,
        check=True,
    )

    assert gzip.decompress((DIST / "chat-widget.js.gz").read_bytes()) == script
    assert brotli.stdout == script


@pytest.mark.parametrize(
    "forbidden",
    [r"\beval\b", r"\bFunction\s*\(", r"innerHTML", r"outerHTML", r"insertAdjacentHTML",
     r"document\.write", r"setTimeout\(\s*[\"'`]", r"\bimport\s*\("],
)  # fmt: skip
def test_the_script_makes_neither_code_nor_html_of_strings(forbidden: str) -> None:
    assert not re.search(forbidden, (DIST / "chat-widget.js").read_text())
