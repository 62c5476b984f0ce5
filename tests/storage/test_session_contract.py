"""What any ``ConversationStore`` must do with a visitor's session, claim by claim."""

import pytest

from app.domain.conversation import Feedback, Finished
from app.domain.errors import MessageNotFound, SessionExpired, UserMismatch
from app.storage.protocol import SESSION_MEMORY_DAYS, ConversationStore
from tests.data import SESSION, TURN, an_answer
from tests.storage.stores import Advance
from tests.storage.test_store_contract import begin, said, say

DAY_MS = 24 * 60 * 60 * 1000

# Deleting


def test_deleted_session_is_gone(store: ConversationStore) -> None:
    turn = say(store)

    store.delete_session(SESSION)

    assert store.is_session_deleted(SESSION)
    assert store.list_conversations(limit=10).total == 0
    assert store.finish_turn(turn, an_answer()) is None


def test_deleted_session_is_refused_by_name(store: ConversationStore) -> None:
    say(store)
    store.delete_session(SESSION)

    for refused in (
        lambda: begin(store, turn_id="turn-0002"),
        lambda: store.read_session(SESSION, limit=10),
        lambda: store.set_user(SESSION, "ada"),
    ):
        with pytest.raises(SessionExpired):
            refused()
    assert store.list_conversations(limit=10).total == 0


def test_session_that_said_nothing_can_be_deleted(store: ConversationStore) -> None:
    store.delete_session(SESSION)

    with pytest.raises(SessionExpired):
        begin(store)


def test_deleting_twice_is_deleting(store: ConversationStore) -> None:
    say(store)
    store.delete_session(SESSION)
    store.delete_session(SESSION)

    assert store.is_session_deleted(SESSION)


def test_deletion_spares_other_sessions(store: ConversationStore) -> None:
    say(store)
    say(store, session_id="session-2")

    store.delete_session(SESSION)

    assert not store.is_session_deleted("session-2")
    assert len(said(store.read_session("session-2", limit=10))) == 2


def test_deletion_overtakes_the_running_turn(store: ConversationStore) -> None:
    turn = begin(store)
    store.delete_session(SESSION)

    assert store.finish_turn(turn, an_answer()) is None
    with pytest.raises(SessionExpired):
        store.read_session(SESSION, limit=10)


def test_operators_deletion_leaves_the_session_free(store: ConversationStore) -> None:
    turn = say(store)
    store.delete_conversation(turn.conversation_id)

    assert not store.is_session_deleted(SESSION)
    assert begin(store).attempt == 1


def test_deletion_is_remembered_while_a_token_could_be_renewed(
    store: ConversationStore, advance: Advance
) -> None:
    store.delete_session(SESSION)
    advance((SESSION_MEMORY_DAYS - 1) * DAY_MS)
    store.delete_session("session-2")

    assert store.is_session_deleted(SESSION)


def test_old_deletions_are_forgotten_when_others_come(
    store: ConversationStore, advance: Advance
) -> None:
    store.delete_session(SESSION)
    advance((SESSION_MEMORY_DAYS + 1) * DAY_MS)
    store.delete_session("session-2")

    assert not store.is_session_deleted(SESSION)
    assert store.is_session_deleted("session-2")


# Identity


def test_user_stands_on_the_conversation(store: ConversationStore) -> None:
    say(store)

    store.set_user(SESSION, "ada")

    (conversation,) = store.list_conversations(limit=10).conversations
    assert conversation.user == "ada"


def test_user_may_come_before_the_first_question(store: ConversationStore) -> None:
    store.set_user(SESSION, "ada")
    assert store.read_session(SESSION, limit=10) is None

    say(store)

    thread = store.read_session(SESSION, limit=10)
    assert thread is not None
    assert thread.conversation.user == "ada"


def test_same_user_again_changes_nothing(store: ConversationStore) -> None:
    store.set_user(SESSION, "ada")
    store.set_user(SESSION, "ada")
    say(store)
    store.set_user(SESSION, "ada")

    (conversation,) = store.list_conversations(limit=10).conversations
    assert conversation.user == "ada"


@pytest.mark.parametrize("has_said", [True, False], ids=["after a question", "before any"])
def test_session_never_changes_its_user(store: ConversationStore, has_said: bool) -> None:
    if has_said:
        say(store)
    store.set_user(SESSION, "ada")

    with pytest.raises(UserMismatch):
        store.set_user(SESSION, "bob")

    say(store, "turn-0002")
    (conversation,) = store.list_conversations(limit=10).conversations
    assert conversation.user == "ada"


def test_deletion_forgets_the_user(store: ConversationStore) -> None:
    turn = say(store)
    store.set_user(SESSION, "ada")
    store.delete_conversation(turn.conversation_id)
    say(store)

    (conversation,) = store.list_conversations(limit=10).conversations
    assert conversation.user is None


# Reading back


def test_session_tells_its_running_turn(store: ConversationStore, advance: Advance) -> None:
    def running() -> str | None:
        thread = store.read_session(SESSION, limit=10)
        assert thread is not None
        return thread.running_turn_id

    turn = begin(store)
    assert running() == TURN

    advance(60_000)
    assert running() is None

    again = begin(store)
    assert running() == TURN
    assert store.finish_turn(again, an_answer())
    assert running() is None
    assert store.finish_turn(turn, an_answer()) is None


def test_finished_turn_names_its_answer(store: ConversationStore) -> None:
    turn = begin(store)
    finished = store.finish_turn(turn, an_answer())

    assert finished is not None
    thread = store.read_session(SESSION, limit=10)
    assert thread is not None
    assert finished == Finished(thread.messages[-1].id)
    assert store.finish_turn(turn, an_answer()) == finished
    assert finished.message_id is not None
    store.rate_message(SESSION, finished.message_id, Feedback("up"))


def test_answer_without_words_has_no_name(store: ConversationStore) -> None:
    turn = begin(store)
    nothing = an_answer(content="", status="error")

    assert store.finish_turn(turn, nothing) == Finished()
    assert store.finish_turn(turn, nothing) == Finished()


def test_answer_of_another_session_is_not_rated(store: ConversationStore) -> None:
    finished = store.finish_turn(begin(store), an_answer())
    say(store, session_id="session-2")

    assert finished is not None
    assert finished.message_id is not None
    with pytest.raises(MessageNotFound):
        store.rate_message("session-2", finished.message_id, Feedback("down"))
