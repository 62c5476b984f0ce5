"""Turns that stand on the owner's pages: what the model is asked, what is told and stored."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import gevent
import pytest

from app.assistants import Assistants
from app.domain.conversation import Message, Page
from app.domain.errors import ModelInterrupted
from app.domain.events import SourcesFound, TokensReceived, TurnDone, TurnEnded, TurnEvent
from app.domain.grounding import read_frame
from app.domain.knowledge import Found, Inquiry, Passage, Source
from app.settings import KnowledgePolicy, TurnPolicy
from app.storage.protocol import ConversationStore
from app.turns.admission import Admission
from app.turns.service import TurnService
from tests.data import a_question
from tests.fakes import ScriptedModel
from tests.turn_parts import CLIENT, a_meter, an_assistant
from tests.turns.running import stored

HOURS = Passage("k1", "Opening hours", "Sunday", "From 10.", 10, "https://example.org/h#sunday")
PRICES = Passage("k2", "Prices", "", "Five euros.", 10)
SOURCES = [Source(1, "Opening hours › Sunday", HOURS.url), Source(2, "Prices")]


class Pages:
    """Knowledge that finds what the test says, after it has waited for nothing."""

    def __init__(self, found: Found, *, known: bool = True) -> None:
        self.found = found
        self.known = known
        self.asked: list[Inquiry] = []

    def is_known(self) -> bool:
        return self.known

    def find(self, inquiry: Inquiry) -> Found:
        self.asked.append(inquiry)
        gevent.sleep(0)
        return self.found

    def close(self) -> None: ...


class Site:
    """One assistant with pages, and what came of its turns."""

    def __init__(
        self, store: ConversationStore, model: ScriptedModel, pages: Pages, mode: str, **policy: Any
    ) -> None:
        self.ended: list[TurnEnded] = []
        self.model = model
        self.store = store
        self.meter = a_meter()
        assistant = an_assistant(model, TurnPolicy(system_prompt="Be brief.", **policy), self.meter)
        settings = replace(assistant.settings, knowledge=KnowledgePolicy(mode=mode))
        assistant = replace(assistant, settings=settings, knowledge=pages)
        self.turns = TurnService(
            store, Assistants([assistant]), Admission(), 10, listeners=[self.ended.append]
        )

    def ask(self, text: str = "When do you open?", **fields: Any) -> list[TurnEvent]:
        begun = self.turns.begin(a_question(content=text, **fields), CLIENT)
        return list(self.turns.run(begun).events())

    def answers(self) -> Sequence[Message]:
        turn = self.ended[-1].turn
        return [each for each in stored(self.store, turn) if each.role == "assistant"]


@pytest.fixture
def make_site(store: ConversationStore, model: ScriptedModel) -> Any:
    def make(found: Found, mode: str = "prefer", *, known: bool = True) -> tuple[Site, Pages]:
        pages = Pages(found, known=known)
        return Site(store, model, pages, mode), pages

    return make


def test_model_is_asked_with_the_passages_and_the_visitor_told_what_it_may_cite(
    make_site: Any, model: ScriptedModel
) -> None:
    site, _ = make_site(Found([HOURS, PRICES]))
    model.script("From ", "10 [1].")

    events = site.ask()

    framed = read_frame(model.prompts[-1][-1].content)
    assert framed.question == "When do you open?"
    assert [each.text for each in framed.passages] == ["From 10.", "Five euros."]
    assert events[1] == SourcesFound(SOURCES)
    done = events[-1]
    assert isinstance(done, TurnDone)
    assert done.sources == SOURCES[:1]
    [answer] = site.answers()
    assert (answer.sources, answer.gap, answer.answered_by) == (SOURCES[:1], None, None)


def test_question_is_looked_up_where_the_visitor_is_and_a_later_one_with_the_one_before(
    make_site: Any, model: ScriptedModel
) -> None:
    site, pages = make_site(Found([HOURS]))
    model.script("From 10 [1].")

    site.ask("When do you open?", page=Page("https://example.org/contact"))
    site.ask("And on Sundays?", turn_id="turn-0002")

    assert pages.asked[0] == Inquiry("When do you open?", page_url="https://example.org/contact")
    assert pages.asked[-1] == Inquiry("And on Sundays?", "When do you open?", (HOURS.url,))


def test_earlier_numbers_are_not_told_to_the_model(make_site: Any, model: ScriptedModel) -> None:
    site, _ = make_site(Found([HOURS]))
    model.script("From 10 [1].")

    site.ask()
    site.ask("And on Sundays?", turn_id="turn-0002")

    assert [each.content for each in model.prompts[-1][1:-1]] == ["When do you open?", "From 10."]


def test_passages_come_on_top_of_the_owners_limit(
    store: ConversationStore, model: ScriptedModel
) -> None:
    long = replace(HOURS, text="word " * 300, tokens=400)
    site = Site(store, model, Pages(Found([long] * 3)), "prefer", max_prompt_tokens=150)

    site.ask("When do you open?")
    site.ask("And on Sundays?", turn_id="turn-0002")

    assert [each.role for each in model.prompts[-1]] == ["system", "user", "assistant", "user"]


@pytest.mark.parametrize(
    ("found", "said", "gap"),
    [
        (Found([HOURS]), "I could not find it.", "not_cited"),
        (Found(), "I could not find it.", "nothing_found"),
        (Found(has_content=False), "You are welcome.", None),
    ],
)
def test_answer_without_a_citation_is_marked_for_the_owner(
    make_site: Any, model: ScriptedModel, found: Found, said: str, gap: str | None
) -> None:
    site, _ = make_site(found)
    model.script(said)

    events = site.ask()

    [answer] = site.answers()
    assert (answer.content, answer.sources, answer.gap) == (said, [], gap)
    assert [each.sources for each in events if isinstance(each, TurnDone)] == [[]]


def test_answer_that_broke_off_is_no_gap(make_site: Any, model: ScriptedModel) -> None:
    site, _ = make_site(Found([HOURS]))
    model.script("From", ModelInterrupted())

    site.ask()

    [answer] = site.answers()
    assert (answer.status, answer.gap) == ("partial", None)


@pytest.mark.parametrize(
    ("found", "mode", "text", "by", "gap"),
    [
        (Found([HOURS], owners_answer="At ten."), "prefer", "At ten.", "owner", None),
        (Found([HOURS], owners_answer="At ten."), "only", "At ten.", "owner", None),
        (Found(), "only", KnowledgePolicy().unknown_message, "unknown", "unknown"),
        (Found(is_ready=False), "only", KnowledgePolicy().unknown_message, "unknown", "unknown"),
    ],
)
def test_no_model_is_asked_nor_paid_where_the_owner_has_spoken(
    make_site: Any,
    model: ScriptedModel,
    found: Found,
    mode: str,
    text: str,
    by: str,
    gap: str | None,
) -> None:
    site, _ = make_site(found, mode)

    events = site.ask()

    assert model.prompts == []
    assert site.meter.spent_today == 0
    assert [each for each in events if isinstance(each, SourcesFound)] == []
    assert [each.tokens for each in events if isinstance(each, TokensReceived)] == [[text]]
    done = events[-1]
    assert isinstance(done, TurnDone)
    assert (done.message, done.answered_by, done.finish_reason) == (text, by, None)
    [answer] = site.answers()
    assert (answer.content, answer.answered_by, answer.gap) == (text, by, gap)
    assert (answer.status, answer.usage, answer.model) == ("complete", None, None)


def test_grounded_answer_is_told_again_with_its_sources(
    make_site: Any, model: ScriptedModel
) -> None:
    site, _ = make_site(Found([PRICES, HOURS]))
    model.script("From 10 [2].")
    site.ask()

    again = site.ask()

    assert again[1] == SourcesFound([Source(2, SOURCES[0].title, HOURS.url)])
    assert [each.sources for each in again if isinstance(each, TurnDone)] == [again[1].sources]
    assert len(model.prompts) == 1


@pytest.mark.parametrize(("mode", "known"), [("off", True), ("prefer", False)])
def test_where_nothing_is_known_or_wanted_nothing_is_looked_up(
    make_site: Any, model: ScriptedModel, mode: str, *, known: bool
) -> None:
    site, pages = make_site(Found([HOURS]), mode, known=known)

    events = site.ask()

    assert pages.asked == []
    assert [each.sources for each in events if isinstance(each, TurnDone)] == [None]
    assert model.prompts[-1][-1].content == "When do you open?"
    assert site.answers()[0].sources is None


def test_while_the_index_is_built_answers_are_as_without_pages(
    make_site: Any, model: ScriptedModel
) -> None:
    site, _ = make_site(Found(is_ready=False))

    site.ask()

    assert model.prompts[-1][-1].content == "When do you open?"
    assert site.answers()[0].sources is None


def test_what_was_found_is_told_to_who_listens(make_site: Any, model: ScriptedModel) -> None:
    site, _ = make_site(Found([HOURS], coverage=0.5))

    site.ask()

    grounds = site.ended[-1].grounds
    assert grounds is not None
    assert grounds.found.coverage == 0.5
