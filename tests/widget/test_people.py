"""A person answers: asked for, heard, lost by nobody, and given back."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect

from tests.servers.scripted_answers import DIST, HOLD, done, token
from tests.servers.scripted_people import HOLDING, RETURN_TOKEN, ScriptedPeople
from tests.servers.site import PAGE, Site, tag
from tests.widget.axe import violations
from tests.widget.visitor import Visitor

[PEOPLE] = DIST.glob("people.*.js")
ASK, BACK = "Talk to a person", "Back to the assistant"
HIDE = """(hidden) => {
  Object.defineProperty(document, "hidden", { get: () => hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
LISTEN = """() => {
  window.told = [];
  for (const name of ["handoff", "operator"])
    document.addEventListener("perch:" + name, ({ detail }) => told.push([name, detail]));
}"""
MONDAY_9_IN_BERLIN = 1_795_420_800_000

Screenshot = Callable[[Page, str], None]
Visit = Callable[..., Visitor]


@pytest.fixture
def people() -> Iterator[ScriptedPeople]:
    with ScriptedPeople() as people:
        people.next(token("Yes."), done("Yes.", messageId="m-1"))
        yield people


@pytest.fixture
def site(people: ScriptedPeople) -> Iterator[Site]:
    with Site(people.url) as site:
        yield site


@pytest.fixture
def visit(page: Page, site: Site) -> Visit:
    def visit(body: str = "", **options: str) -> Visitor:
        page.goto(site.page(body, **options))
        return Visitor(page).open()

    return visit


def rows(visitor: Visitor) -> Locator:
    """What the thread tells of the handoff."""
    return visitor.page.locator("perch-chat .event:visible")


def operators(visitor: Visitor) -> Locator:
    """What operators said."""
    return visitor.page.locator("perch-chat .operator > .text")


def bar(visitor: Visitor) -> Locator:
    """The line that says who answers."""
    return visitor.page.locator("perch-chat .handoff > p")


def card(visitor: Visitor) -> Locator:
    """The card that asks for an address."""
    return visitor.page.locator("perch-chat .contact")


def asks(visitor: Visitor) -> Visitor:
    """Ask for a person by the menu."""
    visitor.menu.click()
    visitor.panel.get_by_role("button", name=ASK).first.click()
    expect(bar(visitor)).to_have_text("Somebody will answer you here.")
    return visitor


def waits(people: ScriptedPeople, page: Page, count: int) -> None:
    """Wait until events were asked for so often."""
    for _ in range(200):
        if len(people.polls) >= count:
            return
        page.wait_for_timeout(25)
    raise AssertionError(people.asked)


def listens(people: ScriptedPeople, page: Page) -> int:
    """Wait until the panel knows all events, and return how often it asked for them."""
    for _ in range(200):
        if people.polls and f"after={people.newest}&" in people.polls[-1]:
            return len(people.polls)
        page.wait_for_timeout(25)
    raise AssertionError(people.asked)


def test_where_nobody_can_be_asked_nothing_says_so(
    visit: Visit, people: ScriptedPeople, page: Page
) -> None:
    files: list[str] = []
    page.on("request", lambda request: files.append(request.url))
    people.can_ask = False
    people.next(done("I do not know.", answeredBy="unknown", messageId="m-1"))
    visitor = visit()
    visitor.menu.click()
    expect(visitor.panel.get_by_role("button", name="New conversation")).to_be_visible()
    page.keyboard.press("Escape")
    for _ in range(3):
        visitor.ask("Who?").hears("I do not know.")
    visitor.button("Bad answer").click()
    visitor.menu.click()

    expect(visitor.panel.get_by_text(ASK)).to_have_count(2)
    expect(visitor.panel.get_by_text(ASK).locator("visible=true")).to_have_count(0)
    assert [url for url in files if "/people." in url] == []
    assert people.polls == []


def test_the_assistants_conversation_makes_no_request_of_its_own(
    visit: Visit, people: ScriptedPeople, page: Page
) -> None:
    files: list[str] = []
    page.on("request", lambda request: files.append(request.url))
    page.clock.install()
    visitor = visit().ask("Hello?").hears("Yes.")
    before = len(files)

    for closed in (False, True):
        if closed:
            visitor.launcher.click()
        page.clock.run_for(600_000)

    assert files[before:] == []
    assert [url for url in files if "/people." in url] == []


@pytest.mark.parametrize("trigger", ["three questions", "a thumbs-down", "an unknown answer"])
def test_a_person_is_offered_after(visit: Visit, people: ScriptedPeople, trigger: str) -> None:
    if trigger[:2] == "an":
        people.next(done("I do not know.", answeredBy="unknown", messageId="m-1"))
    visitor = visit()
    chip = visitor.page.locator("perch-chat .log > .person")
    for number in range(3 if trigger[0] == "t" else 1):
        expect(chip).to_be_hidden()
        visitor.ask(f"Question {number}")
        expect(visitor.answers).to_have_count(number + 1)
        expect(visitor.stop).to_be_hidden()
    if trigger == "a thumbs-down":
        expect(chip).to_be_hidden()
        visitor.button("Bad answer").click()

    expect(chip).to_have_text(ASK)
    chip.click()

    expect(bar(visitor)).to_have_text("Somebody will answer you here.")
    expect(rows(visitor)).to_have_text(["You asked for a person."])
    expect(chip).to_be_hidden()
    expect(visitor.input).to_be_focused()


def test_a_new_visitor_may_ask_for_a_person_at_once(visit: Visit, people: ScriptedPeople) -> None:
    visitor = asks(visit())

    assert people.asked.count("POST /v1/session/handoff") == 1
    expect(rows(visitor)).to_have_text(["You asked for a person."])
    visitor.menu.click()
    expect(visitor.panel.get_by_role("button", name=ASK)).to_have_count(0)
    expect(visitor.panel.get_by_role("button", name=BACK)).to_have_count(2)


def test_an_operator_is_heard_at_once_by_name(
    visit: Visit, people: ScriptedPeople, page: Page
) -> None:
    visitor = asks(visit())
    page.evaluate(LISTEN)
    listens(people, page)
    people.say("Hello, see **[this](https://shop.test/)**")

    expect(operators(visitor)).to_have_text(["Hello, see this"])
    expect(operators(visitor).locator("strong a")).to_have_attribute("href", "https://shop.test/")
    expect(visitor.page.locator("perch-chat .name")).to_have_text(["Ada"])
    expect(rows(visitor)).to_have_text(["You asked for a person.", "Ada joined."])
    expect(bar(visitor)).to_have_text("You are talking with Ada.")
    spoken = visitor.page.locator("perch-chat [role=status]", has_text="Ada: Hello")
    expect(spoken).to_have_count(1)
    told = page.evaluate("told")
    assert told[0] == ["handoff", {"state": "human"}]
    assert told[1][0] == "operator"
    assert {k: told[1][1][k] for k in ("name", "content")} == {
        "name": "Ada",
        "content": "Hello, see **[this](https://shop.test/)**",
    }
    # An operator is not rated, and says nothing again.
    for name in ("Good answer", "Bad answer", "Answer again"):
        expect(visitor.panel.get_by_role("button", name=name)).to_have_count(0)


def test_what_the_server_says_meanwhile_is_a_quiet_line_and_said_once(
    visit: Visit, people: ScriptedPeople, page: Page
) -> None:
    visitor = asks(visit())
    for question in ("My order", "Number 7", "Anybody?"):
        visitor.ask(question)
        expect(visitor.questions.last).to_have_text(question)
        expect(visitor.send).to_be_visible()
    people.say("Here I am")
    expect(operators(visitor)).to_have_count(1)

    quiet = page.locator("perch-chat .quiet:visible")
    expect(quiet).to_have_text([re.compile(re.escape(HOLDING))])
    expect(visitor.answers).to_have_text(["Here I am"])
    shown = page.locator("perch-chat .list > *:visible > :is(.text, p)")
    expect(shown).to_have_text(
        ["You asked for a person.", "My order", HOLDING, "Number 7", "Anybody?", "Ada joined.",
         "Here I am"]
    )  # fmt: skip


def test_what_comes_while_a_question_is_on_its_way_stands_where_it_was_said(
    visit: Visit, people: ScriptedPeople, page: Page
) -> None:
    visitor = asks(visit())
    listens(people, page)

    def late(route: Route) -> None:
        response = route.fetch()
        people.say("Hello")
        expect(operators(visitor)).to_have_count(1)
        route.fulfill(response=response)

    page.route("**/chat", late)
    visitor.ask("Anybody?")

    shown = page.locator("perch-chat .list > *:visible > :is(.text, p)")
    expect(shown).to_have_text(["You asked for a person.", "Anybody?", "Ada joined.", "Hello"])


def test_a_person_who_takes_over_is_learnt_of_with_the_next_question(
    visit: Visit, people: ScriptedPeople, page: Page
) -> None:
    visitor = visit().ask("Hello?").hears("Yes.")
    people.step("taken", "human", "Ada")

    visitor.ask("Still there?")

    expect(bar(visitor)).to_have_text("You are talking with Ada.")
    expect(rows(visitor)).to_have_text(["Ada joined."])
    expect(visitor.answers).to_have_text(["Yes."])
    people.say("I am")
    expect(visitor.answers).to_have_text(["Yes.", "I am"])


def test_a_person_who_takes_over_in_mid_answer_is_learnt_of(
    visit: Visit, people: ScriptedPeople
) -> None:
    people.next(token("One"), HOLD, done("One", finishReason="stopped"))
    visitor = visit().ask("Count")
    expect(visitor.answers).to_have_text(["One"])
    people.step("taken", "human", "Ada")
    people.release()

    expect(bar(visitor)).to_have_text("You are talking with Ada.")


def test_closed_it_is_asked_each_thirty_seconds_and_counted(
    visit: Visit, people: ScriptedPeople, page: Page
) -> None:
    page.clock.install()
    visitor = asks(visit())
    polls = listens(people, page)
    visitor.launcher.click()
    page.clock.run_for(29_000)
    assert len(people.polls) == polls

    people.say("One")
    people.say("Two")
    page.clock.run_for(1_500)
    expect(visitor.launcher).to_have_accessible_name("Assistant (2)")
    expect(page).to_have_title("(2) A shop")
    assert people.polls[-1] == "GET /v1/session/events?after=1"
    page.evaluate("document.title = 'Another page'")
    people.say("Three")
    page.clock.run_for(31_000)
    expect(page).to_have_title("(3) Another page")

    visitor.open()
    expect(visitor.launcher).to_have_accessible_name("Assistant")
    expect(page).to_have_title("Another page")
    expect(operators(visitor)).to_have_text(["One", "Two", "Three"])


def test_a_hidden_page_asks_for_nothing_and_once_when_it_is_seen(
    visit: Visit, people: ScriptedPeople, page: Page
) -> None:
    page.clock.install()
    visitor = asks(visit())
    polls = listens(people, page)
    visitor.launcher.click()
    page.evaluate(HIDE, True)
    page.clock.run_for(600_000)
    assert len(people.polls) == polls

    page.evaluate(HIDE, False)
    waits(people, page, polls + 1)
    page.clock.run_for(20_000)
    assert len(people.polls) == polls + 1


def test_a_reload_loses_nothing_and_shows_nothing_twice(
    visit: Visit, people: ScriptedPeople, page: Page
) -> None:
    visitor = asks(visit()).ask("My order")
    people.say("One")
    expect(operators(visitor)).to_have_text(["One"])
    listens(people, page)
    page.goto("about:blank")
    people.say("Two")
    page.go_back()
    expect(operators(visitor)).to_have_text(["One", "Two"])
    people.say("Three")

    expect(operators(visitor)).to_have_text(["One", "Two", "Three"])
    expect(rows(visitor)).to_have_text(["You asked for a person.", "Ada joined."])
    expect(visitor.questions).to_have_text(["My order"])


def test_what_came_while_the_visitor_was_away_is_counted_on_the_next_page(
    visit: Visit, people: ScriptedPeople, page: Page
) -> None:
    visitor = asks(visit())
    people.say("One")
    expect(operators(visitor)).to_have_text(["One"])
    listens(people, page)
    visitor.launcher.click()
    people.say("Two")
    page.goto("about:blank")
    page.go_back()

    expect(visitor.launcher).to_have_accessible_name("Assistant (1)")
    expect(visitor.panel).to_be_hidden()
    visitor.open()
    expect(operators(visitor)).to_have_text(["One", "Two"])


def test_two_tabs_show_each_word_once(
    visit: Visit, people: ScriptedPeople, page: Page, context: BrowserContext
) -> None:
    first = visit()
    second = Visitor(context.new_page())
    second.page.goto(page.url)
    expect(second.panel).to_be_visible()
    page.bring_to_front()
    asks(first)
    people.say("Hello")
    people.say("Anybody?")

    for visitor in (first, second):
        expect(operators(visitor)).to_have_text(["Hello", "Anybody?"])
        expect(rows(visitor)).to_have_text(["You asked for a person.", "Ada joined."])
        expect(bar(visitor)).to_have_text("You are talking with Ada.")


def test_tab_that_read_the_thread_before_another_showed_more_misses_nothing(
    visit: Visit, people: ScriptedPeople, page: Page, context: BrowserContext
) -> None:
    first = visit()
    second = Visitor(context.new_page())
    files: list[Route] = []
    second.page.route(f"**/{PEOPLE.name}*", lambda route: files.append(route))
    second.page.goto(page.url)
    expect(second.panel).to_be_visible()
    page.bring_to_front()
    with second.page.expect_response(re.compile(r"/v1/session/messages")):
        asks(first)
    people.say("Hello")
    expect(operators(first)).to_have_text(["Hello"])
    while not files:
        second.page.wait_for_timeout(25)
    files[0].continue_()

    expect(operators(second)).to_have_text(["Hello"])
    expect(bar(second)).to_have_text("You are talking with Ada.")


def test_errors_are_met_with_patience(visit: Visit, people: ScriptedPeople, page: Page) -> None:
    page.clock.install()
    people.failing = 3
    visitor = asks(visit())
    waits(people, page, 1)
    for count in (2, 3, 4):
        page.clock.run_for(8_000)
        waits(people, page, count)
    people.say("Hello")

    expect(operators(visitor)).to_have_text(["Hello"])
    expect(visitor.notice).to_be_hidden()


def test_being_offline_costs_no_word(
    visit: Visit, people: ScriptedPeople, page: Page, context: BrowserContext
) -> None:
    visitor = asks(visit())
    listens(people, page)
    context.set_offline(True)
    people.say("Hello")
    page.wait_for_timeout(300)
    context.set_offline(False)

    expect(operators(visitor)).to_have_text(["Hello"])


def test_back_to_the_assistant(visit: Visit, people: ScriptedPeople, page: Page) -> None:
    visitor = asks(visit())
    people.say("Hello")
    expect(operators(visitor)).to_have_text(["Hello"])

    visitor.button(BACK).click()

    expect(bar(visitor)).to_be_hidden()
    expect(rows(visitor).last).to_have_text("The assistant answers again.")
    expect(visitor.input).to_be_focused()
    polls = len(people.polls)
    visitor.ask("And you?").hears("Yes.")
    expect(visitor.button("Answer again")).to_be_visible()
    page.reload()
    expect(visitor.answers).to_have_text(["Hello", "Yes."])
    assert len(people.polls) == polls
    # And once more to a person.
    asks(visitor)
    people.say("Me again", "Bo")
    expect(operators(visitor)).to_have_text(["Hello", "Me again"])
    expect(visitor.page.locator("perch-chat .name")).to_have_text(["Ada", "Bo"])


def test_an_operator_closes(visit: Visit, people: ScriptedPeople, page: Page) -> None:
    visitor = asks(visit())
    people.say("Done")
    people.step("closed", "bot", "Ada")

    expect(rows(visitor).last).to_have_text("The conversation was closed.")
    expect(bar(visitor)).to_be_hidden()
    polls = len(people.polls)
    page.wait_for_timeout(300)
    assert len(people.polls) == polls
    visitor.ask("Thanks?").hears("Yes.")


def test_a_new_conversation_is_the_assistants(
    visit: Visit, people: ScriptedPeople, page: Page
) -> None:
    visitor = asks(visit())
    visitor.menu.click()
    visitor.panel.get_by_role("button", name="New conversation").click()

    expect(bar(visitor)).to_be_hidden()
    expect(card(visitor)).to_be_hidden()
    polls = len(people.polls)
    page.wait_for_timeout(300)
    assert len(people.polls) == polls


def test_a_conversation_that_the_owner_deleted_is_the_assistants(
    visit: Visit, people: ScriptedPeople, page: Page
) -> None:
    visitor = asks(visit())
    people.say("Hello")
    expect(operators(visitor)).to_have_count(1)
    listens(people, page)
    people.forget()
    page.reload()

    expect(visitor.input).to_be_visible()
    expect(operators(visitor)).to_have_count(0)
    expect(bar(visitor)).to_be_hidden()


def test_the_keyboard_alone_is_enough(visit: Visit, page: Page) -> None:
    visitor = visit()
    expect(visitor.input).to_be_focused()
    visitor.menu.focus()
    page.keyboard.press("Enter")
    expect(visitor.panel.get_by_role("button", name=ASK)).to_be_visible()
    page.keyboard.press("Tab")
    expect(visitor.panel.get_by_role("button", name=ASK)).to_be_focused()
    page.keyboard.press("Enter")
    expect(card(visitor)).to_be_visible()
    expect(visitor.input).to_be_focused()

    page.keyboard.press("Shift+Tab")
    expect(card(visitor).get_by_role("button", name="No, thanks")).to_be_focused()
    page.keyboard.press("Enter")
    expect(card(visitor)).to_be_hidden()
    expect(visitor.input).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    expect(visitor.button(BACK)).to_be_focused()
    page.keyboard.press("Enter")

    expect(bar(visitor)).to_be_hidden()


def test_a_press_counts_while_the_conversation_is_read_again(visit: Visit, page: Page) -> None:
    visitor = visit()
    reads: list[Route] = []
    page.route(re.compile(r"/v1/session/messages"), lambda route: reads.append(route), times=1)
    visitor.menu.click()
    visitor.panel.get_by_role("button", name=ASK).first.click()
    expect(bar(visitor)).to_be_visible()

    visitor.button(BACK).click()

    expect(bar(visitor)).to_be_hidden()


def test_what_another_tab_has_shown_is_not_counted(
    visit: Visit, people: ScriptedPeople, page: Page, context: BrowserContext
) -> None:
    first = asks(visit())
    listens(people, page)
    second = Visitor(context.new_page())
    second.page.clock.install()
    second.page.goto(page.url)
    expect(bar(second)).to_be_visible()
    second.launcher.click()
    people.say("Hello")
    expect(operators(first)).to_have_text(["Hello"])
    second.page.clock.run_for(31_000)
    second.page.wait_for_timeout(300)

    expect(second.launcher).to_have_accessible_name("Assistant")
    second.open()
    expect(operators(second)).to_have_text(["Hello"])


def test_the_card_wants_an_address_and_consent(
    visit: Visit, people: ScriptedPeople, page: Page
) -> None:
    visitor = asks(visit(privacy_url="https://shop.test/privacy"))
    email = card(visitor).get_by_label("E-mail", exact=True)
    name = card(visitor).get_by_label("Name (optional)")
    consent = card(visitor).get_by_label("I agree to be answered by e-mail.")
    submit = card(visitor).get_by_role("button", name="Save")
    problem = card(visitor).get_by_role("alert")
    link = card(visitor).get_by_role("link", name="Privacy")
    expect(link).to_have_attribute("href", "https://shop.test/privacy")

    submit.click()
    expect(problem).to_have_text("Please check the address.")
    expect(email).to_be_focused()
    expect(email).to_have_attribute("aria-invalid", "true")
    email.fill("ada@nowhere")
    submit.click()
    expect(problem).to_have_text("Please agree to be answered by e-mail.")
    consent.check()
    email.press("Enter")
    # The server knows better what an address is.
    expect(problem).to_have_text("Please check the address.")
    assert people.contact is None
    email.fill(" ada@shop.test ")
    name.fill("Ada")
    name.press("Enter")

    expect(rows(visitor).last).to_have_text("We will answer here and by e-mail.")
    expect(card(visitor)).to_be_hidden()
    expect(visitor.input).to_be_focused()
    assert people.contact == {"email": "ada@shop.test", "name": "Ada", "consent": True}
    expect(visitor.panel.get_by_role("button", name="Answer by e-mail")).to_be_hidden()
    page.reload()
    expect(rows(visitor)).to_have_count(2)
    expect(card(visitor)).to_be_hidden()


def test_the_card_can_be_skipped_and_taken_up_again(visit: Visit, page: Page) -> None:
    visitor = asks(visit())
    card(visitor).get_by_role("button", name="No, thanks").click()
    expect(card(visitor)).to_be_hidden()
    expect(visitor.input).to_be_focused()
    page.reload()
    expect(bar(visitor)).to_be_visible()
    expect(card(visitor)).to_be_hidden()

    visitor.button("Answer by e-mail").click()

    expect(card(visitor).get_by_label("E-mail", exact=True)).to_be_focused()


def test_what_is_typed_into_the_card_outlives_the_operators_first_word(
    visit: Visit, people: ScriptedPeople
) -> None:
    visitor = asks(visit())
    card(visitor).get_by_label("E-mail", exact=True).fill("ada@")
    people.say("Hello")
    expect(operators(visitor)).to_have_count(1)

    expect(card(visitor).get_by_label("E-mail", exact=True)).to_have_value("ada@")
    expect(card(visitor).get_by_label("E-mail", exact=True)).to_be_focused()


def test_an_address_can_be_asked_for_before_the_first_question(
    visit: Visit, people: ScriptedPeople, page: Page
) -> None:
    visitor = visit(contact="before")
    card(visitor).get_by_label("E-mail", exact=True).fill("ada@shop.test")
    card(visitor).get_by_label("I agree to be answered by e-mail.").check()
    card(visitor).get_by_role("button", name="Save").click()

    expect(rows(visitor)).to_have_text(["We will answer here and by e-mail."])
    assert people.contact == {"email": "ada@shop.test", "consent": True}
    visitor.ask("Hello?").hears("Yes.")
    expect(card(visitor)).to_be_hidden()


def test_panel_that_is_opened_while_its_part_for_people_comes_stays_and_asks_for_one_session(
    page: Page, site: Site, people: ScriptedPeople
) -> None:
    held: list[Route] = []
    page.route(re.compile(r"/widget/people\."), lambda route: held.append(route))
    page.goto(site.page(contact="before"))
    visitor = Visitor(page)
    visitor.launcher.hover()
    expect(visitor.input).to_be_attached()
    visitor.launcher.click()
    expect(visitor.input).to_be_visible()
    for route in held:
        route.continue_()

    expect(card(visitor).get_by_label("E-mail", exact=True)).to_be_visible()
    visitor.ask("Hello?").hears("Yes.")
    assert people.sessions == 1


def test_who_skips_the_first_card_is_not_asked_again(visit: Visit, page: Page) -> None:
    visitor = visit(contact="Before")
    card(visitor).get_by_role("button", name="No, thanks").click()
    page.reload()
    expect(visitor.input).to_be_visible()
    visitor.ask("Hello?").hears("Yes.")

    expect(card(visitor)).to_have_count(0)


def test_who_cannot_ask_is_not_asked_for_an_address(visit: Visit, people: ScriptedPeople) -> None:
    people.can_ask = False
    visitor = visit(contact="before").ask("Hello?").hears("Yes.")

    expect(card(visitor)).to_have_count(0)


@pytest.mark.parametrize(
    ("zone", "language", "said"),
    [
        ("Europe/Berlin", "en-GB", "Back on Monday 09:00."),
        ("America/New_York", "en-US", "Back on Monday 03:00 AM."),
        ("Asia/Tokyo", "en-GB", "Back on Monday 17:00."),
    ],
)
def test_outside_of_hours_it_says_when_in_the_visitors_own_zone(
    browser: Browser, people: ScriptedPeople, site: Site, zone: str, language: str, said: str
) -> None:
    people.back_at = MONDAY_9_IN_BERLIN
    context = browser.new_context(timezone_id=zone, locale=language)
    page = context.new_page()
    page.clock.install(time=(MONDAY_9_IN_BERLIN - 2 * 86_400_000) / 1000)
    page.goto(site.page())
    visitor = Visitor(page).open()
    visitor.menu.click()
    visitor.panel.get_by_role("button", name=ASK).click()

    expect(bar(visitor)).to_contain_text("Back on")
    shown = re.sub(r",? at |, |\u202f", " ", bar(visitor).inner_text())
    assert shown == f"Somebody will answer you here. {said}"
    page.reload()
    expect(bar(visitor)).to_contain_text("Back on Monday")
    context.close()


def test_a_return_link_opens_the_conversation_in_another_browser(
    visit: Visit, people: ScriptedPeople, page: Page, browser: Browser
) -> None:
    first = asks(visit()).ask("My order")
    people.say("It is on its way")
    expect(operators(first)).to_have_count(1)
    context = browser.new_context(viewport={"width": 375, "height": 667})
    second = Visitor(context.new_page())
    second.page.goto(f"{page.url}?a=%20b&perch={RETURN_TOKEN}&c=1#more")

    expect(second.panel).to_be_visible()
    expect(operators(second)).to_have_text(["It is on its way"])
    expect(second.questions).to_have_text(["My order"])
    expect(bar(second)).to_have_text("You are talking with Ada.")
    assert second.page.url == f"{page.url}?a=%20b&c=1#more"
    second.ask("Thank you")
    people.say("You are welcome")
    for visitor in (first, second):
        expect(operators(visitor).last).to_have_text("You are welcome")
    second.page.reload()
    expect(second.launcher).to_be_attached()
    assert people.asked.count("POST /v1/session/return") == 1
    context.close()


def test_a_return_link_that_has_expired_says_so_once(
    page: Page, site: Site, people: ScriptedPeople
) -> None:
    address = site.page()
    page.goto(f"{address}?perch=old")
    visitor = Visitor(page)

    expect(visitor.panel).to_be_visible()
    said = "This link has expired or is incomplete. Please write to us here."
    expect(rows(visitor)).to_have_text([said])
    assert page.url == address
    visitor.ask("Hello?").hears("Yes.")
    page.reload()
    expect(visitor.answers).to_have_text(["Yes."])
    expect(rows(visitor)).to_have_count(0)


def test_a_file_that_does_not_come_is_a_sentence_and_a_retry(
    visit: Visit, page: Page, people: ScriptedPeople
) -> None:
    page.route("**/people.*", lambda route: route.abort())
    visitor = visit().ask("Hello?").hears("Yes.")
    visitor.menu.click()
    visitor.panel.get_by_role("button", name=ASK).click()
    expect(visitor.notice).to_contain_text("Something went wrong.")

    page.unroute("**/people.*")
    visitor.retry.click()

    expect(bar(visitor)).to_have_text("Somebody will answer you here.")


def test_a_nonce_is_policy_enough_for_the_third_file(page: Page, people: ScriptedPeople) -> None:
    policy = (
        "default-src 'none'; script-src 'nonce-abc'; connect-src 'self'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
    script = tag(people.url).replace("<script ", '<script nonce="abc" ')
    document = PAGE.format(body="", script=script)
    headers = {"content-security-policy": policy, "content-type": "text/html"}
    page.route(f"{people.url}/page", lambda route: route.fulfill(body=document, headers=headers))
    page.goto(f"{people.url}/page")

    asks(Visitor(page).open())


def test_storage_denied_the_page_remembers(
    visit: Visit, people: ScriptedPeople, page: Page
) -> None:
    page.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no') } })"
    )
    visitor = asks(visit())
    people.say("Hello")
    expect(operators(visitor)).to_have_text(["Hello"])
    visitor.button(BACK).click()

    expect(bar(visitor)).to_be_hidden()


LOOKS = [
    ("light", 1000, {}, "Ada"),
    ("dark", 1000, {"theme": "dark", "accent_color": "#f59e0b"}, "Ada"),
    ("right-to-left", 1000, {"locale": "ar", "accent_color": "#7c3aed"}, "ليلى"),
    ("phone", 375, {"locale": "de"}, "Ada"),
]


@pytest.mark.parametrize(("name", "width", "options", "author"), LOOKS)
def test_everybody_can_see_and_read_it(
    visit: Visit,
    people: ScriptedPeople,
    page: Page,
    screenshot: Screenshot,
    name: str,
    width: int,
    options: dict[str, str],
    author: str,
) -> None:
    page.set_viewport_size({"width": width, "height": 760})
    people.back_at = 4_102_444_800_000
    people.next(done("I do not know that.", answeredBy="unknown", messageId="m-1"))
    visitor = visit(privacy_url="https://shop.test/privacy", **options)
    visitor.ask("Where is my order?")
    chip = page.locator("perch-chat .log > .person")
    expect(chip).to_be_visible()
    assert violations(page) == []
    screenshot(page, f"people-{name}-chip")
    chip.click()
    expect(card(visitor)).to_be_visible()
    visitor.ask("It was number 7")
    expect(page.locator("perch-chat .quiet:visible")).to_have_count(1)
    card(visitor).locator(".submit").click()
    expect(card(visitor).get_by_role("alert")).not_to_be_empty()
    assert violations(page) == []
    screenshot(page, f"people-{name}-waiting")

    card(visitor).locator(".skip").click()
    people.say(
        "Hello!\n\n- It left **yesterday**\n- See `track 7`, or [here](https://x.test)", author
    )
    visitor.ask("Thank you")
    people.say("You are welcome. " * 8, author)
    expect(operators(visitor)).to_have_count(2)
    assert violations(page) == []
    assert visitor.log.evaluate("(log) => log.scrollWidth <= log.clientWidth")
    screenshot(page, f"people-{name}-human")

    visitor.page.locator("perch-chat .release").click()
    expect(bar(visitor)).to_be_hidden()
    assert violations(page) == []
    screenshot(page, f"people-{name}-back")


@pytest.mark.parametrize(("name", "width", "options"), [look[:3] for look in LOOKS])
def test_everybody_can_see_where_a_link_leads(
    page: Page,
    site: Site,
    people: ScriptedPeople,
    screenshot: Screenshot,
    name: str,
    width: int,
    options: dict[str, str],
) -> None:
    page.set_viewport_size({"width": width, "height": 760})
    page.goto(site.page("", **options) + "?perch=old")
    visitor = Visitor(page)
    expect(rows(visitor)).to_have_count(1)

    assert violations(page) == []
    screenshot(page, f"people-{name}-expired")
