"""What a visitor is mailed: never without consent, and never what they have seen."""

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from app.domain.conversation import Page
from app.domain.mail_server import MailServer
from app.domain.people import Contact
from app.notifications.delivery import NotYet
from app.notifications.mails.smtp import Mailer
from app.notifications.mails.visitor_mail import APART_MS, VisitorMail
from app.notifications.return_link import ReturnLinks
from app.notifications.spacing import Spacing
from app.settings import Settings
from tests.notifications.conftest import MakeFacts
from tests.notifications.outbox import NOW_MS, MsClock, NoticesInFile, Threads
from tests.notifications.post_office import PostOffice

LINKS = ReturnLinks([b"k" * 32])
PAGE = Page("https://www.example.com/prices?x=1")


@pytest.fixture
def target(
    office: PostOffice, people: NoticesInFile, threads: Threads, settings: Settings, now: MsClock
) -> VisitorMail:
    threads.set(state="human", page=PAGE)
    return VisitorMail(
        Mailer(MailServer("127.0.0.1", office.port)),
        settings.mail_from or "",
        people,  # type: ignore[arg-type]
        Spacing(threads, "visitor", APART_MS, now),  # type: ignore[arg-type]
        LINKS,
        now,
    )


def link_of(office: PostOffice) -> str:
    return next(line for line in office.text().splitlines() if line.startswith("http"))


def test_what_was_not_fetched_in_two_minutes_is_mailed_with_a_way_back(
    target: VisitorMail, office: PostOffice, threads: Threads, facts_of: MakeFacts, now: MsClock
) -> None:
    message = threads.say("operator", "Yes, to Norway, too.", author="Grace")
    facts = facts_of("message.created", message)

    with pytest.raises(NotYet) as later:
        target.send(facts)
    now.now = later.value.at
    target.send(facts)

    assert later.value.at == NOW_MS + 120_000
    assert office.recipients == [["ada@example.org"]]
    assert office.mails[0]["Subject"] == "Grace has answered you"
    assert office.text().startswith(
        "Grace has answered you in the chat of www.example.com:\n\n> Yes, to Norway, too.\n\n"
        "Continue the conversation:\nhttps://www.example.com/prices?x=1&perch="
    )
    assert "opens your conversation for 30 days" in office.text().replace("\n", " ")
    token = parse_qs(urlsplit(link_of(office)).query)["perch"][0]
    assert LINKS.verify(token) == ("ps_session", "default")


@pytest.mark.parametrize(
    "contact",
    [
        None,
        Contact("ada@example.org", "Ada", 0),
        Contact("ada@example.org\nBcc: eve@example.net", None, NOW_MS),
        Contact("ada@example.org, eve@example.net", None, NOW_MS),
    ],
)
def test_nobody_is_mailed_who_did_not_agree(
    target: VisitorMail, office: PostOffice, threads: Threads, facts_of: MakeFacts, now: MsClock,
    contact: Contact | None,
) -> None:  # fmt: skip
    facts = facts_of("message.created", threads.say("operator", "Yes"))
    now.advance(120)

    target.send(replace(facts, conversation=replace(threads.conversation, contact=contact)))

    assert office.mails == []


def test_what_was_fetched_is_not_mailed(
    target: VisitorMail, office: PostOffice, threads: Threads, facts_of: MakeFacts, now: MsClock
) -> None:
    threads.say("system", "", event="taken")
    message = threads.say("operator", "Yes")
    threads.set(seen_event=2)
    now.advance(120)

    target.send(facts_of("message.created", message, created_at=NOW_MS))

    assert office.mails == []


def test_an_unread_stretch_is_mailed_once_and_whole(
    target: VisitorMail, office: PostOffice, threads: Threads, facts_of: MakeFacts, now: MsClock
) -> None:
    messages = [threads.say("operator", text) for text in ("One", "Two")]
    now.advance(120)

    for message in messages:
        target.send(facts_of("message.created", message, created_at=NOW_MS))
    now.advance(3600)
    third = threads.say("operator", "Three")
    target.send(facts_of("message.created", third, created_at=NOW_MS))

    assert len(office.mails) == 1
    assert "> One\n>\n> Two\n" in office.text()


def test_two_mails_are_thirty_minutes_apart(
    target: VisitorMail, office: PostOffice, threads: Threads, facts_of: MakeFacts, now: MsClock
) -> None:
    first = threads.say("operator", "One")
    now.advance(120)
    target.send(facts_of("message.created", first, created_at=NOW_MS))
    threads.set(seen_event=1)
    second = threads.say("operator", "Two")
    facts = facts_of("message.created", second, created_at=NOW_MS)

    now.advance(29 * 60)
    with pytest.raises(NotYet) as later:
        target.send(facts)
    assert 60 <= (later.value.at - now()) / 1000 <= 11 * 60

    now.now = later.value.at
    target.send(facts)
    assert len(office.mails) == 2


@pytest.mark.parametrize(
    "page",
    [
        "https://evil.example/",
        "javascript:alert(1)",
        "https://www.example.com.evil.net/",
        "https://www.example.com\\@evil.example/",
        "https://[::1/evil",
    ],
)
def test_a_page_of_strangers_is_not_linked_to(
    target: VisitorMail, office: PostOffice, threads: Threads, facts_of: MakeFacts, now: MsClock,
    page: str,
) -> None:  # fmt: skip
    threads.set(page=Page(page))
    message = threads.say("operator", "Yes", author="Grace")
    now.advance(120)

    target.send(facts_of("message.created", message, created_at=NOW_MS))

    assert "> Yes" in office.text()
    assert "evil" not in office.text()
    assert "perch=" not in office.mails[0].as_string()


def test_a_visitor_reads_their_language(
    target: VisitorMail, office: PostOffice, threads: Threads, facts_of: MakeFacts, now: MsClock
) -> None:
    target._language_of = lambda _conversation: "de"
    message = threads.say("operator", "Ja", author="Grace")
    now.advance(120)

    target.send(facts_of("message.created", message, created_at=NOW_MS))

    assert office.mails[0]["Subject"] == "Grace hat Ihnen geantwortet"
    assert "Unterhaltung fortsetzen:" in office.text()


def test_a_visitors_own_message_is_not_for_them(
    target: VisitorMail, threads: Threads, facts_of: MakeFacts
) -> None:
    assert not target.is_for(facts_of("message.created", threads.say("user", "Hello?")))
    assert not target.is_for(facts_of("conversation.taken"))
