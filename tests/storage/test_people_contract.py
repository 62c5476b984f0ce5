"""What any ``PeopleStore`` must do, claim by claim."""

from dataclasses import replace
from typing import Any, get_args

import pytest

from app.domain.conversation import (
    DEFAULT_ASSISTANT,
    TAKEN,
    Answer,
    Conversation,
    ConversationFilter,
    Feedback,
    Message,
    Page,
    SessionEvents,
    Turn,
)
from app.domain.errors import (
    AssistantMismatch,
    ConversationNotFound,
    MessageNotFound,
    SessionExpired,
    TurnInProgress,
    TurnMismatch,
    TurnNotLast,
)
from app.domain.people import (
    ByOperator,
    ByVisitor,
    Contact,
    ConversationState,
    HandedOver,
    Notice,
    Step,
)
from app.storage.people_store import NOTICE_DAYS
from app.storage.protocol import ConversationStore
from tests.data import SESSION, TURN, a_failure, an_answer
from tests.storage.stores import START_MS, Advance
from tests.storage.test_store_contract import begin, outcomes, say, sessions, texts

VISITOR = ByVisitor(SESSION, DEFAULT_ASSISTANT)
DAY = "2023-11-14"
ADA = Contact("ada@visitor.example", "Ada L.", START_MS)


def operator(store: ConversationStore, session_id: str = SESSION, name: str = "Olga") -> ByOperator:
    return ByOperator(conversation(store, session_id).id, name)


def conversation(store: ConversationStore, session_id: str = SESSION) -> Conversation:
    thread = store.read_session(session_id, limit=1)
    assert thread is not None
    return thread.conversation


def messages(store: ConversationStore, session_id: str = SESSION) -> list[Message]:
    thread = store.read_session(session_id, limit=100)
    assert thread is not None
    return list(thread.messages)


def told(store: ConversationStore, session_id: str = SESSION) -> list[str]:
    """What stands in the thread, an event by its name."""
    return [each.event or each.content for each in messages(store, session_id)]


def ask(store: ConversationStore, session_id: str = SESSION, **fields: Any) -> HandedOver:
    fields.setdefault("assistant", DEFAULT_ASSISTANT)
    return store.people.hand_over(ByVisitor(session_id, **fields), "ask")


def bring_to(store: ConversationStore, state: ConversationState) -> None:
    say(store)
    if state != "bot":
        ask(store)
    if state == "human":
        store.people.hand_over(operator(store), "take")


def kinds(store: ConversationStore) -> list[str]:
    """The types of all notices, oldest first."""
    return [notice.type for notice in reversed(store.people.list_notices(limit=100))]


def types(events: SessionEvents) -> list[str]:
    return [each.message.event or each.message.content for each in events.events]


# Who answers


STEPS: dict[tuple[ConversationState, Step], ConversationState] = {
    ("bot", "ask"): "waiting",
    ("bot", "take"): "human",
    ("bot", "release"): "bot",
    ("bot", "close"): "bot",
    ("waiting", "ask"): "waiting",
    ("waiting", "take"): "human",
    ("waiting", "release"): "bot",
    ("waiting", "close"): "bot",
    ("human", "ask"): "human",
    ("human", "take"): "human",
    ("human", "release"): "bot",
    ("human", "close"): "bot",
}
EVENTS = {"ask": "asked", "take": "taken", "release": "released", "close": "closed"}
NOTICES = {
    "ask": ["conversation.waiting"],
    "take": ["conversation.taken"],
    "release": [],
    "close": ["conversation.closed"],
}


def test_table_of_steps_has_every_step_from_every_state() -> None:
    assert len(STEPS) == len(get_args(ConversationState)) * len(get_args(Step))


@pytest.mark.parametrize(("before", "step"), STEPS)
def test_step_leads_from_each_state_to_its_own_and_is_told_once(
    store: ConversationStore, before: ConversationState, step: Step
) -> None:
    bring_to(store, before)
    rows, notices = told(store), kinds(store)
    after = STEPS[before, step]
    by = VISITOR if step == "ask" else operator(store)

    first = store.people.hand_over(by, step)
    again = store.people.hand_over(by, step)

    is_new = after != before
    expected = HandedOver(conversation(store).id, SESSION, DEFAULT_ASSISTANT, after, is_new)
    assert (first, again) == (expected, replace(expected, is_new=False))
    assert conversation(store).state == after
    assert told(store) == rows + [EVENTS[step]] * is_new
    assert kinds(store) == notices + NOTICES[step] * is_new


def test_event_tells_who_acted_and_has_no_text(store: ConversationStore) -> None:
    bring_to(store, "human")

    store.people.hand_over(VISITOR, "release")

    rows = [each for each in messages(store) if each.role == "system"]
    assert [(each.event, each.author, each.content, each.turn_id) for each in rows] == [
        ("asked", None, "", None),
        ("taken", "Olga", "", None),
        ("released", None, "", None),
    ]


def test_many_who_ask_and_take_at_once_are_one(store: ConversationStore) -> None:
    say(store)
    ada = operator(store)

    asked = outcomes([lambda: ask(store)] * 5)
    taken = outcomes([lambda: store.people.hand_over(ada, "take")] * 5)

    assert sum(each.is_new for each in asked) == sum(each.is_new for each in taken) == 1
    assert told(store)[2:] == ["asked", "taken"]
    assert kinds(store) == ["conversation.waiting", "conversation.taken"]


def test_asking_before_the_first_question_opens_the_conversation(
    store: ConversationStore,
) -> None:
    store.set_user(SESSION, "customer-7")

    asked = ask(store, page_url="https://shop.example/cart")

    opened = conversation(store)
    assert (asked.state, asked.is_new, asked.conversation_id) == ("waiting", True, opened.id)
    assert (opened.user, opened.page) == ("customer-7", Page("https://shop.example/cart"))
    assert (opened.message_count, opened.last_message, told(store)) == (0, None, ["asked"])
    assert begin(store, content="Hello?").state == "waiting"
    assert store.list_conversations(limit=5).total == 1


def test_nothing_to_hand_over_is_said_so(store: ConversationStore) -> None:
    nobody = ByOperator("0123456789abcdef", "Olga")
    for step in ("take", "release", "close"):
        with pytest.raises(ConversationNotFound):
            store.people.hand_over(nobody, step)
    with pytest.raises(ConversationNotFound):
        store.people.hand_over(VISITOR, "release")
    with pytest.raises(ConversationNotFound):
        store.people.say(nobody, "Hello", key="k1")
    store.delete_session(SESSION)
    for step in ("ask", "release"):
        with pytest.raises(SessionExpired):
            store.people.hand_over(VISITOR, step)
    assert kinds(store) == []


def test_other_assistants_visitor_hands_nothing_over(store: ConversationStore) -> None:
    say(store)

    with pytest.raises(AssistantMismatch):
        ask(store, assistant="shop")

    assert (conversation(store).state, told(store)[2:]) == ("bot", [])


def test_waiting_is_told_until_somebody_takes_over(
    store: ConversationStore, advance: Advance
) -> None:
    say(store)
    advance(5_000)
    ask(store)
    advance(60_000)

    waiting = conversation(store)
    store.people.hand_over(operator(store), "take")

    assert waiting.waiting_since == waiting.updated_at
    assert waiting.waiting_since is not None
    assert waiting.waiting_since - waiting.created_at == pytest.approx(5_000, abs=2_000)
    assert conversation(store).waiting_since is None


# Questions to people


@pytest.mark.parametrize("state", ["waiting", "human"])
def test_question_to_people_is_stored_once_and_takes_no_lease(
    store: ConversationStore, state: ConversationState
) -> None:
    bring_to(store, state)
    notices = kinds(store)

    first = begin(store, turn_id="turn-0002", content="Is anybody there?")
    again = begin(store, turn_id="turn-0002", content="Is anybody there?")
    other = begin(store, turn_id="turn-0003", content="Hello?")

    assert first == again
    opened = conversation(store)
    assert first == Turn("turn-0002", 0, SESSION, opened.id, (), state=state)
    assert other.state == state
    assert told(store)[-2:] == ["Is anybody there?", "Hello?"]
    assert (opened.unread, opened.message_count, opened.last_question) == (2, 4, "Hello?")
    assert kinds(store) == notices + ["message.created"] * 2
    newest = store.people.list_notices(limit=1)[0]
    assert (newest.conversation_id, newest.message_id) == (opened.id, messages(store)[-1].id)
    thread = store.read_session(SESSION, limit=1)
    assert thread is not None
    assert thread.running_turn_id is None
    assert store.finish_turn(first, an_answer()) is None
    assert told(store)[-2:] == ["Is anybody there?", "Hello?"]


def test_question_to_people_with_another_text_is_refused(store: ConversationStore) -> None:
    bring_to(store, "human")
    begin(store, turn_id="turn-0002", content="One")

    with pytest.raises(TurnMismatch):
        begin(store, turn_id="turn-0002", content="Two")
    with pytest.raises(AssistantMismatch):
        begin(store, turn_id="turn-0003", assistant="shop")


def test_answer_that_was_complete_is_told_again_where_people_answer(
    store: ConversationStore,
) -> None:
    bring_to(store, "human")

    turn = begin(store)

    assert turn.answer is not None
    assert (turn.answer.content, turn.state) == ("Nine to five.", "bot")


def test_question_to_people_counts_a_visitor_and_no_turn(store: ConversationStore) -> None:
    ask(store)
    begin(store)

    (day,) = store.read_figures(DAY, "2099-12-31")

    assert (day.visitors, day.conversations, day.turns, day.handoffs) == (1, 1, 0, 1)


@pytest.mark.parametrize("step", ["release", "close"])
def test_history_begins_behind_the_last_end(store: ConversationStore, step: Step) -> None:
    for number in range(10):
        bring = f"turn-1{number:03}"
        ask(store)
        begin(store, turn_id=bring, content="A person, please")
        store.people.say(operator(store), "Here I am.", key=bring)
        store.people.hand_over(operator(store), step)
        turn = begin(store, turn_id=f"turn-2{number:03}", content="And you?")

        assert (turn.state, turn.attempt) == ("bot", 1)
        assert texts(turn) == ["And you?"]
        assert store.finish_turn(turn, an_answer(content="Yes."))

    turn = begin(store, turn_id="turn-3000", content="Sure?")
    assert texts(turn) == ["And you?", "Yes.", "Sure?"]
    assert [message.role for message in turn.prompt] == ["user", "assistant", "user"]


def test_model_is_told_an_operators_words_as_its_own_and_no_event(
    store: ConversationStore,
) -> None:
    say(store, "turn-0001", content="One", answer=an_answer(content="1"))
    store.people.set_contact(SESSION, ADA)
    ask(store)
    begin(store, turn_id="turn-0002", content="Two")
    store.people.say(operator(store), "2, of people", key="k1")
    asked_again = operator(store)
    begin(store, turn_id="turn-0003", content="Three")
    store.people.hand_over(asked_again, "release")

    # The question of before stands before the end: its history is what stood before it.
    turn = begin(store, turn_id="turn-0003", content="Three")

    assert [(each.role, each.content) for each in turn.prompt] == [
        ("user", "One"),
        ("assistant", "1"),
        ("user", "Two"),
        ("assistant", "2, of people"),
        ("user", "Three"),
    ]


def test_contact_and_events_leave_the_last_turn_the_last(store: ConversationStore) -> None:
    say(store)
    store.people.set_contact(SESSION, ADA)

    turn = begin(store, regenerate=True)

    assert turn.attempt == 2
    assert store.finish_turn(turn, an_answer(content="Ten to six."))
    assert told(store) == ["What are your hours?", "Ten to six.", "contact"]
    assert conversation(store).last_message == "Ten to six."


def test_turn_is_not_the_last_once_an_operator_spoke(store: ConversationStore) -> None:
    say(store)
    store.people.say(operator(store), "Hello", key="k1")
    store.people.hand_over(operator(store), "release")

    with pytest.raises(TurnNotLast):
        begin(store, regenerate=True)


# Taking over in mid-answer


@pytest.mark.parametrize("status", ["complete", "partial"])
def test_answer_that_was_taken_over_is_partial_and_stands_behind_its_question(
    store: ConversationStore, status: str
) -> None:
    turn = begin(store)
    store.people.hand_over(operator(store), "take")
    store.people.say(operator(store), "I am here.", key="k1")

    answer = an_answer(status=status, finish_reason="length", gap="unknown")
    first = store.finish_turn(turn, answer)
    again = store.finish_turn(turn, answer)

    assert first == again
    assert first is not None
    question, stored, *rest = messages(store)
    assert (stored.id, stored.status, stored.finish_reason) == (first.message_id, "partial", TAKEN)
    assert (question.status, stored.content, stored.gap) == (None, "Nine to five.", None)
    assert [each.event or each.content for each in rest] == ["taken", "I am here."]
    opened = conversation(store)
    assert (opened.marks, opened.last_message) == (("partial",), "I am here.")
    assert opened.message_count == 3
    assert store.documents.list_gaps(DEFAULT_ASSISTANT, limit=5) == ()
    (day,) = store.read_figures(DAY, "2099-12-31")
    assert (day.turns, day.partial, day.errors, day.unanswered) == (1, 1, 0, 0)
    assert sum(day.latency_classes) == 0


def test_taken_turn_that_said_nothing_leaves_no_answer(store: ConversationStore) -> None:
    turn = begin(store)
    store.people.hand_over(operator(store), "take")

    finished = store.finish_turn(turn, a_failure(error_code="model_timeout"))

    assert finished is not None
    assert finished.message_id is None
    assert told(store) == ["What are your hours?", "taken"]
    assert messages(store)[0].status == "partial"


def test_taking_ends_the_lease(store: ConversationStore) -> None:
    begin(store)
    ada = operator(store)
    store.people.hand_over(ada, "take")
    thread = store.read_session(SESSION, limit=5)
    store.people.hand_over(ada, "release")

    turn = begin(store, turn_id="turn-0002")

    assert thread is not None
    assert thread.running_turn_id is None
    assert (turn.state, turn.attempt) == ("bot", 1)


def test_question_that_was_taken_may_be_asked_anew_afterwards(store: ConversationStore) -> None:
    first = begin(store)
    store.people.hand_over(operator(store), "take")
    store.people.hand_over(operator(store), "release")

    second = begin(store)

    assert second.attempt == 2
    assert store.finish_turn(first, an_answer(content="Late")) is None
    assert store.finish_turn(second, an_answer(content="Whole"))
    assert messages(store)[1].status == "complete"


def test_asking_leaves_the_running_answer_alone(store: ConversationStore) -> None:
    turn = begin(store)
    ask(store)
    begin(store, turn_id="turn-0002", content="Anybody?")

    finished = store.finish_turn(turn, an_answer())

    assert finished is not None
    assert told(store) == ["What are your hours?", "Nine to five.", "asked", "Anybody?"]
    assert messages(store)[1].status == "complete"
    assert conversation(store).last_message == "Anybody?"


def test_expired_turn_that_is_taken_over_is_an_error(
    store: ConversationStore, advance: Advance
) -> None:
    turn = begin(store)
    advance(61_000)
    store.people.hand_over(operator(store), "take")

    assert messages(store)[0].error_code == "lease_expired"
    assert store.finish_turn(turn, an_answer()) is not None
    assert messages(store)[1].finish_reason == TAKEN
    assert conversation(store).marks == ("partial",)


def test_taking_and_finishing_at_once_never_leave_more_than_one_answer(
    store: ConversationStore,
) -> None:
    for number in range(10):
        session = f"session-{number}"
        turn = begin(store, session_id=session)
        ada = operator(store, session)

        outcomes(
            [
                lambda turn=turn: store.finish_turn(turn, an_answer()),  # type: ignore[misc]
                lambda ada=ada: store.people.hand_over(ada, "take"),  # type: ignore[misc]
            ]
        )

        rows = messages(store, session)
        assert [each.event or each.role for each in rows] == ["user", "assistant", "taken"]
        assert rows[1].status == ("partial" if rows[1].finish_reason == TAKEN else "complete")
        assert begin(store, session_id=session, turn_id="turn-0002").state == "human"


# What operators say


def test_first_words_take_the_conversation_over(store: ConversationStore) -> None:
    turn = begin(store)

    message = store.people.say(operator(store), "I am here.", key="k1")

    assert conversation(store).state == "human"
    assert told(store) == ["What are your hours?", "taken", "I am here."]
    newest = messages(store)[-1]
    assert newest == message
    assert (message.role, message.author, message.turn_id) == ("operator", "Olga", None)
    assert message.id
    assert kinds(store) == ["conversation.taken", "message.created"]
    assert store.people.list_notices(limit=1)[0].message_id == message.id
    assert store.finish_turn(turn, an_answer()) is not None


def test_words_said_again_are_the_same_message(store: ConversationStore) -> None:
    say(store)
    ada = operator(store)
    first = store.people.say(ada, "Hello", key="k1")
    store.people.hand_over(ada, "release")

    again = store.people.say(ada, "Hello", key="k1")
    others = outcomes([lambda: store.people.say(ada, "More", key="k2")] * 3)

    assert again == first
    assert len({each.id for each in others}) == 1
    assert told(store)[2:] == ["taken", "Hello", "released", "taken", "More"]


def test_key_of_another_conversation_is_another(store: ConversationStore) -> None:
    for session in ("session-1", "session-2"):
        say(store, session_id=session)
        store.people.say(operator(store, session), f"To {session}", key="k1")

    assert told(store, "session-2")[-1] == "To session-2"


def test_words_of_people_are_found_listed_and_counted(store: ConversationStore) -> None:
    say(store)
    message = store.people.say(operator(store), "We open on Boxing Day.", key="k1")

    found = store.list_conversations(limit=5, where=ConversationFilter(text="boxing"))

    (listed,) = found.conversations
    assert (listed.last_message, listed.message_count) == ("We open on Boxing Day.", 3)
    assert listed.last_question == "What are your hours?"
    assert listed.match is not None
    assert (listed.match.message_id, listed.match.role) == (message.id, "operator")
    assert listed.marks == ()


def test_events_count_nowhere(store: ConversationStore) -> None:
    say(store)
    before = conversation(store)
    ask(store)

    after = conversation(store)

    assert (after.message_count, after.last_message) == (2, "Nine to five.")
    assert (after.last_question, after.marks) == (before.last_question, before.marks)
    (marked,) = [
        each.conversations
        for each in [store.list_conversations(limit=5, where=ConversationFilter(text="asked"))]
    ]
    assert marked == ()


def test_nobody_rates_people(store: ConversationStore) -> None:
    say(store)
    message = store.people.say(operator(store), "Hello", key="k1")

    for rated in messages(store)[2:]:
        with pytest.raises(MessageNotFound):
            store.rate_message(SESSION, rated.id, Feedback("down"))
    assert message.feedback is None


def test_thread_is_paged_with_words_and_events(store: ConversationStore) -> None:
    bring_to(store, "human")
    ada = operator(store)
    for number in range(4):
        store.people.say(ada, f"Word {number}", key=f"k{number}")

    read, cursor = [], None
    while True:
        page = store.read_session(SESSION, limit=3, cursor=cursor)
        assert page is not None
        read = [each.event or each.content for each in page.messages] + read
        cursor = page.next_cursor
        if cursor is None:
            break

    assert read == told(store)
    assert len(read) == 8


def test_figures_tell_what_people_did(store: ConversationStore, advance: Advance) -> None:
    say(store)
    ada = operator(store)
    ask(store)
    ask(store)
    advance(90_000)
    store.people.hand_over(ada, "take")
    advance(10_000)
    store.people.say(ada, "Hello", key="k1")
    store.people.say(ada, "Hello", key="k1")
    advance(10_000)
    store.people.say(ada, "Still there?", key="k2")
    store.people.hand_over(ada, "close")
    store.people.hand_over(ada, "take")

    (day,) = store.read_figures(DAY, "2099-12-31")

    assert (day.handoffs, day.operator_answers) == (2, 2)
    assert day.waiting_ms == pytest.approx(100_000, abs=5_000)
    assert store.read_figures(DAY, "2099-12-31", "shop") == ()


# Events


def test_events_are_numbered_and_come_in_order_from_any_number(store: ConversationStore) -> None:
    bring_to(store, "human")
    ada = operator(store)
    store.people.say(ada, "One", key="k1")
    begin(store, turn_id="turn-0002", content="And?")
    store.people.say(ada, "Two", key="k2")
    store.people.set_contact(SESSION, ADA)

    events = store.people.events_since(SESSION, 0)
    rest = store.people.events_since(SESSION, 2)

    assert types(events) == ["asked", "taken", "One", "Two", "contact"]
    assert [each.n for each in events.events] == [1, 2, 3, 4, 5]
    assert (events.state, events.next) == ("human", 5)
    assert (types(rest), rest.next) == (["One", "Two", "contact"], 5)
    assert store.people.events_since(SESSION, 5) == SessionEvents("human", (), 5)
    assert conversation(store).last_event == 5
    assert [each.message for each in events.events] == [
        each for each in messages(store) if each.role in ("operator", "system")
    ]


def test_events_are_paged_none_lost_or_told_twice(store: ConversationStore) -> None:
    say(store)
    ada = operator(store)
    outcomes(
        [
            lambda number=number: store.people.say(ada, f"Word {number}", key=f"k{number}")  # type: ignore[misc]
            for number in range(12)
        ]
    )

    read, after = [], 0
    while (page := store.people.events_since(SESSION, after, limit=5)).events:
        read += page.events
        after = page.next

    assert [each.n for each in read] == list(range(1, 14))
    assert {each.message.content for each in read[1:]} == {f"Word {n}" for n in range(12)}


def test_session_without_a_conversation_has_no_events(store: ConversationStore) -> None:
    assert store.people.events_since(SESSION, 0) == SessionEvents("bot", (), 0)
    assert store.people.events_since(SESSION, 7) == SessionEvents("bot", (), 0)
    store.delete_session(SESSION)
    with pytest.raises(SessionExpired):
        store.people.events_since(SESSION, 0)


def test_events_of_a_new_conversation_are_told_to_who_knew_the_old_one(
    store: ConversationStore,
) -> None:
    bring_to(store, "human")
    store.delete_conversation(conversation(store).id)
    ask(store)

    assert types(store.people.events_since(SESSION, 2)) == ["asked"]


# Contact


def test_contact_is_kept_and_told_once(store: ConversationStore) -> None:
    say(store)
    store.people.set_contact(SESSION, ADA)
    store.people.set_contact(SESSION, replace(ADA, consented_at=START_MS + 5))

    assert conversation(store).contact == ADA
    assert told(store)[2:] == ["contact"]
    assert kinds(store) == ["contact.created"]
    store.people.set_contact(SESSION, replace(ADA, name=None))
    assert conversation(store).contact == replace(ADA, name=None)
    assert told(store)[2:] == ["contact", "contact"]


def test_contact_may_come_before_the_first_question(store: ConversationStore) -> None:
    store.people.set_contact(SESSION, Contact("a@b.example"), assistant="shop")

    opened = conversation(store)
    assert (opened.assistant, opened.state) == ("shop", "bot")
    assert opened.contact == Contact("a@b.example", None, opened.created_at)
    assert texts(begin(store, assistant="shop")) == ["What are your hours?"]
    with pytest.raises(AssistantMismatch):
        store.people.set_contact(SESSION, ADA)
    store.delete_session(SESSION)
    with pytest.raises(SessionExpired):
        store.people.set_contact(SESSION, ADA)


# Inbox


def test_inbox_has_the_longest_waiting_first_then_those_of_people_newest_first(
    store: ConversationStore, advance: Advance
) -> None:
    for number in range(6):
        say(store, session_id=f"session-{number}")
        advance(1_000)
    for number in (3, 1, 0, 2, 4):
        ask(store, f"session-{number}")
        advance(1_000)
    for number in (0, 4):
        store.people.say(operator(store, f"session-{number}"), "Hello", key="k1")
        advance(1_000)
    begin(store, session_id="session-0", turn_id="turn-0002")
    store.people.hand_over(operator(store, "session-2"), "close")

    inbox = store.people.list_inbox(assistant=None, limit=10)

    assert sessions(inbox) == ["session-3", "session-1", "session-0", "session-4"]
    assert [each.state for each in inbox] == ["waiting", "waiting", "human", "human"]
    assert sessions(store.people.list_inbox(assistant=None, limit=3)) == sessions(inbox)[:3]
    assert sessions(store.people.list_inbox(assistant=None, limit=1)) == sessions(inbox)[:1]
    assert store.people.list_inbox(assistant="shop", limit=3) == ()


def test_inbox_of_an_assistant_has_its_own_only(store: ConversationStore) -> None:
    for number, assistant in enumerate(["shop", DEFAULT_ASSISTANT, "shop", DEFAULT_ASSISTANT]):
        say(store, session_id=f"session-{number}", assistant=assistant)
        ask(store, f"session-{number}", assistant=assistant)
    for number in (2, 3):
        store.people.hand_over(operator(store, f"session-{number}"), "take")

    assert sessions(store.people.list_inbox(assistant="shop", limit=5)) == [
        "session-0",
        "session-2",
    ]
    assert sessions(store.people.list_inbox(assistant=DEFAULT_ASSISTANT, limit=5)) == [
        "session-1",
        "session-3",
    ]
    assert store.people.list_notices(limit=9)[0].assistant == DEFAULT_ASSISTANT
    (shop,) = store.read_figures(DAY, "2099-12-31", "shop")
    assert shop.handoffs == 2


def test_unread_counts_until_an_operator_looks(store: ConversationStore) -> None:
    bring_to(store, "human")
    begin(store, turn_id="turn-0002")
    begin(store, turn_id="turn-0003")
    before = conversation(store)
    store.people.note_seen(before.id, by_visitor=False)
    seen = conversation(store)
    begin(store, turn_id="turn-0004")
    store.people.say(operator(store), "Hello", key="k1")
    answered = conversation(store)
    begin(store, turn_id="turn-0005")
    store.people.hand_over(operator(store), "release")

    assert [each.unread for each in (before, seen, answered)] == [2, 0, 0]
    assert conversation(store).unread == 0
    assert seen.updated_at == before.updated_at
    store.people.note_seen("0123456789abcdef", by_visitor=False)


def test_visitor_has_seen_the_events_so_far_and_no_fewer_again(store: ConversationStore) -> None:
    bring_to(store, "human")
    opened = conversation(store)

    seen = []
    for event in (1, 0, 9):
        store.people.note_seen(opened.id, by_visitor=True, event=event)
        seen.append(conversation(store).seen_event)

    assert (opened.seen_event, seen) == (0, [1, 1, 2])
    store.people.note_seen("0123456789abcdef", by_visitor=True, event=1)


def test_users_newest_conversation_is_found(store: ConversationStore, advance: Advance) -> None:
    for number, (user, assistant) in enumerate(
        [("ada", DEFAULT_ASSISTANT), ("ada", DEFAULT_ASSISTANT), ("ada", "shop"), ("bob", "shop")]
    ):
        store.set_user(f"session-{number}", user)
        say(store, session_id=f"session-{number}", assistant=assistant)
        advance(1_000)

    def find(user: str, assistant: str = DEFAULT_ASSISTANT) -> str | None:
        found = store.people.find_by_user(user, assistant)
        return found and found.session_id

    assert (find("ada"), find("ada", "shop"), find("bob")) == ("session-1", "session-2", None)
    ask(store, "session-0")
    assert find("ada") == "session-0"


# The outbox


def claim(store: ConversationStore, holder: str = "a", **fields: Any) -> list[Notice]:
    return list(store.people.claim_notices(holder, **{"lease_s": 60, "limit": 10, **fields}))


def test_notices_are_claimed_oldest_first_by_one_only(
    store: ConversationStore, advance: Advance
) -> None:
    say(store)
    for kind in ("test", "model.failing", "budget.warning"):
        store.people.put_notice(kind, "shop")
        advance(1_000)
    store.people.put_notice(
        "feedback.created", DEFAULT_ASSISTANT, conversation(store).id, messages(store)[1].id
    )

    two, rest = claim(store, limit=2), claim(store, "b")

    assert [each.type for each in two] == ["test", "model.failing"]
    assert [each.type for each in rest] == ["budget.warning", "feedback.created"]
    assert claim(store, "c") == claim(store) == []
    assert (two[0].assistant, two[0].conversation_id, two[0].message_id) == ("shop", None, None)
    assert (two[0].pending, two[0].attempts, two[0].problem, two[0].is_given_up) == (
        (None, 0, None, False)
    )
    assert rest[1].conversation_id == conversation(store).id
    assert rest[1].message_id == messages(store)[1].id
    assert len({each.id for each in (*two, *rest)}) == 4


def test_only_one_of_many_claims_a_notice(store: ConversationStore) -> None:
    store.people.put_notice("test", DEFAULT_ASSISTANT)

    claimed = outcomes([lambda name=name: claim(store, name) for name in "abcde"])  # type: ignore[misc]

    assert sum(map(len, claimed)) == 1


def test_lease_of_a_notice_ends(store: ConversationStore, advance: Advance) -> None:
    store.people.put_notice("test", DEFAULT_ASSISTANT)
    (held,) = claim(store)
    advance(61_000)

    (taken,) = claim(store, "b")
    store.people.settle_notice("a", held, retry_in_s=None)

    assert taken.id == held.id
    advance(61_000)
    assert len(claim(store, "c")) == 1


def test_settled_notice_is_over_or_comes_again_in_time(
    store: ConversationStore, advance: Advance
) -> None:
    store.people.put_notice("test", DEFAULT_ASSISTANT)
    (notice,) = claim(store)
    failed = notice._replace(
        pending=("webhook", "email:2:1764000000000"), attempts=1, problem="refused"
    )
    store.people.settle_notice("a", failed, retry_in_s=30)
    assert claim(store, "b") == []
    advance(31_000)
    (again,) = claim(store, "b")
    store.people.settle_notice("b", again._replace(pending=()), retry_in_s=None)

    assert again == failed._replace(due_at=again.due_at)
    assert again.due_at - notice.due_at == pytest.approx(30_000, abs=3_000)
    advance(86_400_000)
    assert claim(store, "c") == []
    (kept,) = store.people.list_notices(limit=5)
    assert (kept.pending, kept.attempts, kept.problem) == ((), 1, "refused")


def test_holder_settles_until_another_claims(store: ConversationStore, advance: Advance) -> None:
    store.people.put_notice("test", DEFAULT_ASSISTANT)
    (notice,) = claim(store)
    store.people.settle_notice("a", notice._replace(pending=("webhook", "chat")), retry_in_s=5)
    store.people.settle_notice("a", notice._replace(pending=("chat",)), retry_in_s=5)
    (kept,) = store.people.list_notices(limit=1)
    advance(6_000)
    (again,) = claim(store, "b")
    store.people.settle_notice("a", notice._replace(pending=()), retry_in_s=None)
    given_up = again._replace(attempts=9, problem="gone", is_given_up=True)
    store.people.settle_notice("b", given_up, retry_in_s=None)
    store.people.settle_notice("b", again, retry_in_s=1)

    assert kept.pending == again.pending == ("chat",)
    assert store.people.list_notices(limit=1) == (given_up,)
    advance(86_400_000)
    assert claim(store, "c") == []


def test_notice_with_a_key_is_put_once(store: ConversationStore) -> None:
    for _ in range(2):
        store.people.put_notice("budget.warning", DEFAULT_ASSISTANT, key="budget:2026-11-25")
    outcomes([lambda: store.people.put_notice("test", DEFAULT_ASSISTANT, key="t")] * 3)
    store.people.put_notice("budget.warning", DEFAULT_ASSISTANT)
    (first, *_) = claim(store)
    store.people.settle_notice("a", first._replace(pending=()), retry_in_s=None)
    store.people.put_notice("budget.warning", DEFAULT_ASSISTANT, key="budget:2026-11-25")

    assert sorted(kinds(store)) == ["budget.warning", "budget.warning", "test"]


def test_notice_of_no_conversation_that_is_there_is_none(store: ConversationStore) -> None:
    store.people.put_notice("feedback.created", DEFAULT_ASSISTANT, "0123456789abcdef", "x-1")

    assert kinds(store) == []


def test_notices_are_listed_newest_first_for_a_week(
    store: ConversationStore, advance: Advance
) -> None:
    store.people.put_notice("test", DEFAULT_ASSISTANT)
    advance(NOTICE_DAYS * 86_400_000 - 60_000)
    store.people.put_notice("model.failing", DEFAULT_ASSISTANT)
    both = kinds(store)
    advance(120_000)

    assert both == ["test", "model.failing"]
    assert kinds(store) == ["model.failing"]
    assert len(store.people.list_notices(limit=1)) == 1
    store.people.put_notice("budget.warning", DEFAULT_ASSISTANT)
    assert sorted(each.type for each in claim(store)) == ["budget.warning", "model.failing"]


# Deletion


@pytest.mark.parametrize("way", ["conversation", "session", "purge"])
def test_contact_and_notices_go_with_the_conversation(
    store: ConversationStore, advance: Advance, way: str
) -> None:
    bring_to(store, "human")
    store.people.set_contact(SESSION, ADA)
    opened = conversation(store)
    if way == "conversation":
        store.delete_conversation(opened.id)
    elif way == "session":
        store.delete_session(SESSION)
    else:
        advance(2 * 86_400_000)
        store.purge(unused_days=1)
    store.people.put_notice("test", "shop")

    assert kinds(store) == ["test"]
    assert [each.type for each in claim(store)] == ["test"]
    assert store.people.list_inbox(assistant=None, limit=5) == ()
    if way != "session":
        ask(store)
        assert conversation(store).contact is None


def test_people_keep_a_conversation_from_being_purged(
    store: ConversationStore, advance: Advance
) -> None:
    say(store)
    advance(2 * 86_400_000)
    ask(store)

    assert store.purge(unused_days=1).conversations == 0


def test_running_turn_is_not_prolonged_by_people(store: ConversationStore) -> None:
    begin(store)
    ask(store)
    store.people.hand_over(VISITOR, "release")

    with pytest.raises(TurnInProgress):
        begin(store, turn_id="turn-0002")


def test_answer_of_a_deleted_conversation_stays_away(store: ConversationStore) -> None:
    turn = begin(store, turn_id=TURN)
    store.people.hand_over(operator(store), "take")
    store.delete_conversation(turn.conversation_id)

    assert store.finish_turn(turn, Answer("Late", "complete")) is None


def test_conversations_are_narrowed_to_who_answers(store: ConversationStore) -> None:
    for session_id in ("s-bot", "s-waiting", "s-human"):
        say(store, session_id=session_id)
    store.people.hand_over(ByVisitor("s-waiting", DEFAULT_ASSISTANT), "ask")
    store.people.hand_over(operator(store, "s-human"), "take")

    def listed(state: ConversationState, **more: Any) -> list[str]:
        where = ConversationFilter(state=state, **more)
        page = store.list_conversations(limit=10, where=where)
        return [each.session_id for each in page.conversations]

    assert listed("bot") == ["s-bot"]
    assert listed("waiting") == ["s-waiting"]
    assert listed("human", assistant=DEFAULT_ASSISTANT) == ["s-human"]
    assert listed("human", assistant="another") == []
