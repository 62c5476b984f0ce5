"""Makes what tells people of what happens: the sender, its outbox, and return links."""

from collections.abc import Sequence
from typing import NamedTuple

from app.notifications import return_link
from app.notifications.outbox import Outbox
from app.notifications.return_link import ReturnLinks
from app.notifications.sender import Sender
from app.notifications.targets import make_targets
from app.settings import Settings
from app.storage.people_store import PeopleStore
from app.storage.protocol import ConversationStore
from app.web.guards import secret_keys


class Notifications(NamedTuple):
    """What of it the rest of the service works with."""

    sender: Sender
    outbox: Outbox
    links: ReturnLinks


def make_notifications(
    settings: Settings, store: ConversationStore, people: PeopleStore, secrets: Sequence[bytes]
) -> Notifications:
    """Return them; nobody is connected to before the first notice."""
    keys = [secret_keys.derive_key(secret, return_link.PURPOSE) for secret in secrets]
    links = ReturnLinks(keys)
    targets = tuple(make_targets(settings, store, people, links))
    assistants = {each.id: each for each in settings.assistants}
    sender = Sender(store, people, assistants, targets)
    return Notifications(sender, Outbox(store, people, wake=sender.wake), links)
