"""What any store must do with conversations that are kept no longer."""

from app.domain.errors import SessionExpired
from app.storage.protocol import ConversationStore
from tests.data import a_question, an_answer
from tests.storage.stores import Advance

HOUR_MS = 60 * 60 * 1000
DAY_MS = 24 * HOUR_MS
MANY = 130


def say(store: ConversationStore, session_id: str, turns: int = 1) -> None:
    for number in range(turns):
        question = a_question(session_id=session_id, turn_id=f"turn-{number:04}")
        turn = store.begin_turn(question, history_limit=1, lease_s=60)
        store.finish_turn(turn, an_answer())


def sessions(store: ConversationStore) -> set[str]:
    found = store.list_conversations(limit=200).conversations
    return {conversation.session_id for conversation in found}


def purge_all(store: ConversationStore, days: int = 30) -> tuple[int, int]:
    """Purge to the end; returns how many conversations that were, and in how many batches."""
    deleted = batches = 0
    while True:
        purged = store.purge(unused_days=days)
        deleted, batches = deleted + purged.conversations, batches + 1
        if not purged.has_more:
            return deleted, batches


def test_what_is_older_is_purged_and_nothing_else(
    store: ConversationStore, advance: Advance
) -> None:
    say(store, "old")
    advance(30 * DAY_MS - HOUR_MS)
    say(store, "young")
    young_only_due = store.purge(unused_days=30)
    advance(2 * HOUR_MS)

    assert young_only_due.conversations == 0
    assert purge_all(store)[0] == 1
    assert sessions(store) == {"young"}
    assert store.list_conversations(limit=1).total == 1


def test_a_conversation_that_went_on_is_kept(store: ConversationStore, advance: Advance) -> None:
    say(store, "regular")
    advance(29 * DAY_MS)
    say(store, "regular", turns=2)
    advance(29 * DAY_MS)

    assert purge_all(store)[0] == 0
    assert sessions(store) == {"regular"}


def test_a_conversation_whose_turn_is_running_is_kept(
    store: ConversationStore, advance: Advance
) -> None:
    say(store, "asked anew")
    say(store, "quiet")
    advance(31 * DAY_MS)
    again = a_question(session_id="asked anew", turn_id="turn-0000", regenerate=True)
    running = store.begin_turn(again, history_limit=1, lease_s=60)

    purged = purge_all(store)[0]

    assert (purged, sessions(store)) == (1, {"asked anew"})
    assert store.finish_turn(running, an_answer())


def test_a_crowd_goes_in_batches(store: ConversationStore, advance: Advance) -> None:
    for number in range(MANY):
        say(store, f"session-{number}")
    advance(31 * DAY_MS)

    deleted, batches = purge_all(store)

    assert deleted == MANY
    assert batches >= MANY // 20
    assert sessions(store) == set()


def test_a_long_conversation_is_purged_whole(store: ConversationStore, advance: Advance) -> None:
    say(store, "long", turns=MANY)
    advance(31 * DAY_MS)

    assert purge_all(store)[0] == 1
    assert store.read_session("long", limit=1) is None
    assert store.list_conversations(limit=1).total == 0


def test_a_purged_session_may_begin_again(store: ConversationStore, advance: Advance) -> None:
    say(store, "regular")
    advance(31 * DAY_MS)
    purge_all(store)

    try:
        say(store, "regular")
    except SessionExpired:
        raise AssertionError("a purge is no deletion by the visitor") from None

    thread = store.read_session("regular", limit=10)
    assert thread is not None
    assert len(thread.messages) == 2
