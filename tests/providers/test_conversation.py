"""Each provider of docs/models.md through a whole conversation with a running server."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.providers import find_providers
from tests.providers.conversation import Conversation, serving
from tests.providers.provider import KEY, LONG, Provider, alternates

pytestmark = [pytest.mark.live, pytest.mark.sqlite]

WITHIN_S = 10.0
PROVIDERS = find_providers()
# What the providers' models think, in whatever shape they tell it.
THOUGHTS = ("visitor", "think>")
REFUSAL = "I can't help with that."
PROMPT_TOKENS = 20


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


@pytest.mark.parametrize("kind", PROVIDERS, ids=[kind.__name__ for kind in PROVIDERS])
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
