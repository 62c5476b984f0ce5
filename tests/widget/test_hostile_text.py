"""Gate 8: nothing that is said becomes code, a forged link, or a request elsewhere."""

import re

from playwright.sync_api import Page, Request, expect

from tests.servers.site import Site
from tests.servers.upstream import Upstream
from tests.widget.conftest import Visit
from tests.widget.hostile_text import HOSTILE
from tests.widget.visitor import Visitor

# Of what is built for words; icons and buttons are the widget's own.
ALLOWED = {
    "A", "B", "BLOCKQUOTE", "BR", "CODE", "DEL", "DIV", "EM", "H3", "HR", "INPUT", "LABEL", "LI",
    "OL", "P", "PRE", "SPAN", "STRONG", "TABLE", "TD", "TH", "TR", "UL", "BUTTON", "svg", "path",
}  # fmt: skip
INSPECT = """(host) => {
    const said = [...host.shadowRoot.querySelectorAll(".text *")];
    return {
        tags: [...new Set(said.map((element) => element.tagName))],
        links: [...new Set(said.filter((e) => e.href).map((e) => new URL(e.href).protocol))],
        rels: [...new Set(said.filter((e) => e.href).map((e) => e.rel))],
        handlers: said.flatMap((e) => e.getAttributeNames())
            .filter((name) => /^on|src|style/.test(name)),
    };
}"""


def test_sixty_hostile_texts_are_text(
    visit: Visit, page: Page, site: Site, upstream: Upstream
) -> None:
    assert len(HOSTILE) >= 60
    calls: list[str] = []
    elsewhere: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith((site.origin, site.server_url)):
            elsewhere.append(request.url)

    page.on("request", note)
    page.expose_function("pwned", lambda: calls.append("pwned"))
    page.on("dialog", lambda dialog: calls.append(dialog.message))
    visitor = visit().open()

    # Several to an answer; those that swallow what follows them stand last.
    for at in range(0, len(HOSTILE), 9):
        texts = HOSTILE[at : at + 9]
        upstream.script(tokens=["\n\n".join(texts), "\n\nThe end"])
        # The server takes no control characters of a visitor; a model may send them.
        visitor.ask(re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", "", "\n".join(texts)))
        expect(visitor.answers).to_have_count(at // 9 + 1)
        expect(visitor.button("Answer again")).to_be_visible()
    assert_harmless(visitor)

    page.reload()
    expect(visitor.answers).to_have_count(len(HOSTILE) // 9 + 1)
    assert_harmless(visitor)
    page.wait_for_load_state("networkidle")
    assert calls == []
    assert elsewhere == []
    assert page.url.startswith(site.origin)


def assert_harmless(visitor: Visitor) -> None:
    found = visitor.host.evaluate(INSPECT)
    assert set(found["tags"]) <= ALLOWED
    assert set(found["links"]) <= {"https:", "http:", "mailto:", "tel:"}
    assert found["rels"] == ["noopener noreferrer nofollow"]
    assert found["handlers"] == []
