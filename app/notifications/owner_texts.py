"""What the owner reads of a notice: a line for a subject, and a few lines more."""

from collections.abc import Mapping, Sequence

from app.domain.conversation import DEFAULT_ASSISTANT
from app.domain.people import NoticeType
from app.notifications.facts import Facts
from app.notifications.plain_text import one_line

# Of the visitor's own words, which may be long or hostile, so much goes into a chat.
CHAT_EXCERPT_CHARS = 200

_TITLES: Mapping[NoticeType, str] = {
    "conversation.waiting": "A visitor asks for a person",
    "message.created": "A visitor wrote, and waits for a person",
    "contact.created": "A visitor left an address",
    "budget.warning": "80 % of today's budget is spent",
    "budget.exhausted": "Today's budget is spent: the assistant answers nobody until midnight UTC",
    "model.failing": "The model does not answer: something is yours to mend",
    "test": "This is a test: notifications arrive here",
}
OWNERS: Sequence[NoticeType] = tuple(_TITLES)
"""What an owner is told by mail and chat."""


def title_of(facts: Facts) -> str:
    """Return what happened, in a line."""
    title = _TITLES[facts.notice.type]
    who = facts.notice.assistant
    return title if who == DEFAULT_ASSISTANT else f"[{who}] {title}"


def details_of(facts: Facts, public_url: str | None) -> list[tuple[str, str]]:
    """Return names and values of what else is known; nothing in them ends a line."""
    told = facts.conversation
    details: list[tuple[str, str]] = []
    if facts.notice.type == "model.failing":
        details.append(("Model", facts.assistant.model.name))
        details.append(("To mend it", "python -m app doctor says what is wrong"))
    if facts.notice.type.startswith("budget."):
        details.append(("Budget", f"{facts.assistant.budgets.service:,} tokens a day"))
    if told is None:
        return details
    if told.contact:
        details.append(("From", f"{told.contact.name or ''} <{told.contact.email}>".strip()))
    elif told.user:
        details.append(("From", told.user))
    if told.page:
        details.append(("Page", told.page.url))
    if public_url:
        details.append(("Answer", f"{public_url}/dashboard/conversations/{told.id}"))
    return [(name, one_line(value)) for name, value in details]


def said_by_visitor(facts: Facts) -> str:
    """Return what the visitor said and nobody has read, or said last; perhaps nothing."""
    if facts.conversation is None:
        return ""
    unread = facts.unread or [each for each in facts.newest if each.role == "user"][-1:]
    return "\n\n".join(each.content for each in unread)
