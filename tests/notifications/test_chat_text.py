"""Lines in a chat: each kind's own form, and no visitor's word that anybody obeys."""

import json
from dataclasses import replace

import pytest

from app.domain.conversation import Page
from app.notifications.chat_text import ChatText
from app.notifications.endpoint import Endpoint
from app.notifications.owner_rules import OwnerRules
from tests.notifications.conftest import MakeFacts
from tests.notifications.outbox import MsClock, Threads

HOSTILE = "<!channel> @everyone **now** [x](https://evil.example) & more"


class Caught(Endpoint):
    """Keeps what would be posted."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.body = b""

    def post(self, body: bytes, _headers: object = ()) -> None:
        self.body = body


def posted(
    url: str, facts_of: MakeFacts, threads: Threads, now: MsClock, text: str
) -> dict[str, object]:
    threads.set(page=Page("https://www.example.com/<b>"), contact=None)
    threads.say("user", text)
    endpoint = Caught(url)
    rules = OwnerRules(threads, "chat", now)  # type: ignore[arg-type]
    ChatText(url, endpoint, rules, "https://chat.example.com").send(
        facts_of("conversation.waiting")
    )
    told: dict[str, object] = json.loads(endpoint.body)
    return told


LINK = "https://chat.example.com/dashboard/conversations/c1"
SLACK = (
    "A visitor asks for a person\n"
    "“&lt;!channel&gt; @everyone **now** [x](https://evil.example) &amp; more”\n"
    f"Page: https://www.example.com/&lt;b&gt;\n{LINK}"
)
MARKDOWN = (
    "A visitor asks for a person\n"
    r"“\<\!channel\> \@everyone \*\*now\*\* \[x\]\(https://evil\.example\) & more”"
    "\n"
    r"Page: https://www\.example\.com/\<b\>"
    f"\n{LINK}"
)
PLAIN = f"A visitor asks for a person\n“{HOSTILE}”\nPage: https://www.example.com/<b>\n{LINK}"


@pytest.mark.parametrize(
    ("url", "body"),
    [
        ("https://hooks.slack.com/services/T/B/x", {"text": SLACK}),
        ("https://mattermost.example.com/hooks/x", {"text": SLACK}),
        (
            "https://discord.com/api/webhooks/1/x",
            {"content": MARKDOWN, "allowed_mentions": {"parse": []}},
        ),
        ("https://org.webhook.office.com/webhookb2/x", {"text": MARKDOWN}),
        (
            "https://api.telegram.org/bot1:x/sendMessage?chat_id=-100&message_thread_id=7",
            {"chat_id": "-100", "message_thread_id": "7", "text": PLAIN},
        ),
        ("https://notdiscord.com/x", {"text": SLACK}),
    ],
)
def test_each_chat_has_its_form(
    url: str, body: object, facts_of: MakeFacts, threads: Threads, now: MsClock
) -> None:
    assert posted(url, facts_of, threads, now, HOSTILE) == body


def test_a_workflow_of_teams_takes_a_card(
    facts_of: MakeFacts, threads: Threads, now: MsClock
) -> None:
    url = "https://prod-1.westeurope.logic.azure.com:443/workflows/x?api-version=1&sig=y"

    told = posted(url, facts_of, threads, now, HOSTILE)

    (attachment,) = told["attachments"]  # type: ignore[misc]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    lines = [each["text"] for each in attachment["content"]["body"]]
    assert "\n".join(lines) == MARKDOWN


def test_of_a_visitors_words_there_are_200_characters_in_a_line(
    facts_of: MakeFacts, threads: Threads, now: MsClock
) -> None:
    told = posted("https://hooks.slack.com/x", facts_of, threads, now, "a\n" * 3000)

    said = str(told["text"]).splitlines()[1]
    assert said == f"“{'a ' * 99}a…”"


def test_a_test_needs_no_conversation(facts_of: MakeFacts, threads: Threads, now: MsClock) -> None:
    endpoint = Caught("https://hooks.slack.com/x")
    facts = replace(facts_of("test"), conversation=None)

    ChatText("https://hooks.slack.com/x", endpoint, OwnerRules(threads, "chat", now), None).send(
        facts
    )  # type: ignore[arg-type]

    assert json.loads(endpoint.body) == {"text": "This is a test: notifications arrive here"}
