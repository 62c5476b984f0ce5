"""The documents' pages that load a published package from a CDN: here, from `tests/clients`."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page, Route

from tests.docs.blocks import blocks_of
from tests.live.clients import CLIENTS
from tests.servers.perch import WIDGET_KEY, Server

_CDN = re.compile(r"https://cdn\.jsdelivr\.net/npm/(@?[^@]+)@([\d.]+)/(.+)")
_TYPES = {"js": "text/javascript", "mjs": "text/javascript", "css": "text/css"}
_DOCUMENT = '<!doctype html><meta charset="utf-8"><title>A shop</title><body>\n{}</body>'


def example_of(package: str, server: Server, key: str = WIDGET_KEY) -> str:
    """Return a page with the example of docs/frontends.md that loads a package."""
    [example] = [
        block.text
        for block in blocks_of("docs/frontends.md")
        if block.language == "html" and f"/npm/{package}@" in block.text
    ]
    text = example.replace("https://HOST", server.url).replace("<widget key>", key)
    return _DOCUMENT.format(text)


def changed(document: str, before: str, after: str) -> str:
    """Return a page in which one thing differs."""
    assert document.count(before) == 1
    return document.replace(before, after)


@contextmanager
def page_with_packages(browser: Browser) -> Iterator[Page]:
    """A page to which a CDN brings what is installed, in that very version, and nothing else."""
    context = browser.new_context()
    context.route(lambda url: "127.0.0.1" not in url, _answer)
    yield context.new_page()
    context.close()


def _answer(route: Route) -> Any:
    found = _CDN.fullmatch(route.request.url)
    if found is None:
        return route.abort()  # a font of the internet
    name, version, path = found.groups()
    folder = CLIENTS / "node_modules" / name
    assert f'"version": "{version}"' in (folder / "package.json").read_text()
    return route.fulfill(
        path=folder / path,
        content_type=_TYPES[path.rpartition(".")[2]],
        headers={"Access-Control-Allow-Origin": "*"},
    )
