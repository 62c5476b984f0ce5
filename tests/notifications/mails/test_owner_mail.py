"""What the owner is mailed, and how often: once an unread stretch, two minutes apart."""

import pytest

from app.domain.conversation import Page
from app.domain.mail_server import MailServer
from app.domain.people import Contact, NoticeType
from app.notifications.delivery import NotTaken, NotYet
from app.notifications.mails.owner_mail import OwnerMail
from app.notifications.mails.smtp import Mailer
from app.notifications.owner_rules import OwnerRules
from app.settings import Settings
from tests.notifications.conftest import MakeFacts
from tests.notifications.outbox import MsClock, Threads
from tests.notifications.post_office import PostOffice


@pytest.fixture
def target(office: PostOffice, threads: Threads, settings: Settings, now: MsClock) -> OwnerMail:
    mailer = Mailer(MailServer("127.0.0.1", office.port))
    rules = OwnerRules(threads, "email", now)  # type: ignore[arg-type]
    return OwnerMail(mailer, settings.mail_from or "", rules, "https://chat.example.com/p", now)


def test_the_owner_reads_who_asks_what_and_where(
    target: OwnerMail, office: PostOffice, threads: Threads, facts_of: MakeFacts
) -> None:
    threads.set(page=Page("https://www.example.com/prices"))
    threads.say("user", "Do you ship to Norway?")

    target.send(facts_of("conversation.waiting"))

    assert office.recipients == [["owner@example.com"]]
    assert office.mails[0]["Subject"] == "A visitor asks for a person"
    assert office.text() == (
        "A visitor asks for a person.\n\n"
        "> Do you ship to Norway?\n\n"
        "From: Ada <ada@example.org>\n"
        "Page: https://www.example.com/prices\n"
        "Answer: https://chat.example.com/p/dashboard/conversations/c1\n\n"
        "-- \n"
        "You get this because NOTIFY_EMAIL names your address. Answer in the\ndashboard.\n"
    )


def test_a_handoff_without_a_word_is_told(
    target: OwnerMail, office: PostOffice, facts_of: MakeFacts
) -> None:
    target.send(facts_of("conversation.waiting"))

    assert [mail["Subject"] for mail in office.mails] == ["A visitor asks for a person"]


def test_an_unread_stretch_is_told_once(
    target: OwnerMail, office: PostOffice, threads: Threads, facts_of: MakeFacts, now: MsClock
) -> None:
    first = threads.say("user", "Hello?")
    target.send(facts_of("message.created", first))
    second = threads.say("user", "Anybody?")
    now.advance(600)
    target.send(facts_of("message.created", second))

    assert len(office.mails) == 1
    threads.set(unread=0)
    third = threads.say("user", "Thanks, and …")
    target.send(facts_of("message.created", third))
    assert len(office.mails) == 2
    assert "> Thanks, and …" in office.text()
    assert "Hello?" not in office.text()


def test_words_that_came_with_the_asking_are_told_with_it(
    target: OwnerMail, office: PostOffice, threads: Threads, facts_of: MakeFacts, now: MsClock
) -> None:
    message = threads.say("user", "Is a person there?")

    target.send(facts_of("conversation.waiting"))
    now.advance(600)
    target.send(facts_of("message.created", message))

    assert len(office.mails) == 1


def test_two_mails_are_two_minutes_apart(
    target: OwnerMail, office: PostOffice, threads: Threads, facts_of: MakeFacts, now: MsClock
) -> None:
    target.send(facts_of("conversation.waiting"))
    message = threads.say("user", "It is about Norway")
    facts = facts_of("message.created", message)

    now.advance(119)
    with pytest.raises(NotYet) as later:
        target.send(facts)

    assert 1 <= (later.value.at - now()) / 1000 <= 45
    now.now = later.value.at
    target.send(facts)
    assert len(office.mails) == 2


@pytest.mark.parametrize(
    ("kind", "state", "is_sent"),
    [
        ("conversation.waiting", "human", False),
        ("conversation.waiting", "bot", False),
        ("message.created", "bot", False),
        ("message.created", "human", True),
        ("contact.created", "bot", True),
    ],
)
def test_who_has_taken_over_need_not_hear_of_it(
    target: OwnerMail, office: PostOffice, threads: Threads, facts_of: MakeFacts,
    kind: NoticeType, state: str, is_sent: bool,
) -> None:  # fmt: skip
    message = threads.say("user", "Hello?")
    threads.set(state=state)

    target.send(facts_of(kind, message if kind == "message.created" else None))

    assert len(office.mails) == is_sent


def test_who_asks_again_and_again_is_told_of_once(
    target: OwnerMail, office: PostOffice, threads: Threads, facts_of: MakeFacts, now: MsClock
) -> None:
    asked_at = []
    for _ in range(5):
        asked_at.append(now())
        threads.set(waiting_since=now())
        now.advance(1)

    for at in asked_at:
        target.send(facts_of("conversation.waiting", created_at=at))

    assert len(office.mails) == 1


def test_of_addresses_that_a_visitor_left_the_last_is_told(
    target: OwnerMail, office: PostOffice, threads: Threads, facts_of: MakeFacts, now: MsClock
) -> None:
    left_at = []
    for number in range(5):
        left_at.append(now())
        threads.set(contact=Contact(f"ada{number}@example.org", None, now()))
        now.advance(1)

    for at in left_at:
        target.send(facts_of("contact.created", created_at=at))

    assert len(office.mails) == 1
    assert "ada4@example.org" in office.text()


def test_what_was_read_meanwhile_is_not_mailed(
    target: OwnerMail, office: PostOffice, threads: Threads, facts_of: MakeFacts
) -> None:
    message = threads.say("user", "Hello?")
    threads.set(unread=0)

    target.send(facts_of("message.created", message))

    assert office.mails == []


def test_in_vain_it_was_not_told(
    target: OwnerMail, office: PostOffice, threads: Threads, facts_of: MakeFacts
) -> None:
    message = threads.say("user", "Hello?")
    office.answers["data"] = ["451 later"]

    with pytest.raises(NotTaken):
        target.send(facts_of("message.created", message))
    target.send(facts_of("message.created", message))

    assert len(office.mails) == 1


@pytest.mark.parametrize(
    ("kind", "role", "is_told"),
    [
        ("conversation.started", "user", False),
        ("conversation.taken", "user", False),
        ("feedback.created", "assistant", False),
        ("message.created", "operator", False),
        ("message.created", "user", True),
        ("contact.created", "user", True),
        ("budget.warning", "user", True),
        ("budget.exhausted", "user", True),
        ("model.failing", "user", True),
        ("test", "user", True),
    ],
)
def test_an_owner_hears_of_what_is_theirs_to_do(
    target: OwnerMail, threads: Threads, facts_of: MakeFacts, kind: NoticeType, role: str,
    is_told: bool,
) -> None:  # fmt: skip
    assert target.is_for(facts_of(kind, threads.say(role, "x"))) is is_told


def test_trouble_of_the_service_names_no_visitor(
    target: OwnerMail, office: PostOffice, facts_of: MakeFacts
) -> None:
    target.send(facts_of("model.failing", conversation_id=None, assistant="sales"))

    assert office.mails[0]["Subject"] == (
        "[sales] The model does not answer: something is yours to mend"
    )
    assert "Model: gpt-6-luna\n" in office.text()
    assert office.mails[0]["References"] is None
