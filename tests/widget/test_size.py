"""Gate 1: what the script weighs, and what it does not contain."""

import gzip
import re
import subprocess
from pathlib import Path

import pytest

DIST = Path(__file__).parents[2] / "widget_dist"
LAUNCHER = DIST / "chat-widget.js"
[PANEL] = DIST.glob("panel.*.js")
# What comes later: with an answer, with one that has sources, and where a person is asked for.
PARTS = [path for kind in ("markdown", "sources", "people") for path in DIST.glob(f"{kind}.*.js")]
SCRIPTS = [LAUNCHER, PANEL, *PARTS]
NAMES = [path.name.split(".")[0] for path in SCRIPTS]
LAUNCHER_LIMIT_B = 4_096
# What a page and its visitor pay until the first question: launcher and panel.
OPENED_LIMIT_B = 16_384
PART_LIMITS_B = {"markdown": 7_680, "sources": 1_536, "people": 6_656}


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
    found = {name: sizes(path) for name, path in zip(NAMES, SCRIPTS, strict=True)}
    largest = {name: max(forms.values()) for name, forms in found.items()}
    opened = largest["chat-widget"] + largest["panel"]

    with capsys.disabled():
        for name, forms in found.items():
            print(f"\n{name}:", ", ".join(f"{form} {size} B" for form, size in forms.items()))
        print(f"launcher and panel: {opened} B of {OPENED_LIMIT_B} B")
    assert largest["chat-widget"] <= LAUNCHER_LIMIT_B
    assert opened <= OPENED_LIMIT_B
    assert not {name for name, limit in PART_LIMITS_B.items() if largest[name] > limit}


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
    panel = PANEL.read_text()

    assert re.findall(r"\bimport\s*\((.{14})", LAUNCHER.read_text()) == ["`${this.files}"]
    assert len(re.findall(r"\bimport\s*\(`\$\{\w+\.files\}\$", panel)) == 1
    assert len(re.findall(r"\bimport\s*\(", panel)) == 1
    for part in PARTS:
        assert f'"{part.name}"' in panel
        assert not re.search(r"\bimport\s*\(", part.read_text())
