"""Mails to a visitor who agreed to them: what a person answered while the page was closed."""

from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from app.domain.conversation import Conversation, Message
from app.domain.errors import SessionExpired
from app.domain.mail_server import is_mail_address
from app.domain.origin import AllowedOrigins
from app.notifications.delivery import NotYet
from app.notifications.facts import Facts
from app.notifications.mails.mail import Letter, to_mail
from app.notifications.mails.mail_texts import texts_of
from app.notifications.mails.smtp import Mailer
from app.notifications.plain_text import one_line
from app.notifications.return_link import ReturnLinks
from app.notifications.spacing import Spacing
from app.settings import AssistantSettings
from app.storage.people_store import PeopleStore

# So long an open page may take to fetch it.
UNSEEN_MS = 120_000
APART_MS = 1_800_000


class VisitorMail:
    """The visitor's own address, as they left it.

    ``language_of`` tells in which language a visitor reads; ``clock`` is in ms since the
    Unix epoch.
    """

    name = "visitor"

    def __init__(
        self,
        mailer: Mailer,
        sender: str,
        people: PeopleStore,
        spacing: Spacing,
        links: ReturnLinks,
        clock: Callable[[], int],
        language_of: Callable[[Conversation], str] = lambda _conversation: "en",
    ) -> None:
        self._mailer = mailer
        self._sender = sender
        self._people = people
        self._spacing = spacing
        self._links = links
        self._clock = clock
        self._language_of = language_of

    def is_for(self, facts: Facts) -> bool:
        """Tell whether a person spoke."""
        return (
            facts.notice.type == "message.created"
            and facts.message is not None
            and facts.message.role == "operator"
        )

    def send(self, facts: Facts) -> None:
        """Mail what was not fetched, once an unread stretch; see ``Target``."""
        if facts.conversation is None or facts.message is None:
            return
        self._wait(facts.notice.created_at + UNSEEN_MS)
        told = facts.conversation
        unseen = self._unseen(told)
        is_seen = facts.message.id not in [each.id for each in unseen]
        if is_seen or not _may_be_mailed(told):
            return
        stretch = unseen[0].id
        if self._spacing.was_told(told.id, stretch):
            return
        self._spacing.wait(told.id)
        letter = self._letter(facts.notice.id, facts.assistant, told, unseen)
        self._mailer.send(to_mail(letter, self._sender, self._clock()))
        self._spacing.note(told.id, stretch)

    def _wait(self, at: int) -> None:
        if self._clock() < at:
            raise NotYet(at)

    def _unseen(self, told: Conversation) -> Sequence[Message]:
        try:
            since = self._people.events_since(told.session_id, told.seen_event)
        except SessionExpired:  # deleted meanwhile
            return ()
        return [each.message for each in since.events if each.message.role == "operator"]

    def _letter(
        self,
        notice_id: str,
        assistant: AssistantSettings,
        told: Conversation,
        unseen: Sequence[Message],
    ) -> Letter:
        language = self._language_of(told)
        texts = texts_of(language)
        page = told.page.url if told.page and _is_ours(told.page.url, assistant) else None
        name = one_line(unseen[-1].author or assistant.people.operator_name)
        site = (urlsplit(page).hostname if page else None) or assistant.look.title or name
        contact = told.contact.email if told.contact else ""
        link = None
        if page:
            link = (texts.link, self._links.link(page, told.session_id, told.assistant))
        return Letter(
            id=f"{notice_id}.visitor",
            to=(contact,),
            subject=texts.subject.format(name=name, site=site),
            greeting=texts.greeting.format(name=name, site=site),
            text="\n\n".join(each.content for each in unseen),
            link=link,
            footer=f"{texts.footer.format(name=name, site=site)} {texts.link_note if link else ''}",
            thread=f"visitor.{told.id}",
            language=texts.language,
            is_right_to_left=texts.is_right_to_left,
        )


def _may_be_mailed(told: Conversation) -> bool:
    contact = told.contact
    return contact is not None and contact.consented_at > 0 and is_mail_address(contact.email)


def _is_ours(url: str, assistant: AssistantSettings) -> bool:
    """Tell whether a page is one of the owner's.

    Whoever asks says where: a stranger could have us mail a link to theirs, with our name.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and AllowedOrigins(assistant.origins).include(
        f"{parts.scheme}://{parts.netloc}"
    )
