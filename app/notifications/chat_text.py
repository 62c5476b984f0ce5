"""A few lines in the owner's own chat, in the form that its server takes."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson

from app.notifications.endpoint import Endpoint
from app.notifications.facts import Facts
from app.notifications.owner_rules import OwnerRules
from app.notifications.owner_texts import (
    CHAT_EXCERPT_CHARS,
    details_of,
    said_by_visitor,
    title_of,
)
from app.notifications.plain_text import one_line, shorten

_markdown = re.compile(r"([\\`*_{}\[\]()#+\-.!|~<>@])")


def _plain(text: str) -> str:
    return text


def _escape_slack(text: str) -> str:
    """Escape what Slack reads as mentions and links."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _escape_markdown(text: str) -> str:
    return _markdown.sub(r"\\\1", text)


def _text(text: str) -> Mapping[str, Any]:
    return {"text": text}


def _discord(text: str) -> Mapping[str, Any]:
    # Nobody is called by a visitor's words, whatever they are taken for.
    return {"content": text, "allowed_mentions": {"parse": []}}


def _teams_card(text: str) -> Mapping[str, Any]:
    """Return what a workflow of Teams takes: an adaptive card."""
    lines = [{"type": "TextBlock", "text": line, "wrap": True} for line in text.splitlines()]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": lines,
    }
    kind = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": kind, "content": card}]}


Kind = tuple[Callable[[str], str], Callable[[str], Mapping[str, Any]]]
# How a text is escaped, and what is sent, by the end of the host's name. Whatever else
# takes {"text"} takes it as Slack does (Mattermost, Rocket.Chat, Google Chat).
_KINDS: Mapping[str, Kind] = {
    "discord.com": (_escape_markdown, _discord),
    "discordapp.com": (_escape_markdown, _discord),
    "webhook.office.com": (_escape_markdown, _text),
    "logic.azure.com": (_escape_markdown, _teams_card),
    "powerplatform.com": (_escape_markdown, _teams_card),
    "api.telegram.org": (_plain, _text),
}
_SLACK: Kind = (_escape_slack, _text)


class ChatText:
    """The chat behind ``NOTIFY_CHAT_URL``; what Telegram is asked stands in the URL's query."""

    name = "chat"

    def __init__(
        self, url: str, endpoint: Endpoint, rules: OwnerRules, public_url: str | None
    ) -> None:
        parts = urlsplit(url)
        host = f".{parts.hostname}"
        found = (kind for end, kind in _KINDS.items() if host.endswith(f".{end}"))
        self._escape, self._form = next(found, _SLACK)
        is_telegram = host == ".api.telegram.org"
        # chat_id, and the thread of a group where there is one.
        self._fields = dict(parse_qsl(parts.query)) if is_telegram else {}
        self._endpoint = endpoint
        self._rules = rules
        self._public_url = public_url

    def is_for(self, facts: Facts) -> bool:
        """Tell whether an owner wants to hear of it."""
        return self._rules.is_for(facts)

    def send(self, facts: Facts) -> None:
        """Post a few lines, see ``Target``."""
        if not self._rules.should_send(facts):
            return
        self._endpoint.post(orjson.dumps({**self._fields, **self._form(self._lines(facts))}))
        self._rules.note_sent(facts)

    def _lines(self, facts: Facts) -> str:
        said = shorten(one_line(said_by_visitor(facts)), CHAT_EXCERPT_CHARS)
        lines = [self._escape(title_of(facts))]
        if said:
            lines.append(f"“{self._escape(said)}”")
        for name, value in details_of(facts, self._public_url):
            # An address of our own is a link; a visitor's page, and their name, are text.
            lines.append(value if name == "Answer" else f"{name}: {self._escape(value)}")
        return "\n".join(lines)
