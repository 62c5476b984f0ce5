"""Mails to the owner: somebody waits, or something is theirs to mend."""

from collections.abc import Callable

from app.notifications.facts import Facts
from app.notifications.mails.mail import Letter, to_mail
from app.notifications.mails.smtp import Mailer
from app.notifications.owner_rules import OwnerRules
from app.notifications.owner_texts import details_of, said_by_visitor, title_of
from app.notifications.plain_text import shorten

_MAX_TEXT_CHARS = 4000
_FOOTER = "You get this because NOTIFY_EMAIL names your address. Answer in the dashboard."


class OwnerMail:
    """The addresses of ``NOTIFY_EMAIL``, those of the notice's assistant.

    ``clock`` is in ms since the Unix epoch.
    """

    name = "email"

    def __init__(
        self,
        mailer: Mailer,
        sender: str,
        rules: OwnerRules,
        public_url: str | None,
        clock: Callable[[], int],
    ) -> None:
        self._mailer = mailer
        self._sender = sender
        self._rules = rules
        self._public_url = public_url
        self._clock = clock

    def is_for(self, facts: Facts) -> bool:
        """Tell whether an owner with an address wants to hear of it."""
        return bool(facts.assistant.people.notify_email) and self._rules.is_for(facts)

    def send(self, facts: Facts) -> None:
        """Mail a notice, see ``Target``."""
        if not self._rules.should_send(facts):
            return
        title, told = title_of(facts), facts.conversation
        letter = Letter(
            id=f"{facts.notice.id}.owner",
            to=facts.assistant.people.notify_email,
            subject=title,
            greeting=f"{title}.",
            text=shorten(said_by_visitor(facts), _MAX_TEXT_CHARS),
            details=details_of(facts, self._public_url),
            footer=_FOOTER,
            thread=f"owner.{told.id}" if told else None,
        )
        self._mailer.send(to_mail(letter, self._sender, self._clock()))
        self._rules.note_sent(facts)
