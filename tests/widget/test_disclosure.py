"""What the law wants said: that an AI answers, before anything is asked."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.servers.perch import Server
from tests.servers.site import Site
from tests.servers.upstream import Upstream
from tests.widget.conftest import Visit
from tests.widget.visitor import Visitor

LOCALES = sorted((Path(__file__).parents[2] / "widget" / "locales").glob("*.json"))
ENGLISH = "You are chatting with an AI. Answers can be wrong."


@pytest.mark.parametrize("pack", [None, *LOCALES], ids=lambda path: path.stem if path else "en")
def test_each_language_says_so_before_the_first_message(visit: Visit, pack: Path | None) -> None:
    said = json.loads(pack.read_text())["disclosure"] if pack else ENGLISH
    visitor = visit(locale=pack.stem if pack else "en").open()

    expect(visitor.panel.get_by_text(said, exact=True)).to_be_visible()
    assert said in visitor.panel.aria_snapshot()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"disclosure": "A machine answers."}, "A machine answers."),
        ({"disclosure": "  "}, ENGLISH),
        ({"texts": '{"disclosure": ""}'}, ENGLISH),
        ({"privacy_url": "https://shop.test/privacy"}, f"{ENGLISH} Privacy"),
        ({"privacy_url": "javascript:alert(1)"}, ENGLISH),
        ({"disclosure": "off", "privacy_url": "/privacy"}, "Privacy"),
    ],
)
def test_owners_reword_it_and_cannot_empty_it(
    visit: Visit, options: dict[str, str], said: str
) -> None:
    visitor = visit(**options).open()

    expect(visitor.page.locator("perch-chat .disclosure")).to_have_text(said)


def test_off_is_the_one_way_without(visit: Visit) -> None:
    visitor = visit(disclosure="off").open()

    expect(visitor.input).to_be_visible()
    expect(visitor.page.locator("perch-chat .disclosure")).to_be_hidden()


def test_it_says_for_how_long_conversations_are_kept(
    page: object, site: Site, upstream: Upstream, visit: Visit
) -> None:
    upstream.script(tokens=["Yes."])
    with Server.over(upstream, RETENTION_DAYS="30") as server:
        visitor: Visitor = visit(api_url=f"{server.url}/chat").open().ask("Hello?").hears("Yes.")
        line = visitor.page.locator("perch-chat .disclosure")
        expect(line).to_have_text(f"{ENGLISH} Conversations are kept for 30 days.")

        visitor.page.reload()

        expect(line).to_have_text(f"{ENGLISH} Conversations are kept for 30 days.")
