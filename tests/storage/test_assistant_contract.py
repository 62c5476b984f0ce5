"""What any store must do where several assistants share it, claim by claim."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app.domain.conversation import DEFAULT_ASSISTANT, ConversationFilter, Feedback, Page
from app.domain.errors import AssistantMismatch
from app.domain.figures import DayFigures
from app.storage.protocol import ConversationStore
from tests.data import SESSION, an_answer
from tests.storage.stores import Advance
from tests.storage.test_store_contract import all_pages, begin, said, say, sessions

EVER = ("2000-01-01", "2999-12-31")
EVER_BY_HOUR = ("2000-01-01T00", "2999-12-31T23")
SHOP, DOCS = "shop", "docs-2"


def today(store: ConversationStore) -> str:
    """The day on which a session was last used."""
    newest = store.list_conversations(limit=1).conversations[0]
    return datetime.fromtimestamp(newest.updated_at / 1000, UTC).date().isoformat()


def rate(store: ConversationStore, session_id: str, feedback: Feedback) -> None:
    thread = store.read_session(session_id, limit=1)
    assert thread is not None
    store.rate_message(session_id, thread.messages[0].id, feedback)


def turns(store: ConversationStore, assistant: str | None = None) -> int:
    return sum(each.turns for each in store.read_figures(*EVER, assistant))


# A session belongs to one assistant


@pytest.mark.parametrize("assistant", [DEFAULT_ASSISTANT, SHOP])
def test_conversation_comes_back_with_its_assistant(
    store: ConversationStore, assistant: str
) -> None:
    turn = say(store, assistant=assistant)

    (listed,) = store.list_conversations(limit=10).conversations
    assert store.read_thread(turn.conversation_id).conversation == listed
    thread = store.read_session(SESSION, limit=10)
    assert thread is not None
    assert thread.conversation == listed
    assert listed.assistant == assistant


@pytest.mark.parametrize(
    ("first", "second"), [(DEFAULT_ASSISTANT, SHOP), (SHOP, DEFAULT_ASSISTANT), (SHOP, DOCS)]
)
def test_session_of_one_assistant_is_not_begun_with_another(
    store: ConversationStore, first: str, second: str
) -> None:
    turn = say(store, assistant=first)
    before = store.read_thread(turn.conversation_id)

    for turn_id in ("turn-0002", turn.id):
        with pytest.raises(AssistantMismatch):
            begin(store, turn_id=turn_id, assistant=second)

    assert store.read_thread(turn.conversation_id) == before
    assert (turns(store), turns(store, second)) == (1, 0)
    assert begin(store, turn_id="turn-0002", assistant=first).prompt


def test_mismatch_is_told_before_a_running_turn(store: ConversationStore) -> None:
    begin(store, assistant=SHOP)

    with pytest.raises(AssistantMismatch):
        begin(store, turn_id="turn-0002", assistant=DOCS)


def test_session_may_choose_again_after_its_conversation_was_deleted(
    store: ConversationStore,
) -> None:
    store.delete_conversation(say(store, assistant=SHOP).conversation_id)

    turn = say(store, assistant=DOCS)

    assert store.read_thread(turn.conversation_id).conversation.assistant == DOCS


def test_user_named_before_the_first_question_is_any_assistants(store: ConversationStore) -> None:
    store.set_user(SESSION, "ada")

    say(store, assistant=SHOP)

    (found,) = store.list_conversations(limit=10).conversations
    assert (found.user, found.assistant) == ("ada", SHOP)


# Lists


@pytest.fixture
def varied(store: ConversationStore, advance: Advance) -> None:
    """Of each of three assistants the same four conversations, one after the other."""
    for assistant in (DEFAULT_ASSISTANT, SHOP, DOCS):
        for name, content, page in (
            ("plain", "Where is my parcel", "https://a.example/"),
            ("partial", "Hi", "https://b.example/"),
            ("failed", "Hi", "https://b.example/"),
            ("rated", "A parcel", "https://a.example/cart"),
        ):
            advance(1_000)
            session_id = f"{assistant}-{name}"
            store.set_user(session_id, f"user-{name}")
            answers = {
                "partial": an_answer(content="Half", status="partial"),
                "failed": an_answer(content="", status="error"),
            }
            asked = {"session_id": session_id, "content": content, "page": Page(page)}
            say(store, assistant=assistant, answer=answers.get(name, an_answer()), **asked)
        rate(store, f"{assistant}-rated", Feedback("down"))
        rate(store, f"{assistant}-plain", Feedback("up"))


@pytest.mark.parametrize("assistant", [DEFAULT_ASSISTANT, SHOP, DOCS])
@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (ConversationFilter(), ["rated", "failed", "partial", "plain"]),
        (ConversationFilter(text="parcel"), ["rated", "plain"]),
        (ConversationFilter(status="complete"), ["rated", "plain"]),
        (ConversationFilter(status="partial"), ["partial"]),
        (ConversationFilter(status="error"), ["failed"]),
        (ConversationFilter(feedback="up"), ["plain"]),
        (ConversationFilter(feedback="down"), ["rated"]),
        (ConversationFilter(page="https://a.example/"), ["rated", "plain"]),
        (ConversationFilter(user="user-plain"), ["plain"]),
        (ConversationFilter(user="user-plain", status="complete"), ["plain"]),
        (ConversationFilter(since=1, until=2), []),
    ],
)
def test_list_of_one_assistant_holds_nothing_of_another(
    store: ConversationStore,
    varied: None,
    assistant: str,
    where: ConversationFilter,
    expected: list[str],
) -> None:
    its_own = replace(where, assistant=assistant)

    page = store.list_conversations(limit=10, where=its_own)

    assert sessions(page.conversations) == [f"{assistant}-{name}" for name in expected]
    assert (page.total, page.found, page.next_cursor) == (None, len(expected), None)
    assert all_pages(store, 1, its_own) == sessions(page.conversations)


def test_list_that_names_no_assistant_holds_all(store: ConversationStore, varied: None) -> None:
    page = store.list_conversations(limit=20)

    assert (len(page.conversations), page.total) == (12, 12)
    assert all_pages(store, 2, ConversationFilter(status="error")) == [
        "docs-2-failed",
        "shop-failed",
        "default-failed",
    ]


def test_unknown_assistant_has_nothing(store: ConversationStore, varied: None) -> None:
    unknown = ConversationFilter(assistant="nobody")

    assert store.list_conversations(limit=10, where=unknown).conversations == ()
    assert list(store.list_marked_turns("error", limit=5, assistant="nobody")) == []
    assert list(store.read_figures(*EVER, "nobody")) == []


@pytest.mark.parametrize(
    ("mark", "name"),
    [("up", "plain"), ("down", "rated"), ("partial", "partial"), ("error", "failed")],
)
def test_marked_turns_of_one_assistant_are_its_own(
    store: ConversationStore, varied: None, mark: str, name: str
) -> None:
    def marked(assistant: str | None) -> list[str]:
        found = store.list_marked_turns(mark, limit=2, assistant=assistant)  # type: ignore[arg-type]
        return sessions(turn.conversation for turn in found)

    assert marked(DEFAULT_ASSISTANT) == [f"default-{name}"]
    assert marked(SHOP) == [f"shop-{name}"]
    assert marked(None) == [f"docs-2-{name}", f"shop-{name}"]


# Figures


def test_figures_are_those_of_the_conversations_assistant(store: ConversationStore) -> None:
    for assistant, count in ((DEFAULT_ASSISTANT, 1), (SHOP, 2)):
        for number in range(count):
            say(store, session_id=f"{assistant}-{number}", assistant=assistant)
    rate(store, "shop-0", Feedback("up"))
    rate(store, "shop-0", Feedback("down"))
    store.add_figures({"limits_hit": 3})
    store.add_figures({"limits_hit": 4}, SHOP)
    day = today(store)

    default = DayFigures(day, conversations=1, visitors=1, turns=1, limits_hit=3)
    shop = DayFigures(day, conversations=2, visitors=2, turns=2, limits_hit=4, thumbs_down=1)
    both = replace(shop, conversations=3, visitors=3, turns=3, limits_hit=7)
    for assistant, expected in ((DEFAULT_ASSISTANT, default), (SHOP, shop), (None, both)):
        assert list(store.read_figures(*EVER, assistant)) == [expected]
        hours = store.read_figures(*EVER_BY_HOUR, assistant)
        assert sum(hour.limits_hit for hour in hours) == expected.limits_hit


def test_tokens_count_for_the_assistant_that_took_them(store: ConversationStore) -> None:
    for assistant, tokens in ((DEFAULT_ASSISTANT, 5), (SHOP, 70), (DOCS, 900)):
        answer = an_answer(model="m", charged_tokens=tokens)
        say(store, session_id=assistant, assistant=assistant, answer=answer)

    def charged(assistant: str | None) -> tuple[int, int]:
        (found,) = store.read_figures(*EVER, assistant)
        return found.charged_tokens, found.models["m"].unrecorded_tokens

    assert [charged(each) for each in (DEFAULT_ASSISTANT, SHOP, DOCS, None)] == [
        (5, 5),
        (70, 70),
        (900, 900),
        (975, 975),
    ]


def test_expired_turn_is_the_error_of_its_assistant(
    store: ConversationStore, advance: Advance
) -> None:
    say(store, session_id="session-0")
    begin(store, assistant=SHOP)
    advance(61_000)
    begin(store, turn_id="turn-0002", assistant=SHOP)

    def errors(assistant: str | None) -> int:
        return sum(each.errors for each in store.read_figures(*EVER, assistant))

    assert (errors(SHOP), errors(DEFAULT_ASSISTANT), errors(None)) == (1, 0, 1)


def test_turn_of_one_assistant_does_not_end_in_anothers_conversation(
    store: ConversationStore,
) -> None:
    turn = begin(store, assistant=SHOP)
    store.delete_conversation(turn.conversation_id)
    other = say(store, assistant=DOCS)

    assert store.finish_turn(turn, an_answer(content="Late")) is None

    assert said(store.read_thread(other.conversation_id))[1] == ("assistant", "Nine to five.")
    assert (turns(store, SHOP), turns(store, DOCS)) == (0, 1)
