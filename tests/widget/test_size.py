"""Gate 1: what the script weighs, and what it does not contain."""

import gzip
import re
import subprocess
from pathlib import Path

import pytest

DIST = Path(__file__).parents[2] / "widget_dist"
LAUNCHER = DIST / "chat-widget.js"
[PANEL] = DIST.glob("panel.*.js")
LAUNCHER_LIMIT_B = 4_096
PANEL_LIMIT_B = 17_408


def sizes(path: Path) -> dict[str, int]:
    script = path.read_bytes()
    return {
        "gzip, as served": Path(f"{path}.gz").stat().st_size,
        "gzip -9": len(gzip.compress(script, 9)),
        "gzip -6": len(gzip.compress(script, 6)),
        "brotli, as served": Path(f"{path}.br").stat().st_size,
    }


def test_the_launcher_is_at_most_4096_bytes_and_the_panel_17408(
    capsys: pytest.CaptureFixture[str],
) -> None:
    launcher, panel = sizes(LAUNCHER), sizes(PANEL)

    with capsys.disabled():
        for name, found in (("launcher", launcher), ("panel", panel)):
            print(f"\n{name}:", ", ".join(f"{form} {size} B" for form, size in found.items()))
    assert max(launcher.values()) <= LAUNCHER_LIMIT_B
    assert max(panel.values()) <= PANEL_LIMIT_B


@pytest.mark.parametrize("path", [LAUNCHER, PANEL], ids=["launcher", "panel"])
def test_the_compressed_forms_are_the_script(path: Path) -> None:
    script = path.read_bytes()
    unpack = "process.stdout.write(zlib.brotliDecompressSync(fs.readFileSync(0)))"
    brotli = subprocess.run(
        ["node", "-e", unpack],
        input=Path(f"{path}.br").read_bytes(),
        capture_output=True,
        check=True,
    )

    assert gzip.decompress(Path(f"{path}.gz").read_bytes()) == script
    assert brotli.stdout == script


@pytest.mark.parametrize("path", [LAUNCHER, PANEL], ids=["launcher", "panel"])
@pytest.mark.parametrize(
    "forbidden",
    [r"\beval\b", r"\bFunction\s*\(", r"innerHTML", r"outerHTML", r"insertAdjacentHTML",
     r"document\.write", r"setTimeout\(\s*[\"'`]"],
)  # fmt: skip
def test_no_script_makes_code_or_html_of_strings(path: Path, forbidden: str) -> None:
    assert not re.search(forbidden, path.read_text())


def test_the_launcher_imports_its_panel_and_nothing_else_is_imported() -> None:
    """No script element: that would need a policy for Trusted Types (ADR 17)."""
    assert re.findall(r"\bimport\s*\((.{14})", LAUNCHER.read_text()) == ["`${this.files}"]
    assert not re.search(r"\bimport\s*\(", PANEL.read_text())
