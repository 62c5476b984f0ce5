"""What any store must count of each day and hour."""

from datetime import UTC, datetime

import pytest

from app.domain.conversation import Answer, Feedback, Usage
from app.domain.figures import DayFigures, ModelFigures, sum_figures
from app.storage.protocol import ConversationStore
from tests.data import SESSION, TURN, a_question, an_answer
from tests.storage.stores import Advance

HOUR_MS = 60 * 60 * 1000
DAY_MS = 24 * HOUR_MS
LEASE_S = 60.0
EVER = ("2000-01-01", "2999-12-31")
EVER_BY_HOUR = ("2000-01-01T00", "2999-12-31T23")


@pytest.fixture(autouse=True)
def at_noon(store: ConversationStore, advance: Advance) -> None:
    """Begin at noon, so that an hour more is the same day in every store."""
    store.begin_turn(a_question(session_id="clock"), history_limit=1, lease_s=LEASE_S)
    now = store.list_conversations(limit=1).conversations[0].created_at
    store.delete_conversation(store.list_conversations(limit=1).conversations[0].id)
    advance(DAY_MS + DAY_MS // 2 - now % DAY_MS)


def day_of(store: ConversationStore, session_id: str = SESSION, chars: int = 10) -> str:
    thread = store.read_session(session_id, limit=1)
    assert thread is not None
    moment = datetime.fromtimestamp(thread.conversation.updated_at / 1000, UTC)
    return moment.isoformat()[:chars]


def say(
    store: ConversationStore,
    turn_id: str = TURN,
    session_id: str = SESSION,
    answer: Answer | None = None,
) -> str:
    """Run a whole turn; returns the day on which it ended."""
    question = a_question(turn_id=turn_id, session_id=session_id)
    turn = store.begin_turn(question, history_limit=30, lease_s=LEASE_S)
    assert store.finish_turn(turn, answer or an_answer())
    return day_of(store, session_id)


def figures_of(store: ConversationStore, day: str) -> DayFigures:
    (found,) = store.read_figures(day, day)
    return found


def answer_id(store: ConversationStore) -> str:
    thread = store.read_session(SESSION, limit=1)
    assert thread is not None
    return thread.messages[0].id


def test_unused_store_has_no_figures_after_the_first_days(store: ConversationStore) -> None:
    assert list(store.read_figures("2000-01-01", "2000-12-31")) == []


def test_turn_counts_on_its_day_and_hour(store: ConversationStore) -> None:
    usage = Usage(prompt_tokens=120, completion_tokens=30)
    whole = an_answer(
        model="gpt-4.1-mini", usage=usage, latency_ms=2100, first_token_ms=320, charged_tokens=150
    )

    day = say(store, answer=whole)

    expected = DayFigures(
        day=day,
        conversations=1,
        visitors=1,
        turns=1,
        prompt_tokens=120,
        completion_tokens=30,
        charged_tokens=150,
        first_token_classes=(0, 0, 0, 0, 1, *(0,) * 12),
        latency_classes=(*(0,) * 9, 1, *(0,) * 7),
        models={"gpt-4.1-mini": ModelFigures(prompt_tokens=120, completion_tokens=30)},
    )
    assert figures_of(store, day) == expected
    hour = day_of(store, chars=13)
    (by_hour,) = store.read_figures(hour, hour)
    assert sum_figures(day, [by_hour]) == expected


def test_each_way_to_end_is_counted(store: ConversationStore) -> None:
    say(store, "turn-0001")
    say(store, "turn-0002", answer=Answer("Half an", "partial", charged_tokens=70))
    day = say(store, "turn-0003", answer=Answer("", "error"))

    found = figures_of(store, day)

    assert (found.turns, found.partial, found.errors) == (3, 1, 1)
    assert found.charged_tokens == 70
    assert found.models == {"unknown": ModelFigures(unrecorded_tokens=70)}


def test_finishing_again_counts_nothing(store: ConversationStore) -> None:
    turn = store.begin_turn(a_question(), history_limit=30, lease_s=LEASE_S)
    store.finish_turn(turn, an_answer())

    store.finish_turn(turn, an_answer())

    assert figures_of(store, day_of(store)).turns == 1


def test_asking_again_for_a_complete_turn_counts_nothing(store: ConversationStore) -> None:
    day = say(store)

    store.begin_turn(a_question(), history_limit=30, lease_s=LEASE_S)

    found = figures_of(store, day)
    assert (found.turns, found.visitors, found.conversations) == (1, 1, 1)


def test_expired_turn_counts_as_an_error(store: ConversationStore, advance: Advance) -> None:
    store.begin_turn(a_question(), history_limit=30, lease_s=LEASE_S)
    advance(61_000)

    day = say(store)

    found = figures_of(store, day)
    assert (found.turns, found.errors) == (2, 1)


def test_visitor_counts_once_a_day(store: ConversationStore, advance: Advance) -> None:
    first_day = say(store, "turn-0001")
    advance(HOUR_MS)
    say(store, "turn-0002")
    advance(DAY_MS)
    next_day = say(store, "turn-0003")

    found = store.read_figures(first_day, next_day)

    assert [(f.day, f.visitors, f.conversations, f.turns) for f in found] == [
        (first_day, 1, 1, 2),
        (next_day, 1, 0, 1),
    ]


def test_opinion_counts_on_the_day_of_its_answer(
    store: ConversationStore, advance: Advance
) -> None:
    day = say(store)
    advance(DAY_MS)

    store.rate_message(SESSION, answer_id(store), Feedback("up"))
    store.rate_message(SESSION, answer_id(store), Feedback("up", "Really."))

    found = figures_of(store, day)
    assert (found.thumbs_up, found.thumbs_down) == (1, 0)


def test_changed_opinion_counts_in_place_of_the_first(store: ConversationStore) -> None:
    day = say(store)

    store.rate_message(SESSION, answer_id(store), Feedback("up"))
    store.rate_message(SESSION, answer_id(store), Feedback("down"))

    found = figures_of(store, day)
    assert (found.thumbs_up, found.thumbs_down) == (0, 1)


def test_deleted_conversation_stays_counted(store: ConversationStore) -> None:
    day = say(store)
    before = figures_of(store, day)

    store.delete_conversation(store.list_conversations(limit=1).conversations[0].id)

    assert figures_of(store, day) == before


def test_what_no_turn_counts_is_added(store: ConversationStore) -> None:
    day = say(store)

    store.add_figures({"limits_hit": 3})
    store.add_figures({"limits_hit": 4})

    assert figures_of(store, day).limits_hit == 7


def test_turns_at_once_are_all_counted(store: ConversationStore) -> None:
    days = {say(store, session_id=f"session-{number}") for number in range(30)}

    (day,) = days
    found = figures_of(store, day)
    assert (found.turns, found.visitors, found.conversations) == (30, 30, 30)


def test_nothing_is_left_to_backfill_in_a_new_store(store: ConversationStore) -> None:
    say(store)

    assert store.backfill_figures() == 0
    assert sum(found.turns for found in store.read_figures(*EVER)) == 1


def test_days_and_hours_do_not_mix(store: ConversationStore) -> None:
    say(store)

    assert {len(found.day) for found in store.read_figures(*EVER)} == {10}
    assert {len(found.day) for found in store.read_figures(*EVER_BY_HOUR)} == {13}
