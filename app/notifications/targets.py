"""The targets that the settings name, and what tries the way to each."""

from collections.abc import Callable, Iterator

from app.domain.clock import now_ms
from app.domain.mail_server import MailServer
from app.notifications.chat_text import ChatText
from app.notifications.delivery import Target
from app.notifications.endpoint import Endpoint
from app.notifications.mails.owner_mail import OwnerMail
from app.notifications.mails.smtp import Mailer
from app.notifications.mails.visitor_mail import APART_MS, VisitorMail
from app.notifications.owner_rules import OwnerRules
from app.notifications.return_link import ReturnLinks
from app.notifications.spacing import Spacing
from app.notifications.webhooks import Webhook
from app.settings import Settings
from app.storage.people_store import PeopleStore
from app.storage.protocol import ConversationStore

_LOCAL = ("localhost", "127.0.0.1", "::1")


def make_targets(
    settings: Settings,
    store: ConversationStore,
    people: PeopleStore,
    links: ReturnLinks,
    clock: Callable[[], int] = now_ms,
) -> Iterator[Target]:
    """Yield who is told; last the owner's own program, which may hang."""
    if url := settings.notify_chat_url:
        rules = OwnerRules(store, "chat", clock)
        yield ChatText(url, _endpoint(url, settings), rules, settings.public_url)
    if settings.smtp_url and settings.mail_from:
        mailer, sender = Mailer(MailServer.parse(settings.smtp_url)), settings.mail_from
        rules = OwnerRules(store, "email", clock)
        yield OwnerMail(mailer, sender, rules, settings.public_url, clock)
        spacing = Spacing(store, "visitor", APART_MS, clock)
        yield VisitorMail(mailer, sender, people, spacing, links, clock)
    if url := settings.webhook_url:
        yield Webhook(_endpoint(url, settings), settings.webhook_secrets)


def checks_of(settings: Settings) -> Iterator[tuple[str, Callable[[], str]]]:
    """Yield each target's variable, and what tries the way to it and tells nothing.

    It returns what was found, and raises ``NotTaken`` where there is no way.
    """
    if settings.smtp_url:
        yield "SMTP_URL", Mailer(MailServer.parse(settings.smtp_url)).check
    if settings.webhook_url:
        yield "WEBHOOK_URL", _endpoint(settings.webhook_url, settings).check
    if settings.notify_chat_url:
        yield "NOTIFY_CHAT_URL", _endpoint(settings.notify_chat_url, settings).check


def may_tell_password(settings: Settings) -> bool:
    """Tell whether the mail server's password goes over a network as it is."""
    if not settings.smtp_url:
        return False
    server = MailServer.parse(settings.smtp_url)
    return bool(server.user) and server.security == "plain" and server.host not in _LOCAL


def _endpoint(url: str, settings: Settings) -> Endpoint:
    return Endpoint(url, settings.notify_private_networks, settings.proxies)
