"""What any store must keep of answers' sources, and of questions without one."""

import pytest

from app.domain.conversation import Answer, Feedback, Page
from app.domain.knowledge import Gap, GapReason, Source
from app.storage.protocol import ConversationStore
from tests.data import SESSION, a_failure, a_question, an_answer, say
from tests.storage.stores import Advance

HOURS = Source(1, "Hours", "https://shop.example/hours#sunday")
TERMS = Source(2, "terms.pdf")


def begin_cited(store: ConversationStore, **fields: object) -> list[str]:
    turn = store.begin_turn(a_question(**fields), history_limit=1, lease_s=60)
    return list(turn.cited)


def answer_id(store: ConversationStore, session_id: str = SESSION) -> str:
    thread = store.read_session(session_id, limit=1)
    assert thread is not None
    return thread.messages[0].id


def gap_of(store: ConversationStore) -> GapReason | None:
    thread = store.read_session(SESSION, limit=1)
    assert thread is not None
    return thread.messages[0].gap


def rate(store: ConversationStore, rating: str) -> None:
    store.rate_message(SESSION, answer_id(store), Feedback(rating))  # type: ignore[arg-type]


def reasons(store: ConversationStore, assistant: str = "default") -> list[tuple[str, str]]:
    gaps = store.documents.list_gaps(assistant, limit=10)
    return [(gap.question, gap.reason) for gap in gaps]


# Sources


def test_next_question_is_told_what_the_last_answer_cited(store: ConversationStore) -> None:
    say(store, answer=an_answer(sources=[HOURS, TERMS]))

    assert begin_cited(store, turn_id="turn-0002") == [HOURS.url]


def test_answer_without_sources_hides_those_of_the_one_before(store: ConversationStore) -> None:
    say(store, turn_id="turn-0001", answer=an_answer(sources=[HOURS]))
    say(store, turn_id="turn-0002", answer=an_answer())

    assert begin_cited(store, turn_id="turn-0003") == []


def test_turn_without_an_answer_hides_nothing(store: ConversationStore) -> None:
    say(store, turn_id="turn-0001", answer=an_answer(sources=[HOURS]))
    say(store, turn_id="turn-0002", answer=a_failure())

    assert begin_cited(store, turn_id="turn-0003") == [HOURS.url]


def test_answer_that_is_asked_for_anew_is_not_what_was_cited(store: ConversationStore) -> None:
    say(store, turn_id="turn-0001", answer=an_answer(sources=[HOURS]))
    say(store, turn_id="turn-0002", answer=an_answer(sources=[Source(1, "B", "https://b/")]))

    assert begin_cited(store, turn_id="turn-0002", regenerate=True) == [HOURS.url]


def test_first_question_follows_no_sources(store: ConversationStore) -> None:
    assert begin_cited(store) == []


def test_complete_turn_that_is_repeated_comes_with_its_sources(store: ConversationStore) -> None:
    answer = an_answer(sources=(HOURS, TERMS), answered_by="owner")
    say(store, answer=answer)

    turn = store.begin_turn(a_question(), history_limit=9, lease_s=60)

    assert turn.answer is not None
    assert (turn.answer.sources, turn.answer.answered_by) == ([HOURS, TERMS], "owner")


def test_new_answer_has_its_own_sources(store: ConversationStore) -> None:
    say(store, answer=an_answer(sources=(HOURS,), gap="not_cited"))
    say(store, regenerate=True, answer=an_answer())

    thread = store.read_session(SESSION, limit=1)

    assert thread is not None
    assert (thread.messages[0].sources, thread.messages[0].gap) == (None, None)
    assert reasons(store) == []


def test_citations_are_counted_by_where_they_lead(
    store: ConversationStore, advance: Advance
) -> None:
    say(store, session_id="s-1", answer=an_answer(sources=[TERMS]))
    advance(10_000)
    say(store, session_id="s-2", answer=an_answer(sources=[HOURS, TERMS]))
    say(store, session_id="s-3", answer=an_answer(sources=[HOURS]))
    say(store, session_id="s-4", assistant="shop", answer=an_answer(sources=[HOURS]))
    say(store, session_id="s-5")
    thread = store.read_session("s-2", limit=1)
    assert thread is not None
    since = thread.messages[0].created_at

    counted = store.documents.count_citations

    assert counted("default", 0) == {HOURS.url: 2, "terms.pdf": 2}
    assert counted("default", since) == {HOURS.url: 2, "terms.pdf": 1}
    assert counted("shop", 0) == {HOURS.url: 1}
    assert counted("default", since + 1_000_000) == {}


# Gaps


def test_gaps_are_listed_newest_first(store: ConversationStore, advance: Advance) -> None:
    page = Page("https://shop.example/cart", "Cart")
    say(store, session_id="s-1", content="Norway?", answer=an_answer(gap="nothing_found"))
    advance(1000)
    conversation_id = say(
        store, session_id="s-2", content="Sweden?", answer=an_answer(gap="not_cited"), page=page
    )
    say(store, session_id="s-3", content="Denmark?")

    newest, oldest = store.documents.list_gaps("default", limit=10)

    assert newest == Gap(
        message_id=answer_id(store, "s-2"),
        conversation_id=conversation_id,
        question="Sweden?",
        answer="Nine to five.",
        reason="not_cited",
        created_at=newest.created_at,
        page_url="https://shop.example/cart",
    )
    assert (oldest.question, oldest.reason, oldest.page_url) == ("Norway?", "nothing_found", None)
    assert newest.created_at > oldest.created_at
    assert store.documents.list_gaps("default", limit=1) == (newest,)


def test_each_assistant_has_its_own_gaps(store: ConversationStore) -> None:
    say(store, session_id="s-1", content="Norway?", answer=an_answer(gap="unknown"))
    say(store, session_id="s-2", content="Oslo?", assistant="shop", answer=an_answer(gap="unknown"))

    store.documents.dismiss_gaps("default", [answer_id(store, "s-2")])

    assert reasons(store) == [("Norway?", "unknown")]
    assert reasons(store, "shop") == [("Oslo?", "unknown")]


def test_dismissed_gap_is_none(store: ConversationStore) -> None:
    for n in (1, 2):
        say(store, session_id=f"s-{n}", content=f"{n}?", answer=an_answer(gap="unknown"))

    for _ in range(2):
        store.documents.dismiss_gaps("default", [answer_id(store, "s-1"), "nobody's", ""])

    assert reasons(store) == [("2?", "unknown")]
    thread = store.read_session("s-1", limit=2)
    assert thread is not None
    assert [message.gap for message in thread.messages] == [None, None]


def test_gap_goes_with_its_conversation(store: ConversationStore) -> None:
    conversation_id = say(store, answer=an_answer(gap="unknown"))

    store.delete_conversation(conversation_id)

    assert reasons(store) == []


def test_disliked_answer_is_a_gap_until_it_is_liked(store: ConversationStore) -> None:
    say(store)

    found = []
    for rating in ("down", "down", "up", "down"):
        rate(store, rating)
        found.append((gap_of(store), len(reasons(store))))

    assert found == [("disliked", 1), ("disliked", 1), (None, 0), ("disliked", 1)]


@pytest.mark.parametrize("rating", ["down", "up"])
def test_opinion_leaves_another_mark_as_it_is(store: ConversationStore, rating: str) -> None:
    say(store, answer=an_answer(gap="not_cited"))

    rate(store, rating)

    assert gap_of(store) == "not_cited"


# Figures


@pytest.mark.parametrize(
    ("answer", "counted"),
    [
        (an_answer(), (0, 0, 0)),
        (an_answer(sources=[HOURS]), (1, 0, 0)),
        (an_answer(sources=(HOURS,), answered_by="owner"), (1, 0, 1)),
        (an_answer(gap="nothing_found"), (0, 1, 0)),
        (an_answer(gap="not_cited"), (0, 1, 0)),
        (an_answer(gap="unknown", answered_by="unknown"), (0, 1, 0)),
        (an_answer(gap="disliked"), (0, 0, 0)),
    ],
)
def test_answers_are_counted_by_where_they_come_from(
    store: ConversationStore, answer: Answer, counted: tuple[int, int, int]
) -> None:
    say(store, answer=answer)

    (day,) = store.read_figures("2000-01-01", "2999-12-31")

    assert (day.grounded, day.unanswered, day.owner_answers) == counted
