"""No link of the documents leads nowhere, and the site of them builds."""

import re
import subprocess
import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.docs.blocks import ROOT, documents

LINK = re.compile(r"(?<!`)!?\[[^\]]*\]\(([^)\s]+)\)")
OUTSIDE = ("http:", "https:", "mailto:")


def slug(heading: str) -> str:
    """Return a heading's anchor, as repository browsers and the site make it."""
    text = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


@cache
def anchors(page: Path) -> set[str]:
    prose = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    return {slug(found) for found in re.findall(r"^#+ (.+)$", prose, re.M)}


def test_every_link_leads_to_a_file_and_a_heading() -> None:
    dead = []
    for document in documents():
        page = ROOT / document
        for target in LINK.findall(page.read_text(encoding="utf-8")):
            if target.startswith(OUTSIDE):
                continue
            path, _, anchor = target.partition("#")
            file = (page.parent / path).resolve() if path else page
            if not file.exists() or (anchor and anchor not in anchors(file)):
                dead.append((document, target))

    assert dead == []


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built from a copy, so that nothing appears in the checkout."""
    folder = tmp_path_factory.mktemp("docs")
    config = (ROOT / "zensical.toml").read_text()
    config = config.replace('docs_dir = "docs"', f'docs_dir = "{folder}/docs"')
    (folder / "zensical.toml").write_text(config.replace(f"{folder}/docs", "docs"))
    for file in (ROOT / "docs").rglob("*"):
        if file.is_file():
            copy = folder / file.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())
    built = subprocess.run(
        [str(Path(sys.executable).with_name("zensical")), "build", "--strict", "--clean"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stdout + built.stderr
    return folder / "site"


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.leads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        fields = dict(attrs)
        if tag in ("script", "img", "iframe") and fields.get("src"):
            self.loads.append(str(fields["src"]))
        if tag == "link" and fields.get("rel") in ("stylesheet", "icon", "preconnect"):
            self.loads.append(str(fields["href"]))
        if tag == "a" and fields.get("href"):
            self.leads.append(str(fields["href"]))


@pytest.mark.slow
def test_the_site_holds_every_page_and_leads_nowhere_dead(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    dead = []
    for page in pages:
        found = Links()
        found.feed(page.read_text(encoding="utf-8"))
        for link in found.loads + found.leads:
            parts = urlsplit(link)
            if not parts.scheme and parts.path and page.name != "404.html":
                target = (page.parent / unquote(parts.path)).resolve()
                if not target.exists():
                    dead.append(f"{page.relative_to(site)}: {link}")

    assert dead == []
    assert len(pages) >= len([name for name in documents() if name.startswith("docs/")])


@pytest.mark.slow
def test_the_site_loads_nothing_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        found = Links()
        found.feed(page.read_text(encoding="utf-8"))

        assert [link for link in found.loads if link.startswith(("http:", "https:", "//"))] == []
