"""Each provider of docs/models.md through a whole conversation with a running server."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from app.storage.sqlite import SqliteStore
from tests.live.server import WIDGET_KEY, Server
from tests.providers import find_providers
from tests.providers.provider import KEY, LONG, Provider, alternates
from tests.providers.server import ProviderServer, make_certificate

pytestmark = [pytest.mark.live, pytest.mark.sqlite]

WITHIN_S = 10.0
PROVIDERS = find_providers()
# What the providers' models think, in whatever shape they tell it.
THOUGHTS = ("visitor", "think>")
REFUSAL = "I can't help with that."
PROMPT_TOKENS = 20


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    hosts = {urlsplit(provider().base).hostname or "" for provider in PROVIDERS}
    return make_certificate(tmp_path_factory.mktemp("providers"), sorted(hosts))


@contextmanager
def serving(provider: Provider, certificate: Path, **more: str) -> Iterator["Conversation"]:
    """Run a server with the settings of a provider's row, and nothing else about the model."""
    with ProviderServer(provider, certificate) as upstream:
        settings = {**provider.environment, **upstream.proxies, "SSL_CERT_FILE": str(certificate)}
        with Server(**{**settings, **more}) as server:
            opened = server.request("POST", "/v1/session", {}, x_api_key=WIDGET_KEY).json
            yield Conversation(server, upstream, opened["token"])


@dataclass
class Turn:
    """What a visitor's program was told of one turn, and what it cost."""

    events: Sequence[dict[str, Any]]
    tried: int
    charged: int

    @property
    def text(self) -> str:
        return "".join(event["token"] for event in self.events if event["type"] == "token")

    @property
    def end(self) -> dict[str, Any]:
        return self.events[-1]


class Conversation:
    """One visitor's conversation with a running server."""

    def __init__(self, server: Server, upstream: ProviderServer, token: str) -> None:
        self.server = server
        self.upstream = upstream
        self.session = {"Authorization": f"Bearer {token}"}
        self.shown: list[dict[str, Any]] = []
        self._store = SqliteStore(Path(server.environment["SQLITE_PATH"]))

    def ask(self, message: str, turn_id: str = "", *, stops: bool = False, **fields: Any) -> Turn:
        """Ask, and read to the end; ``stops`` stops the answer behind two words."""
        upstream = self.upstream
        tried, charged = len(upstream.asked), self.charged
        turn_id = turn_id or f"turn-{tried:04}"
        body = {"message": message, "turnId": turn_id, **fields}
        sent = self.server.send(
            "POST", "/v1/chat/stream", body, x_api_key=WIDGET_KEY, **self.session
        )
        with sent.begin():
            before = [*sent.until("token"), *sent.until("token")] if stops else []
            if stops:
                self.server.request("POST", f"/v1/turns/{turn_id}/stop", **self.session)
            events = [line.event for line in (*before, *sent.lines()) if line.event is not None]
        self.shown += events
        return Turn(events, len(upstream.asked) - tried, self.charged - charged)

    @property
    def charged(self) -> int:
        """What all turns were charged with, by the store's account."""
        days = self._store.read_figures(date.min.isoformat(), date.max.isoformat())
        return sum(day.charged_tokens for day in days)

    @property
    def stored(self) -> list[dict[str, Any]]:
        """Return the messages as the operator reads them."""
        return self.server.messages(self.shown[0]["conversationId"])

    @property
    def prompt(self) -> list[tuple[str, str]]:
        """Return what was asked last."""
        said = self.upstream.asked[-1].body["messages"]
        return [(each["role"], each["content"]) for each in said]


def shape_of(body: Mapping[str, Any]) -> str:
    """Tell what a request has, in the words of ``doctor``."""
    limits = [name for name in ("max_tokens", "max_completion_tokens") if name in body]
    effort = body.get("reasoning_effort")
    has_usage = "stream_options" in body
    has_system = body["messages"][0]["role"] == "system"
    return ", ".join(
        (
            f"limit as {' and '.join(limits)}" if limits else "no limit",
            f"effort {effort}" if effort else "no effort",
            "streamed" if body["stream"] else "not streamed",
            "usage asked for" if has_usage else "usage not asked for",
            "system role" if has_system else "instructions in the first question",
        )
    )


@pytest.mark.parametrize("kind", PROVIDERS, ids=lambda kind: kind.__name__)
def test_whole_conversation(kind: type[Provider], certificate: Path) -> None:
    provider = kind()
    with serving(provider, certificate) as talk:
        five_turns(talk, provider)
        failure(talk, provider)
        long_answer(talk)
        stop(talk)
        refusal(talk, provider)
        another_answer(talk)

        nothing_private_is_anywhere(talk, provider)


def five_turns(talk: Conversation, provider: Provider) -> None:
    turns = [talk.ask(f"Question {number}") for number in range(1, 6)]

    assert [turn.text for turn in turns] == [f"Answer number {each}." for each in range(1, 6)]
    assert [turn.end["message"] for turn in turns] == [turn.text for turn in turns]
    assert [turn.tried for turn in turns] == [provider.first_tries, 1, 1, 1, 1]
    assert [turn.charged for turn in turns] == [PROMPT_TOKENS + 4] * 5
    assert shape_of(talk.upstream.asked[-1].body) == provider.takes
    assert {each["status"] for each in talk.stored if each["role"] == "assistant"} == {"complete"}


def failure(talk: Conversation, provider: Provider) -> None:
    failed = talk.ask("Please fail.")

    assert (failed.end["type"], failed.end["code"]) == ("error", provider.fails_as)
    stored = talk.stored[-1]
    if failed.text:
        assert (failed.text, stored["content"], stored["status"]) == ("Half an",) * 2 + ("partial",)
        assert failed.charged >= PROMPT_TOKENS
    else:
        assert (stored["role"], stored.get("status")) != ("assistant", "complete")

    after = talk.ask("And now?")

    assert after.text.startswith("Answer number ")
    assert alternates(talk.upstream.asked[-1].body)
    assert talk.prompt[-1][1].endswith("And now?")


def long_answer(talk: Conversation) -> None:
    turn = talk.ask("At length, please.")

    assert turn.text == "".join(LONG)
    assert (turn.end["type"], turn.end["finishReason"]) == ("done", "length")
    assert turn.charged == PROMPT_TOKENS + len(LONG)
    assert talk.stored[-1]["content"] == "".join(LONG).strip()


def stop(talk: Conversation) -> None:
    turn = talk.ask("Go on and on.", stops=True)

    assert (turn.text, turn.end["type"]) == ("And on", "done")
    assert talk.upstream.left.wait(WITHIN_S)  # nobody pays for what is not read
    stored = talk.stored[-1]
    assert (stored["content"], stored["status"]) == ("And on", "partial")
    assert turn.charged > 2


def refusal(talk: Conversation, provider: Provider) -> None:
    turn = talk.ask("Something forbidden.")

    if provider.filters_as == "content_filter":
        assert (turn.end["type"], turn.end["finishReason"]) == ("done", "content_filter")
        assert turn.end["message"] == talk.stored[-1]["content"] == REFUSAL
    else:
        assert (turn.end["type"], turn.end["code"]) == ("error", provider.filters_as)
        assert (turn.tried, turn.charged) == (1, 0)


def another_answer(talk: Conversation) -> None:
    first = talk.ask("Is that so?", "turn-again")
    prompt, count = talk.prompt, len(talk.stored)

    again = talk.ask("Is that so?", "turn-again", regenerate=True)

    assert again.text == first.text
    assert talk.prompt == prompt  # neither the old answer nor a second question
    assert len(talk.stored) == count
    assert again.charged == PROMPT_TOKENS + 4


def nothing_private_is_anywhere(talk: Conversation, provider: Provider) -> None:
    upstream, log = talk.upstream, talk.server.log()
    shown = json.dumps([talk.shown, talk.stored])
    sent = json.dumps(
        [
            [said for said in request.body["messages"] if said["role"] == "assistant"]
            for request in upstream.asked
        ]
    )
    for thought in THOUGHTS:
        assert thought not in shown
        assert thought not in sent
        assert thought not in log
    for said in (KEY, "Please fail", "forbidden", "on and on", "And now"):
        assert said not in log
    assert {request.host for request in upstream.requests} == {urlsplit(provider.base).hostname}
