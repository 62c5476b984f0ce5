"""Words run as they are written, whichever way the widget runs."""

import pytest

from tests.servers.upstream import Upstream
from tests.widget.conftest import Visit

ENGLISH = "Is it (really) so?"
ARABIC = "هل هذا صحيح (حقا)؟"
# Where the first and the last sign of an element's text stand: left of the other, or right.
RUNS = """(element, line) => {
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    const text = walker.nextNode();
    const from = text.data.indexOf(line);
    const [first, last] = [from, from + line.length - 1].map((at) => {
        const range = document.createRange();
        range.setStart(text, at);
        range.setEnd(text, at + 1);
        return range.getBoundingClientRect().left;
    });
    return first < last ? "to the right" : "to the left";
}"""
OWNERS = [".greeting > button:first-child", ".title", ".disclosure", ".starter"]


@pytest.mark.parametrize(
    ("locale", "words", "runs"),
    [("ar", ENGLISH, "to the right"), ("en", ARABIC, "to the left")],
)
def test_an_owners_words_run_as_they_are_written(
    visit: Visit, locale: str, words: str, runs: str
) -> None:
    visitor = visit(
        locale=locale, greeting=words, title=words, disclosure=words, starters=f"{words}|{words}"
    )
    greeting = visitor.page.locator(f"perch-chat {OWNERS[0]}").evaluate(RUNS, words)
    visitor.open()

    found = {
        part: visitor.page.locator(f"perch-chat {part}").first.evaluate(RUNS, words)
        for part in OWNERS[1:]
    }

    assert greeting == runs
    assert found == dict.fromkeys(OWNERS[1:], runs)


def test_each_line_of_a_question_runs_as_it_is_written(visit: Visit, upstream: Upstream) -> None:
    upstream.script(tokens=["Yes."])
    visitor = visit().open().ask(f"{ARABIC}\n{ENGLISH}").hears("Yes.")

    question = visitor.questions.first

    assert question.evaluate(RUNS, ARABIC) == "to the left"
    assert question.evaluate(RUNS, ENGLISH) == "to the right"
