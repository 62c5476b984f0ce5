"""What any ``ConversationStore`` must do, claim by claim."""

from collections.abc import Callable
from typing import Any

import gevent
import pytest

from app.domain.conversation import (
    MAX_FOUND,
    Answer,
    Conversation,
    ConversationFilter,
    Feedback,
    Message,
    Page,
    Thread,
    Turn,
    Usage,
)
from app.domain.errors import (
    ConversationNotFound,
    InvalidRequest,
    MessageNotFound,
    ServiceError,
    TurnInProgress,
    TurnMismatch,
    TurnNotLast,
)
from app.storage.protocol import ConversationStore
from tests.data import SESSION, TURN, a_question, an_answer
from tests.storage.stores import Advance

LEASE_S = 60.0


def begin(store: ConversationStore, history_limit: int = 30, **fields: object) -> Turn:
    return store.begin_turn(a_question(**fields), history_limit=history_limit, lease_s=LEASE_S)


def say(store: ConversationStore, turn_id: str = TURN, **fields: object) -> Turn:
    """Run a whole turn: ``answer`` is what the model said, the rest the question's."""
    answer = fields.pop("answer", an_answer())
    assert isinstance(answer, Answer)
    question = a_question(turn_id=turn_id, **fields)
    turn = store.begin_turn(question, history_limit=30, lease_s=LEASE_S)
    assert store.finish_turn(turn, answer)
    return turn


def said(thread: Thread | None) -> list[tuple[str, str]]:
    assert thread is not None
    return [(message.role, message.content) for message in thread.messages]


def texts(turn: Turn) -> list[str]:
    return [message.content for message in turn.prompt]


def sessions(conversations: Any) -> list[str]:
    return [conversation.session_id for conversation in conversations]


def outcomes(tasks: list[Callable[[], Any]]) -> list[Any]:
    """Run all at once; an error of ours counts as an outcome."""

    def outcome(task: Callable[[], Any]) -> Any:
        try:
            return task()
        except ServiceError as error:
            return error

    running = [gevent.spawn(outcome, task) for task in tasks]
    gevent.joinall(running, timeout=30, raise_error=True)
    return [greenlet.value for greenlet in running]


# Beginning a turn


def test_first_question_opens_the_conversation(store: ConversationStore) -> None:
    turn = begin(store, content="Hi")

    assert (turn.id, turn.attempt, turn.session_id, turn.answer) == (TURN, 1, SESSION, None)
    assert [(said.role, said.content) for said in turn.prompt] == [("user", "Hi")]
    assert said(store.read_thread(turn.conversation_id)) == [("user", "Hi")]


def test_session_keeps_its_conversation(store: ConversationStore) -> None:
    first = say(store, "turn-0001")
    second = say(store, "turn-0002")

    assert first.conversation_id == second.conversation_id
    assert store.list_conversations(limit=10).total == 1


def test_conversation_ids_cannot_be_guessed_from_each_other(store: ConversationStore) -> None:
    ids = {say(store, session_id=f"session-{n}").conversation_id for n in range(3)}

    assert len(ids) == 3
    assert all(len(id_) >= 16 and len(id_) <= 128 for id_ in ids)


def test_prompt_is_the_history_oldest_first(store: ConversationStore) -> None:
    say(store, "turn-0001", content="One", answer=an_answer(content="1"))
    say(store, "turn-0002", content="Two", answer=an_answer(content="2"))

    turn = begin(store, turn_id="turn-0003", content="Three")

    assert texts(turn) == ["One", "1", "Two", "2", "Three"]
    assert [message.role for message in turn.prompt] == ["user", "assistant"] * 2 + ["user"]


@pytest.mark.parametrize(
    ("limit", "expected"), [(1, ["Two"]), (2, ["1", "Two"]), (3, ["One", "1", "Two"])]
)
def test_prompt_is_cut_to_the_newest(
    store: ConversationStore, limit: int, expected: list[str]
) -> None:
    say(store, "turn-0001", content="One", answer=an_answer(content="1"))

    assert texts(begin(store, limit, turn_id="turn-0002", content="Two")) == expected


def test_session_with_a_running_turn_is_busy(store: ConversationStore, advance: Advance) -> None:
    turn = begin(store, turn_id="turn-0001")
    advance(15_000)

    with pytest.raises(TurnInProgress) as caught:
        begin(store, turn_id="turn-0002")

    assert caught.value.retry_after_s == pytest.approx(45, abs=1)
    assert said(store.read_thread(turn.conversation_id)) == [("user", "What are your hours?")]


def test_running_turn_does_not_begin_twice(store: ConversationStore) -> None:
    begin(store)

    with pytest.raises(TurnInProgress):
        begin(store)


def test_busy_session_does_not_hold_up_another(store: ConversationStore) -> None:
    begin(store, session_id="session-1")

    assert begin(store, session_id="session-2").attempt == 1


def test_turn_ids_are_scoped_to_their_session(store: ConversationStore) -> None:
    say(store, session_id="session-1", content="Mine")

    turn = begin(store, session_id="session-2", content="Yours")

    assert (turn.attempt, texts(turn), turn.answer) == (1, ["Yours"], None)


def test_known_turn_id_with_another_text_is_refused(store: ConversationStore) -> None:
    turn = say(store, content="One")

    with pytest.raises(TurnMismatch):
        begin(store, content="Another")

    assert said(store.read_thread(turn.conversation_id))[0] == ("user", "One")


def test_mismatch_is_told_while_the_turn_runs(store: ConversationStore) -> None:
    begin(store, content="One")

    with pytest.raises(TurnMismatch):
        begin(store, content="Another")


def test_page_is_kept_with_the_conversation(store: ConversationStore) -> None:
    first, second = Page("https://a.example/1", "One"), Page("https://a.example/2")
    turn = say(store, "turn-0001", page=first)
    say(store, "turn-0002")
    kept = store.read_thread(turn.conversation_id).conversation.page
    say(store, "turn-0003", page=second)

    assert kept == first
    assert store.read_thread(turn.conversation_id).conversation.page == second


# Asking the same turn again


def test_complete_turn_is_answered_from_the_store(store: ConversationStore) -> None:
    first = say(store, content="One", answer=an_answer(content="1"))

    again = begin(store, content="One")

    assert again.answer is not None
    assert (again.answer.role, again.answer.content, again.answer.status) == (
        "assistant",
        "1",
        "complete",
    )
    assert (again.attempt, again.conversation_id) == (1, first.conversation_id)
    assert texts(again) == ["One"]
    assert said(store.read_thread(first.conversation_id)) == [("user", "One"), ("assistant", "1")]


def test_answer_from_the_store_takes_no_lease(store: ConversationStore) -> None:
    say(store, "turn-0001")
    begin(store, turn_id="turn-0001")

    assert begin(store, turn_id="turn-0002").attempt == 1


def test_complete_turn_is_answered_while_another_runs(store: ConversationStore) -> None:
    say(store, "turn-0001")
    begin(store, turn_id="turn-0002")

    assert begin(store, turn_id="turn-0001").answer is not None


@pytest.mark.parametrize(
    "ending",
    [
        an_answer(content="Half", status="partial"),
        an_answer(content="Half", status="error"),
        an_answer(content="", status="error"),
        an_answer(content="", status="partial"),
    ],
)
def test_turn_without_a_whole_answer_is_attempted_again(
    store: ConversationStore, ending: Answer
) -> None:
    first = say(store, content="One", answer=ending)

    second = begin(store, content="One")

    assert (second.attempt, second.answer, texts(second)) == (2, None, ["One"])
    assert store.finish_turn(second, an_answer(content="Whole"))
    assert said(store.read_thread(first.conversation_id)) == [
        ("user", "One"),
        ("assistant", "Whole"),
    ]


def test_former_answer_stands_until_the_next_attempt_has_one(store: ConversationStore) -> None:
    turn = say(store, answer=an_answer(content="Half", status="partial"))
    begin(store)

    assert said(store.read_thread(turn.conversation_id))[1:] == [("assistant", "Half")]


def test_former_answer_stands_when_the_next_attempt_says_nothing(
    store: ConversationStore,
) -> None:
    say(store, answer=an_answer(content="Half", status="partial"))
    turn = say(store, answer=an_answer(content="", status="error"))

    question, answer = store.read_thread(turn.conversation_id).messages
    assert (question.status, answer.content, answer.status) == ("error", "Half", "partial")
    assert begin(store).attempt == 3


def test_prompt_of_a_later_attempt_ends_with_its_question(store: ConversationStore) -> None:
    say(store, "turn-0001", content="One", answer=an_answer(content="Half", status="partial"))
    say(store, "turn-0002", content="Two", answer=an_answer(content="2"))

    turn = begin(store, turn_id="turn-0001", content="One")

    assert texts(turn) == ["One"]


# Regenerating


def test_last_turn_is_answered_anew(store: ConversationStore) -> None:
    say(store, "turn-0001", content="One", answer=an_answer(content="1"))
    say(store, "turn-0002", content="Two", answer=an_answer(content="2"))

    turn = begin(store, turn_id="turn-0002", content="Two", regenerate=True)

    assert (turn.attempt, turn.answer, texts(turn)) == (2, None, ["One", "1", "Two"])
    assert store.finish_turn(turn, an_answer(content="Zwei"))
    assert [text for _, text in said(store.read_thread(turn.conversation_id))] == [
        "One",
        "1",
        "Two",
        "Zwei",
    ]


def test_new_answer_has_no_feedback(store: ConversationStore) -> None:
    turn = say(store)
    answer = store.read_thread(turn.conversation_id).messages[1]
    store.rate_message(SESSION, answer.id, Feedback("down"))
    store.finish_turn(begin(store, regenerate=True), an_answer(content="Better"))

    assert store.read_thread(turn.conversation_id).messages[1].feedback is None
    down = store.list_conversations(limit=10, where=ConversationFilter(feedback="down"))
    assert down.conversations == ()


def test_failed_regeneration_keeps_the_old_answer(store: ConversationStore) -> None:
    turn = say(store, answer=an_answer(content="Old"))
    store.finish_turn(begin(store, regenerate=True), an_answer(content="", status="error"))

    assert said(store.read_thread(turn.conversation_id))[1] == ("assistant", "Old")


@pytest.mark.parametrize("turn_id", ["turn-0001", "turn-unknown"])
def test_only_the_last_turn_is_answered_anew(store: ConversationStore, turn_id: str) -> None:
    say(store, "turn-0001")
    turn = say(store, "turn-0002")

    with pytest.raises(TurnNotLast):
        begin(store, turn_id=turn_id, regenerate=True)

    assert len(store.read_thread(turn.conversation_id).messages) == 4


def test_unknown_session_has_nothing_to_answer_anew(store: ConversationStore) -> None:
    with pytest.raises(TurnNotLast):
        begin(store, regenerate=True)

    assert store.read_session(SESSION, limit=10) is None
    assert store.list_conversations(limit=10).total == 0


def test_other_text_is_not_answered_anew(store: ConversationStore) -> None:
    say(store, content="One")

    with pytest.raises(TurnMismatch):
        begin(store, content="Another", regenerate=True)


def test_running_turn_is_not_answered_anew(store: ConversationStore) -> None:
    begin(store)

    with pytest.raises(TurnInProgress):
        begin(store, regenerate=True)


def test_regenerating_an_unfinished_turn_is_its_next_attempt(store: ConversationStore) -> None:
    say(store, answer=an_answer(content="", status="error"))

    assert begin(store, regenerate=True).attempt == 2


# Finishing a turn


def test_answer_is_stored_with_all_that_is_known_of_it(
    store: ConversationStore, advance: Advance
) -> None:
    turn = begin(store)
    advance(1_500)
    store.finish_turn(
        turn,
        Answer("Hi!", "partial", "gpt-5", Usage(12, 3), 1500, 300, "length"),
    )

    question, answer = store.read_thread(turn.conversation_id).messages
    assert question.id != answer.id
    assert (question.role, question.turn_id, question.status) == ("user", TURN, None)
    assert (answer.role, answer.content, answer.turn_id, answer.status) == (
        "assistant",
        "Hi!",
        TURN,
        "partial",
    )
    assert (answer.model, answer.usage, answer.finish_reason) == ("gpt-5", Usage(12, 3), "length")
    assert (answer.latency_ms, answer.first_token_ms, answer.feedback) == (1500, 300, None)
    assert answer.created_at - question.created_at == pytest.approx(1_500, abs=200)


def test_failure_is_kept_where_its_turn_shows_it(store: ConversationStore) -> None:
    failure = {"error_code": "model_timeout", "request_id": "request-7"}
    silent = say(store, "turn-0001", answer=Answer("", "error", **failure))  # type: ignore[arg-type]
    say(store, "turn-0002", answer=Answer("Half", "partial", **failure))  # type: ignore[arg-type]

    messages = store.read_thread(silent.conversation_id).messages

    assert [(each.role, each.error_code, each.request_id) for each in messages] == [
        ("user", "model_timeout", "request-7"),
        ("user", None, None),
        ("assistant", "model_timeout", "request-7"),
    ]


def test_next_attempt_clears_the_failure(store: ConversationStore) -> None:
    turn = say(store, answer=Answer("", "error", error_code="model_timeout", request_id="r-1"))
    begin(store)

    (question,) = store.read_thread(turn.conversation_id).messages

    assert (question.status, question.error_code, question.request_id) == (None, None, None)


def test_turn_whose_lease_ran_out_says_so(store: ConversationStore, advance: Advance) -> None:
    turn = begin(store, turn_id="turn-0001")
    advance(round(LEASE_S * 1000) + 1)
    begin(store, turn_id="turn-0002")

    question = store.read_thread(turn.conversation_id).messages[0]

    assert (question.status, question.error_code) == ("error", "lease_expired")


def test_lease_is_given_back(store: ConversationStore) -> None:
    say(store, "turn-0001")

    assert begin(store, turn_id="turn-0002").attempt == 1


def test_finishing_again_changes_nothing(store: ConversationStore) -> None:
    turn = say(store, answer=an_answer(content="First"))

    assert store.finish_turn(turn, an_answer(content="Second"))
    assert said(store.read_thread(turn.conversation_id))[1:] == [("assistant", "First")]


def test_finishing_again_leaves_a_later_turn_its_lease(store: ConversationStore) -> None:
    turn = say(store, "turn-0001")
    begin(store, turn_id="turn-0002")

    assert store.finish_turn(turn, an_answer())
    with pytest.raises(TurnInProgress):
        begin(store, turn_id="turn-0003")


@pytest.mark.parametrize("status", ["error", "partial"])
def test_turn_that_said_nothing_marks_its_question(store: ConversationStore, status: str) -> None:
    turn = say(store, content="One", answer=an_answer(content="", status=status))

    (question,) = store.read_thread(turn.conversation_id).messages
    assert (question.content, question.status) == ("One", status)
    assert begin(store, turn_id="turn-0002").attempt == 1


def test_next_attempt_clears_the_mark_of_its_question(store: ConversationStore) -> None:
    turn = say(store, answer=an_answer(content="", status="error"))
    begin(store)

    (question,) = store.read_thread(turn.conversation_id).messages
    assert question.status is None
    errors = store.list_conversations(limit=10, where=ConversationFilter(status="error"))
    assert errors.conversations == ()


def test_turn_of_a_deleted_conversation_was_overtaken(store: ConversationStore) -> None:
    turn = begin(store)
    store.delete_conversation(turn.conversation_id)

    assert store.finish_turn(turn, an_answer()) is None
    assert store.read_session(SESSION, limit=10) is None


def test_turn_does_not_finish_in_the_conversation_after_a_deletion(
    store: ConversationStore,
) -> None:
    old = begin(store, content="One")
    store.delete_conversation(old.conversation_id)
    new = begin(store, content="One")

    assert store.finish_turn(old, an_answer(content="Old")) is None
    assert said(store.read_thread(new.conversation_id)) == [("user", "One")]


# Leases that pass


def test_expired_turn_frees_its_session(store: ConversationStore, advance: Advance) -> None:
    dead = begin(store, turn_id="turn-0001", content="One")
    advance(60_000)

    turn = begin(store, turn_id="turn-0002", content="Two")

    assert texts(turn) == ["One", "Two"]
    first, second = store.read_thread(dead.conversation_id).messages
    assert (first.status, second.status) == ("error", None)


def test_lease_holds_to_its_last_moment(store: ConversationStore, advance: Advance) -> None:
    begin(store, turn_id="turn-0001")
    advance(59_000)

    with pytest.raises(TurnInProgress):
        begin(store, turn_id="turn-0002")


def test_expired_turn_is_attempted_again(store: ConversationStore, advance: Advance) -> None:
    begin(store)
    advance(60_000)

    turn = begin(store)

    assert (turn.attempt, texts(turn)) == (2, ["What are your hours?"])
    assert len(store.read_thread(turn.conversation_id).messages) == 1
    with pytest.raises(TurnInProgress):
        begin(store)


def test_expired_regeneration_is_attempted_again(
    store: ConversationStore, advance: Advance
) -> None:
    say(store)
    begin(store, regenerate=True)
    advance(60_000)

    turn = begin(store)

    assert (turn.attempt, turn.answer) == (3, None)


def test_overtaken_attempt_stores_nothing(store: ConversationStore, advance: Advance) -> None:
    slow = begin(store)
    advance(60_000)
    fast = begin(store)

    assert store.finish_turn(slow, an_answer(content="Slow")) is None
    assert store.finish_turn(fast, an_answer(content="Fast"))
    assert store.finish_turn(slow, an_answer(content="Slow")) is None
    assert said(store.read_thread(fast.conversation_id))[1:] == [("assistant", "Fast")]


def test_overtaken_attempt_leaves_the_lease(store: ConversationStore, advance: Advance) -> None:
    slow = begin(store)
    advance(60_000)
    begin(store)
    store.finish_turn(slow, an_answer())

    with pytest.raises(TurnInProgress):
        begin(store)


def test_late_answer_stands_behind_its_question(store: ConversationStore, advance: Advance) -> None:
    late = begin(store, turn_id="turn-0001", content="One")
    advance(60_000)
    say(store, "turn-0002", content="Two", answer=an_answer(content="2"))

    assert store.finish_turn(late, an_answer(content="1"))

    thread = store.read_thread(late.conversation_id)
    assert [text for _, text in said(thread)] == ["One", "1", "Two", "2"]
    assert thread.messages[0].status is None
    assert thread.conversation.last_message == "2"
    assert begin(store, turn_id="turn-0001", content="One").answer is not None


def test_late_answer_leaves_a_running_turn_its_lease(
    store: ConversationStore, advance: Advance
) -> None:
    late = begin(store, turn_id="turn-0001", content="One")
    advance(60_000)
    begin(store, turn_id="turn-0002", content="Two")

    assert store.finish_turn(late, an_answer(content="1"))
    with pytest.raises(TurnInProgress):
        begin(store, turn_id="turn-0003")


# Many at once


def test_one_question_sent_twenty_times_at_once_is_stored_once(store: ConversationStore) -> None:
    results = outcomes([lambda: begin(store)] * 20)

    turns = [result for result in results if isinstance(result, Turn)]
    assert len(turns) == 1
    assert [type(result) for result in results].count(TurnInProgress) == 19
    assert len(store.read_thread(turns[0].conversation_id).messages) == 1


def test_different_questions_at_once_start_one_turn(store: ConversationStore) -> None:
    def asking(number: int) -> Callable[[], Turn]:
        return lambda: begin(store, turn_id=f"turn-{number:04}", content=f"Question {number}")

    results = outcomes([asking(number) for number in range(10)])

    (turn,) = [result for result in results if isinstance(result, Turn)]
    assert len(store.read_thread(turn.conversation_id).messages) == 1


def test_fifty_sessions_at_once_store_every_message_once(store: ConversationStore) -> None:
    def chatting(number: int) -> Callable[[], None]:
        def chat() -> None:
            for turn_id in ("turn-0001", "turn-0002"):
                say(store, turn_id, session_id=f"session-{number}", content=f"{number} {turn_id}")

        return chat

    results = outcomes([chatting(number) for number in range(50)])

    assert results == [None] * 50
    assert store.list_conversations(limit=100).total == 50
    for number in range(50):
        assert said(store.read_session(f"session-{number}", limit=10)) == [
            ("user", f"{number} turn-0001"),
            ("assistant", "Nine to five."),
            ("user", f"{number} turn-0002"),
            ("assistant", "Nine to five."),
        ]


# The list


def test_empty_store_lists_nothing(store: ConversationStore) -> None:
    page = store.list_conversations(limit=10)

    assert (tuple(page.conversations), page.total, page.next_cursor) == ((), 0, None)


def test_conversation_is_listed_with_its_times_and_preview(
    store: ConversationStore, advance: Advance
) -> None:
    turn = begin(store, content="Hi")
    (asked,) = store.list_conversations(limit=10).conversations
    advance(2_000)
    store.finish_turn(turn, an_answer(content="Hello!"))
    (answered,) = store.list_conversations(limit=10).conversations

    assert asked.last_message == "Hi"
    assert asked.updated_at == asked.created_at
    assert answered.updated_at - asked.updated_at == pytest.approx(2_000, abs=200)
    assert answered == Conversation(
        id=turn.conversation_id,
        session_id=SESSION,
        created_at=asked.created_at,
        updated_at=answered.updated_at,
        last_message="Hello!",
        last_question="Hi",
        message_count=2,
    )


def test_list_leads_with_the_last_question_and_counts_messages(store: ConversationStore) -> None:
    say(store, "turn-0001", content="First", answer=an_answer(content="One"))
    say(store, "turn-0002", content="Second", answer=an_answer(status="error", content=""))
    say(store, "turn-0001", content="First")  # is told again

    (listed,) = store.list_conversations(limit=1).conversations

    assert (listed.last_question, listed.last_message) == ("Second", "Second")
    assert listed.message_count == 3
    assert listed.marks == ("error",)


def test_answer_in_place_of_another_is_no_message_more(store: ConversationStore) -> None:
    say(store, content="Hi", answer=an_answer(status="partial"))
    say(store, content="Hi")
    turn = begin(store, content="Hi", regenerate=True)
    store.finish_turn(turn, an_answer(content="Again"))

    (listed,) = store.list_conversations(limit=1).conversations

    assert listed.message_count == 2


def test_list_shows_what_stands_on_some_message(
    store: ConversationStore, varied: list[Conversation]
) -> None:
    marks = {each.session_id: each.marks for each in varied}

    assert marks == {
        "plain": (),
        "partial": ("partial",),
        "failed": ("error",),
        "liked": ("up",),
        "disliked": ("down",),
    }


def test_preview_is_cut_by_characters(store: ConversationStore) -> None:
    turn = begin(store, content="🦜" * 600)
    asked = store.read_thread(turn.conversation_id).conversation.last_message
    store.finish_turn(turn, an_answer(content="🐦" * 501))

    assert asked == "🦜" * 500
    assert store.read_thread(turn.conversation_id).conversation.last_message == "🐦" * 500


def test_newest_updated_stands_first(store: ConversationStore, advance: Advance) -> None:
    for number in (1, 2, 3):
        advance(1_000)
        say(store, "turn-0001", session_id=f"session-{number}")
    advance(1_000)
    say(store, "turn-0002", session_id="session-1")

    page = store.list_conversations(limit=10)

    assert sessions(page.conversations) == ["session-1", "session-3", "session-2"]
    assert (page.total, page.next_cursor) == (3, None)


def all_pages(
    store: ConversationStore, limit: int, where: ConversationFilter | None = None
) -> list[str]:
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = store.list_conversations(
            limit=limit, cursor=cursor, where=where or ConversationFilter()
        )
        assert len(page.conversations) <= limit
        found += sessions(page.conversations)
        cursor = page.next_cursor
        if cursor is None:
            return found


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7])
def test_pages_join_to_the_whole_list(
    store: ConversationStore, advance: Advance, limit: int
) -> None:
    for number in range(6):
        say(store, session_id=f"session-{number}")
        advance(1_000 if number % 2 else 0)  # in pairs of the same time

    found = all_pages(store, limit)

    assert sorted(found) == [f"session-{number}" for number in range(6)]
    assert [set(found[n : n + 2]) for n in (0, 2, 4)] == [
        {"session-4", "session-5"},
        {"session-2", "session-3"},
        {"session-0", "session-1"},
    ]


def test_updates_between_pages_repeat_and_skip_nothing_else(
    store: ConversationStore, advance: Advance
) -> None:
    for number in range(4):
        advance(1_000)
        say(store, "turn-0001", session_id=f"session-{number}")
    first = store.list_conversations(limit=2)
    advance(1_000)
    say(store, "turn-0002", session_id="session-3")
    say(store, session_id="session-new")

    second = store.list_conversations(limit=2, cursor=first.next_cursor)

    assert sessions(first.conversations) == ["session-3", "session-2"]
    assert sessions(second.conversations) == ["session-1", "session-0"]
    assert (second.total, second.next_cursor) == (5, None)


def test_page_survives_the_deletion_of_its_last_row(
    store: ConversationStore, advance: Advance
) -> None:
    for number in range(3):
        advance(1_000)
        say(store, session_id=f"session-{number}")
    first = store.list_conversations(limit=1)
    store.delete_conversation(first.conversations[0].id)

    second = store.list_conversations(limit=1, cursor=first.next_cursor)

    assert sessions(second.conversations) == ["session-1"]


BAD_CURSORS = ["", "x", "!!!!", "é", "AAAA", "Y", "YzE", "\0", "YzE6Mjoz" * 100, "bnVsbA=="]


@pytest.mark.parametrize("cursor", BAD_CURSORS)
def test_foreign_cursor_is_refused_by_name(store: ConversationStore, cursor: str) -> None:
    turn = say(store)

    for read in (
        lambda: store.list_conversations(limit=10, cursor=cursor),
        lambda: store.read_thread(turn.conversation_id, limit=10, cursor=cursor),
        lambda: store.read_session(SESSION, limit=10, cursor=cursor),
    ):
        with pytest.raises(InvalidRequest) as caught:
            read()
        assert caught.value.details is not None
        assert set(caught.value.details) == {"cursor"}


# Filters


@pytest.fixture
def varied(store: ConversationStore, advance: Advance) -> list[Conversation]:
    """Five conversations, oldest first, a second apart, each unlike the others."""
    say(store, session_id="plain", content="Where is my parcel")
    advance(1_000)
    say(store, session_id="partial", answer=an_answer(status="partial", content="Half a parcel"))
    advance(1_000)
    say(store, session_id="failed", answer=an_answer(status="error", content=""))
    advance(1_000)
    say(store, session_id="liked", page=Page("https://shop.example/cart/2", "Cart"))
    advance(1_000)
    say(store, session_id="disliked", page=Page("https://shop.example/about"))
    for session_id, feedback in (("liked", Feedback("up")), ("disliked", Feedback("down"))):
        thread = store.read_session(session_id, limit=1)
        assert thread is not None
        store.rate_message(session_id, thread.messages[0].id, feedback)
    return list(reversed(store.list_conversations(limit=10).conversations))


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (ConversationFilter(text="parcel"), ["partial", "plain"]),
        (ConversationFilter(text="PARCEL"), ["partial", "plain"]),
        (ConversationFilter(text="unheard"), []),
        (ConversationFilter(status="complete"), ["disliked", "liked", "plain"]),
        (ConversationFilter(status="partial"), ["partial"]),
        (ConversationFilter(status="error"), ["failed"]),
        (ConversationFilter(feedback="up"), ["liked"]),
        (ConversationFilter(feedback="down"), ["disliked"]),
        (ConversationFilter(page="https://shop.example/"), ["disliked", "liked"]),
        (ConversationFilter(page="https://shop.example/cart"), ["liked"]),
        (ConversationFilter(page="https://shop.example/cart/2/more"), []),
        (ConversationFilter(user="somebody"), []),
        (ConversationFilter(text="parcel", status="partial"), ["partial"]),
        (ConversationFilter(text="hours", feedback="up", page="https://"), ["liked"]),
    ],
)
def test_filter_narrows_the_list(
    store: ConversationStore,
    varied: list[Conversation],
    where: ConversationFilter,
    expected: list[str],
) -> None:
    page = store.list_conversations(limit=10, where=where)

    assert sessions(page.conversations) == expected
    assert (page.total, page.next_cursor) == (None, None)
    assert all_pages(store, 1, where) == expected


def test_times_include_their_start_and_not_their_end(
    store: ConversationStore, varied: list[Conversation]
) -> None:
    second, fourth = varied[1].updated_at, varied[3].updated_at

    assert all_pages(store, 10, ConversationFilter(since=fourth)) == ["disliked", "liked"]
    assert all_pages(store, 10, ConversationFilter(until=second)) == ["plain"]
    assert all_pages(store, 1, ConversationFilter(since=second, until=fourth)) == [
        "failed",
        "partial",
    ]


@pytest.mark.parametrize(
    "text",
    [
        '"',
        "'",
        "%",
        "_",
        "*",
        "par% ",
        'a "quoted" one',
        "OR AND",
        "\\",
        "\0",
        "where \0",
        "\0where",
    ],
)
def test_signs_in_a_search_are_text(
    store: ConversationStore, varied: list[Conversation], text: str
) -> None:
    where = ConversationFilter(text=text)

    assert all_pages(store, 10, where) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("parcel where", ["plain"]),
        ("WHERE  is parcel", ["plain"]),
        ('"is my"', ["plain"]),
        ('"my is"', []),
        ('"is my" parcel', ["plain"]),
        ("parcel zzzz", []),
        ("half where", []),
        ("a half", ["partial"]),
        ("arce", ["partial", "plain"]),
        ('"re is m"', ["plain"]),
        ('"where', []),
    ],
)
def test_words_must_all_stand_in_one_message(
    store: ConversationStore, varied: list[Conversation], text: str, expected: list[str]
) -> None:
    assert all_pages(store, 10, ConversationFilter(text=text)) == expected


def test_conversation_is_found_by_any_of_its_names(
    store: ConversationStore, varied: list[Conversation]
) -> None:
    store.set_user("plain", "user@shop.example")
    failed = Answer("", "error", error_code="model_timeout", request_id="5f2c0a9d77e1b3c4")
    turn = say(store, "turn-of-plain", session_id="plain", answer=failed)
    message = store.read_thread(turn.conversation_id).messages[1]

    for name in (
        turn.conversation_id,
        "plain",
        message.id,
        "turn-of-plain",
        "5f2c0a9d77e1b3c4",
        "user@shop.example",
    ):
        assert all_pages(store, 10, ConversationFilter(text=name)) == ["plain"], name


def test_session_named_like_a_word_hides_nobody_who_said_it(
    store: ConversationStore, varied: list[Conversation]
) -> None:
    say(store, session_id="parcel", content="Anything")

    found = all_pages(store, 10, ConversationFilter(text="parcel"))

    assert sorted(found) == ["parcel", "partial", "plain"]


def test_found_conversation_shows_where_the_words_stand(
    store: ConversationStore, varied: list[Conversation]
) -> None:
    words = "word " * 100
    turn = say(
        store, "turn-0002", session_id="plain", content=f"{words}My PARCEL, the old one {words}"
    )
    say(store, "turn-0003", session_id="plain", content="Thank you")

    page = store.list_conversations(limit=10, where=ConversationFilter(text="parcel old"))

    (found,) = page.conversations
    messages = store.read_thread(turn.conversation_id).messages
    assert found.match is not None
    assert found.match.message_id == messages[2].id
    assert (found.match.role, found.match.cursor) == ("user", None)
    assert "My PARCEL, the old one" in found.match.text
    assert found.match.text.startswith("…")
    assert len(found.match.text) < 300


def test_match_in_an_older_page_leads_to_that_page(store: ConversationStore) -> None:
    turn = say(store, "turn-0000", content="The needle")
    for number in range(1, 40):
        say(store, f"turn-{number:04}", content="Hay")

    (found,) = store.list_conversations(
        limit=1, where=ConversationFilter(text="needle")
    ).conversations
    assert found.match is not None
    assert found.match.cursor is not None
    thread = store.read_thread(
        turn.conversation_id, limit=20, cursor=found.match.cursor, newest_first=True
    )

    assert found.match.message_id in [message.id for message in thread.messages]
    assert len(thread.messages) < 20


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (ConversationFilter(status="complete"), 3),
        (ConversationFilter(text="parcel"), 2),
        (ConversationFilter(page="https://shop.example/"), 2),
        (ConversationFilter(user="nobody"), 0),
        (ConversationFilter(), None),
    ],
)
def test_filtered_list_tells_how_many_fit(
    store: ConversationStore,
    varied: list[Conversation],
    where: ConversationFilter,
    expected: int | None,
) -> None:
    first = store.list_conversations(limit=1, where=where)

    assert first.found == expected
    if first.next_cursor:
        second = store.list_conversations(limit=1, cursor=first.next_cursor, where=where)
        assert second.found is None


def test_count_of_a_filtered_list_stops_above_a_hundred(store: ConversationStore) -> None:
    for number in range(MAX_FOUND + 5):
        say(store, session_id=f"session-{number}", answer=an_answer(content="", status="error"))

    where = ConversationFilter(status="error")

    assert store.list_conversations(limit=10, where=where).found == MAX_FOUND + 1


# Marked turns


def test_newest_turn_with_a_mark_is_told_with_its_answer(
    store: ConversationStore, varied: list[Conversation]
) -> None:
    store.rate_message(
        "disliked", _answers(store, "disliked")[0].id, Feedback("down", "Not helpful")
    )
    say(store, "turn-0002", session_id="disliked", content="Thanks")

    (turn,) = store.list_marked_turns("down", limit=5)

    assert turn.conversation.session_id == "disliked"
    assert turn.question.content == "What are your hours?"
    assert turn.answer is not None
    assert turn.answer.feedback == Feedback("down", "Not helpful")


def test_failed_turn_is_told_without_an_answer(
    store: ConversationStore, varied: list[Conversation]
) -> None:
    (turn,) = store.list_marked_turns("error", limit=5)

    assert (turn.conversation.session_id, turn.question.status) == ("failed", "error")
    assert turn.answer is None


def test_marked_turns_are_those_of_the_latest_conversations(
    store: ConversationStore, advance: Advance
) -> None:
    for number in range(4):
        advance(1_000)
        say(store, session_id=f"session-{number}", answer=an_answer(status="partial"))

    turns = store.list_marked_turns("partial", limit=2)

    assert [turn.conversation.session_id for turn in turns] == ["session-3", "session-2"]


def _answers(store: ConversationStore, session_id: str) -> list[Message]:
    thread = store.read_session(session_id, limit=100)
    assert thread is not None
    return [message for message in thread.messages if message.role == "assistant"]


# One conversation


def test_unknown_conversation_is_not_found(store: ConversationStore) -> None:
    for unknown in ("", "nobody", "0" * 32, "x" * 128, "é\0"):
        with pytest.raises(ConversationNotFound):
            store.read_thread(unknown)


def test_thread_shows_its_conversation(store: ConversationStore) -> None:
    turn = say(store)

    thread = store.read_thread(turn.conversation_id)

    assert thread.conversation == store.list_conversations(limit=1).conversations[0]
    assert thread.next_cursor is None


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6, 7])
def test_pages_of_a_thread_lead_from_oldest_to_newest(store: ConversationStore, limit: int) -> None:
    for number in range(3):
        turn = say(store, f"turn-{number:04}", content=f"Q{number}")
    whole = list(store.read_thread(turn.conversation_id).messages)
    found = []
    cursor: str | None = None

    while True:
        page = store.read_thread(turn.conversation_id, limit=limit, cursor=cursor)
        found.append(list(page.messages))
        cursor = page.next_cursor
        if cursor is None:
            break

    assert [message for page in found for message in page] == whole
    assert [len(page) for page in found[:-1]] == [limit] * (len(found) - 1)


# The visitor's own view


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7])
def test_pages_of_a_thread_lead_back_from_the_newest(store: ConversationStore, limit: int) -> None:
    for number in range(3):
        turn = say(store, f"turn-{number:04}", content=f"Question {number}")
    whole = said(store.read_thread(turn.conversation_id))

    pages: list[list[tuple[str, str]]] = []
    cursor = None
    while cursor is not None or not pages:
        thread = store.read_thread(
            turn.conversation_id, limit=limit, cursor=cursor, newest_first=True
        )
        pages.insert(0, said(thread))
        cursor = thread.next_cursor

    assert [message for page in pages for message in page] == whole
    assert len(pages[-1]) == min(limit, 6)


def test_silent_session_has_no_thread(store: ConversationStore) -> None:
    assert store.read_session("nobody", limit=10) is None


@pytest.mark.parametrize("limit", [1, 2, 4, 6, 7])
def test_pages_of_a_session_lead_from_newest_to_oldest(
    store: ConversationStore, limit: int
) -> None:
    for number in range(3):
        turn = say(store, f"turn-{number:04}", content=f"Q{number}")
    whole = list(store.read_thread(turn.conversation_id).messages)
    found: list[Any] = []
    cursor: str | None = None

    while True:
        page = store.read_session(SESSION, limit=limit, cursor=cursor)
        assert page is not None
        assert page.conversation.id == turn.conversation_id
        assert list(page.messages) == whole[-limit - len(found) : len(whole) - len(found)]
        found = [*page.messages, *found]
        cursor = page.next_cursor
        if cursor is None:
            break

    assert found == whole


def test_new_messages_do_not_move_the_older_pages(store: ConversationStore) -> None:
    say(store, "turn-0001", content="One")
    say(store, "turn-0002", content="Two")
    newest = store.read_session(SESSION, limit=2)
    assert newest is not None
    say(store, "turn-0003", content="Three")

    older = store.read_session(SESSION, limit=2, cursor=newest.next_cursor)

    assert said(older) == [("user", "One"), ("assistant", "Nine to five.")]


# Deletion


def test_deletion_leaves_nothing(store: ConversationStore) -> None:
    turn = say(store, content="A secret")
    say(store, session_id="session-2")

    assert store.delete_conversation(turn.conversation_id) is True

    with pytest.raises(ConversationNotFound):
        store.read_thread(turn.conversation_id)
    assert store.read_session(SESSION, limit=10) is None
    assert all_pages(store, 10, ConversationFilter(text="secret")) == []
    page = store.list_conversations(limit=10)
    assert (sessions(page.conversations), page.total) == (["session-2"], 1)


def test_deleting_nothing_is_told(store: ConversationStore) -> None:
    turn = say(store)

    assert store.delete_conversation("nobody") is False
    assert store.delete_conversation(turn.conversation_id) is True
    assert store.delete_conversation(turn.conversation_id) is False


def test_session_begins_anew_after_its_deletion(store: ConversationStore) -> None:
    old = say(store, content="One")
    store.delete_conversation(old.conversation_id)

    new = begin(store, content="Fresh")

    assert (new.attempt, texts(new)) == (1, ["Fresh"])
    assert new.conversation_id != old.conversation_id


# Feedback


def test_feedback_stands_on_its_answer(store: ConversationStore) -> None:
    turn = say(store)
    answer = store.read_thread(turn.conversation_id).messages[1]

    store.rate_message(SESSION, answer.id, Feedback("up", "Thanks"))
    liked = store.read_thread(turn.conversation_id).messages[1].feedback
    store.rate_message(SESSION, answer.id, Feedback("down"))

    assert liked == Feedback("up", "Thanks")
    assert store.read_thread(turn.conversation_id).messages[1].feedback == Feedback("down")
    assert all_pages(store, 10, ConversationFilter(feedback="up")) == []
    assert all_pages(store, 10, ConversationFilter(feedback="down")) == [SESSION]


def test_only_the_sessions_own_answers_are_rated(store: ConversationStore) -> None:
    turn = say(store)
    say(store, session_id="session-2")
    question, answer = store.read_thread(turn.conversation_id).messages
    wrong = [
        (SESSION, question.id),
        ("session-2", answer.id),
        ("nobody", answer.id),
        (SESSION, "nothing"),
        (SESSION, ""),
        (SESSION, f"{turn.conversation_id}-"),
        (SESSION, f"{turn.conversation_id}-99"),
        (SESSION, f"{turn.conversation_id}-²"),
    ]

    for session_id, message_id in wrong:
        with pytest.raises(MessageNotFound):
            store.rate_message(session_id, message_id, Feedback("up"))

    assert store.read_thread(turn.conversation_id).messages[1].feedback is None


# The store itself


def test_store_that_can_serve_answers_a_ping(store: ConversationStore) -> None:
    store.ping()


@pytest.mark.parametrize(
    "content", ["\u2028 \0 tab\t", "👩‍👩‍👧 e\u0301", "</script>", "x" * 100_000]
)
def test_text_comes_back_as_it_was(store: ConversationStore, content: str) -> None:
    turn = say(store, content=content, answer=an_answer(content=content))

    assert said(store.read_thread(turn.conversation_id)) == [
        ("user", content),
        ("assistant", content),
    ]
