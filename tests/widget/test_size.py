"""Gate 1: what the script weighs, and what it does not contain."""

import gzip
import re
import subprocess
from pathlib import Path

import pytest

DIST = Path(__file__).parents[2] / "widget_dist"
LAUNCHER = DIST / "chat-widget.js"
[PANEL] = DIST.glob("panel.*.js")
[PEOPLE] = DIST.glob("people.*.js")
SCRIPTS = [LAUNCHER, PANEL, PEOPLE]
NAMES = ["launcher", "panel", "people"]
LAUNCHER_LIMIT_B = 4_096
PANEL_LIMIT_B = 17_920
# What comes only where a person is asked for.
PEOPLE_LIMIT_B = 6_656


def sizes(path: Path) -> dict[str, int]:
    script = path.read_bytes()
    return {
        "gzip, as served": Path(f"{path}.gz").stat().st_size,
        "gzip -9": len(gzip.compress(script, 9)),
        "gzip -6": len(gzip.compress(script, 6)),
        "brotli, as served": Path(f"{path}.br").stat().st_size,
    }


def test_each_script_is_at_most_as_large_as_it_may_be(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = [sizes(path) for path in SCRIPTS]

    with capsys.disabled():
        for name, forms in zip(NAMES, found, strict=True):
            print(f"\n{name}:", ", ".join(f"{form} {size} B" for form, size in forms.items()))
    for forms, limit in zip(found, (LAUNCHER_LIMIT_B, PANEL_LIMIT_B, PEOPLE_LIMIT_B), strict=True):
        assert max(forms.values()) <= limit


@pytest.mark.parametrize("path", SCRIPTS, ids=NAMES)
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


@pytest.mark.parametrize("path", SCRIPTS, ids=NAMES)
@pytest.mark.parametrize(
    "forbidden",
    [r"\beval\b", r"\bFunction\s*\(", r"innerHTML", r"outerHTML", r"insertAdjacentHTML",
     r"document\.write", r"setTimeout\(\s*[\"'`]"],
)  # fmt: skip
def test_no_script_makes_code_or_html_of_strings(path: Path, forbidden: str) -> None:
    assert not re.search(forbidden, path.read_text())


def test_each_script_imports_the_next_and_nothing_else_is_imported() -> None:
    """No script element: that would need a policy for Trusted Types (ADR 17)."""
    assert re.findall(r"\bimport\s*\((.{14})", LAUNCHER.read_text()) == ["`${this.files}"]
    assert re.findall(r"\bimport\s*\(`\$\{\w+\.files\}([^`?]*)", PANEL.read_text()) == [PEOPLE.name]
    assert len(re.findall(r"\bimport\s*\(", PANEL.read_text())) == 1
    assert not re.search(r"\bimport\s*\(", PEOPLE.read_text())
