"""Gate 7: the reader's place is kept while an answer grows."""

from playwright.sync_api import expect

from tests.servers.upstream import Upstream
from tests.widget.conftest import Visit
from tests.widget.visitor import Visitor

AT_END = "(log) => log.scrollHeight - log.clientHeight - log.scrollTop < 3"
LINES = [f"Line {n}\n\n" for n in range(60)]


def test_the_log_follows_the_answer_and_keeps_the_place_of_a_reader_who_scrolls_up(
    visit: Visit, upstream: Upstream
) -> None:
    upstream.script(tokens=LINES, fault="stall", at=40)
    visitor = visit().open().ask("Go on")
    shows(visitor, 39)
    assert visitor.log.evaluate(AT_END)

    visitor.log.hover()
    visitor.page.mouse.wheel(0, -300)
    expect(visitor.button("Latest message")).to_be_visible()
    place = visitor.log.evaluate("(log) => log.scrollTop")
    upstream.release()
    shows(visitor, 59)

    assert visitor.log.evaluate("(log) => log.scrollTop") == place
    visitor.button("Latest message").click()
    assert visitor.log.evaluate(AT_END)
    expect(visitor.panel.get_by_title("Latest message")).to_be_hidden()


def test_a_reader_who_comes_back_to_the_end_follows_again(visit: Visit, upstream: Upstream) -> None:
    upstream.script(tokens=LINES, fault="stall", at=40)
    visitor = visit().open().ask("Go on")
    shows(visitor, 39)
    visitor.log.hover()

    visitor.page.mouse.wheel(0, -300)
    expect(visitor.button("Latest message")).to_be_visible()
    visitor.page.mouse.wheel(0, 3000)
    expect(visitor.panel.get_by_title("Latest message")).to_be_hidden()
    upstream.release()
    shows(visitor, 59)

    visitor.page.wait_for_function(
        f"({AT_END})(document.querySelector('perch-chat').shadowRoot.querySelector('.log'))"
    )


def shows(visitor: Visitor, line: int) -> None:
    expect(visitor.answers.get_by_text(f"Line {line}", exact=True)).to_be_attached()
