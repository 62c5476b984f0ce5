"""Gate 16: what stands in an answer is not touched while the answer grows."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.servers.upstream import Upstream
from tests.widget.conftest import Visit
from tests.widget.visitor import Visitor

WIDE = "x" * 200
BEGUN = f"A **finished** paragraph.\n\n```sh\n{WIDE}\n```\n\n"
# What is begun, where it stands, and how it goes on.
GROWING = {
    "paragraph": ("Some words to sel", "p:last-of-type", "ect, **and more** of them.\n\nAfter it."),
    "list": ("1. Some words\n2. A sec", "ol li:first-child", "ond\n\n3. A third\n\nAfter it."),
    "table": ("|a|b|\n|-|-|\n|Some words|2", "td:first-child", "3|\n|c|d|\n\nAfter it."),
    "code": ("```\nSome words\nand", ".code:last-of-type code", " more\n```\n\nAfter it."),
    "quote": ("> Some words\n> an", "blockquote", "d more\n\nAfter it."),
}
SELECT = """(node) => {
    const text = document.createTreeWalker(node, NodeFilter.SHOW_TEXT).nextNode();
    const at = text.data.indexOf("words");
    node.getRootNode().getSelection().setBaseAndExtent(text, at, text, at + 5);
}"""
WATCH = """(answer) => {
    const pre = answer.querySelector("pre");
    pre.focus();
    pre.scrollLeft = 50;
    window.mutations = 0;
    for (const block of [...answer.children].slice(0, 2)) {
        const observer = new MutationObserver((seen) => (window.mutations += seen.length));
        const all = {childList: true, characterData: true, attributes: true, subtree: true};
        observer.observe(block, all);
    }
}"""
SEEN = """(answer) => {
    const root = answer.getRootNode();
    return {
        selected: root.getSelection().toString(),
        focused: root.activeElement === answer.querySelector("pre"),
        scrolled: answer.querySelector("pre").scrollLeft,
        mutations: window.mutations,
    };
}"""


@pytest.mark.parametrize(("begun", "place", "rest"), GROWING.values(), ids=GROWING)
def test_selection_focus_and_place_hold_while_a_block_grows(
    visit: Visit, upstream: Upstream, begun: str, place: str, rest: str
) -> None:
    upstream.script(tokens=[BEGUN + begun, *rest], fault="stall", at=1)
    visitor = visit().open().ask("Go on")
    expect(visitor.answers.locator(place)).to_contain_text("Some words")
    visitor.answers.evaluate(WATCH)
    visitor.answers.locator(place).evaluate(SELECT)

    upstream.release()
    expect(visitor.button("Answer again")).to_be_visible()

    assert visitor.answers.evaluate(SEEN) == {
        "selected": "words",
        "focused": True,
        "scrolled": 50,
        "mutations": 0,
    }
    expect(visitor.answers).to_contain_text("After it.")


def test_no_half_address_can_be_clicked(visit: Visit, upstream: Upstream) -> None:
    half = "See [the docs](https://x.test/one) and https://x.test/two and [more](https://x"
    upstream.script(tokens=[half, ".test/three)."], fault="stall", at=1)
    visitor = visit().open().ask("Where?")

    expect(visitor.answers).to_have_text("See the docs and https://x.test/two and more")
    assert addresses(visitor) == ["https://x.test/one", "https://x.test/two"]
    upstream.release()
    visitor.hears("See the docs and https://x.test/two and more.")

    assert addresses(visitor)[2:] == ["https://x.test/three"]


MIXED = """شرح `npm run` قصير.

This is English text (really), right?

1. one
2. اثنان

> اقتباس

| اسم | b |
|---|---|
| one | اثنان |
"""
DIRECTIONS = {
    ":scope > p": ["rtl", "ltr"],
    "li": ["ltr", "rtl"],
    "blockquote": ["rtl"],
    ".table": ["rtl"],
    "td": ["ltr", "rtl"],
    "p code": ["ltr"],
}


def test_each_part_runs_in_the_direction_of_its_own_words(visit: Visit, upstream: Upstream) -> None:
    upstream.script(tokens=[MIXED])
    visitor = visit().open().ask("Go on")
    expect(visitor.button("Answer again")).to_be_visible()

    found = {place: styles(visitor, place, "direction") for place in DIRECTIONS}
    assert found == DIRECTIONS
    assert styles(visitor, "p code", "unicodeBidi") == ["isolate"]


EVERYTHING = """# Every construct

A paragraph with **bold**, *emphasis*, ~~gone~~, `code` and [a link](https://x.test/).
Its second line, and <https://x.test/bare>.

## Lists

1. First
2. Second
   - nested
     - deeper
   - [x] done
   - [ ] open

   ```sh
   make run
   ```

3. Third

* loose

* items

> A quote
>
> - with a list

| Name | Value | Note |
|:-----|------:|:----:|
| a | 1 | `x` |
| b | 22 | [y](https://x.test/y) |

---

\\[
\\frac{a}{b}
\\]

عنوان قصير مع `npm run` هنا.

1. واحد
2. اثنان

![A cat](https://x.test/cat.png)
"""


@pytest.mark.parametrize(("theme", "locale"), [("light", "en"), ("dark", "en"), ("light", "ar")])
def test_every_construct_stays_inside_the_log(
    visit: Visit,
    page: Page,
    upstream: Upstream,
    screenshot: Callable[[Page, str], None],
    theme: str,
    locale: str,
) -> None:
    page.set_viewport_size({"width": 520, "height": 1700})
    upstream.script(tokens=[EVERYTHING])
    visitor = visit(theme=theme, locale=locale, inline="main", title="Assistant")
    page.add_style_tag(content="main { height: 1600px }")
    visitor.input.fill("Everything")
    visitor.input.press("Enter")
    expect(visitor.answers.locator("hr")).to_be_visible()
    screenshot(page, f"constructs-{theme}-{locale}")

    assert visitor.log.evaluate("(log) => log.scrollWidth <= log.clientWidth")
    assert "link.\\nIts" in repr(visitor.answers.inner_text())


def test_what_was_drawn_piece_by_piece_is_what_a_reload_draws(
    visit: Visit, page: Page, upstream: Upstream
) -> None:
    upstream.script(tokens=list(EVERYTHING), gap_ms=1)
    visitor = visit(open="true").ask("Everything")
    expect(visitor.button("Answer again")).to_be_visible()
    drawn = visitor.answers.inner_html()

    page.reload()
    expect(visitor.answers.locator("hr")).to_be_visible()

    assert visitor.answers.inner_html() == drawn


def test_a_translation_of_a_finished_block_holds(visit: Visit, upstream: Upstream) -> None:
    upstream.script(tokens=["See [it](https://x.test).\n\nMore", " and more."], fault="stall", at=1)
    visitor = visit().open().ask("Go on")
    expect(visitor.answers).to_contain_text("More")
    # As browsers do it: the text moves into elements of theirs.
    visitor.answers.locator("p").evaluate_all(
        """(blocks) => blocks.map((block) => {
            const font = document.createElement("font");
            font.textContent = "Siehe";
            block.firstChild.replaceWith(font);
        })"""
    )

    upstream.release()

    visitor.hears("Sieheit.More and more.")


def addresses(visitor: Visitor) -> list[str]:
    found: list[str] = visitor.answers.locator("a").evaluate_all(
        "(links) => links.map((a) => a.href)"
    )
    return found


def styles(visitor: Visitor, place: str, name: str) -> list[str]:
    found: list[str] = visitor.answers.locator(place).evaluate_all(
        "(elements, name) => elements.map((element) => getComputedStyle(element)[name])", name
    )
    return found
