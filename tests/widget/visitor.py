"""What a visitor does and sees, in words."""

from typing import Any

from playwright.sync_api import Locator, Page, expect


class Visitor:
    """Somebody at a page with the widget."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.host = page.locator("perch-chat")
        self.launcher = page.locator("perch-chat .launcher")
        self.panel = page.get_by_role("dialog")
        self.log = page.get_by_role("log")
        self.input = page.locator("perch-chat .input")
        self.send = self.panel.get_by_role("button", name="Send", exact=True)
        self.stop = self.panel.get_by_role("button", name="Stop", exact=True)
        self.retry = self.panel.get_by_role("button", name="Try again")
        self.menu = page.locator("perch-chat summary")
        self.notice = page.locator("perch-chat .notice")
        self.questions = page.locator("perch-chat .question:visible > .text")
        self.answers = page.locator("perch-chat .list > .answer:visible > .text")

    def open(self) -> "Visitor":
        """Open the widget by its launcher."""
        self.launcher.click()
        expect(self.panel).to_be_visible()
        return self

    def ask(self, question: str) -> "Visitor":
        """Type a question and press Enter."""
        self.input.fill(question)
        self.input.press("Enter")
        return self

    def hears(self, answer: str, nth: int = -1) -> "Visitor":
        """Wait for a whole answer."""
        expect(self.answers.nth(nth)).to_have_text(answer)
        expect(self.stop).to_be_hidden()
        return self

    def button(self, name: str) -> Locator:
        """The button of this name, on the last answer where there are several."""
        return self.panel.get_by_role("button", name=name, exact=True).last

    def call(self, name: str, *values: Any) -> Any:
        """Call a function of ``window.PerchChat``."""
        return self.page.evaluate("([name, values]) => PerchChat[name](...values)", [name, values])
