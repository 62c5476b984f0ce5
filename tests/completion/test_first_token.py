"""How long a model may be silent: longer before its first word than behind it."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from app.completion.openai.model import OpenAIModel, OpenAIOptions
from app.domain.conversation import PromptMessage
from app.domain.errors import ModelTimeout
from tests.servers.upstream import Upstream
from tests.servers.upstream_script import Script

pytestmark = pytest.mark.slow  # each waits for a silence to end

PROMPT = [PromptMessage("user", "Hello")]
SHORT_S, LONG_S = 0.2, 20.0
PAUSE_MS = 500


@pytest.fixture(scope="module")
def module_upstream() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


@pytest.fixture
def upstream(module_upstream: Upstream) -> Upstream:
    module_upstream.reset()
    return module_upstream


def ask(upstream: Upstream, first_s: float | None, read_s: float, said: list[str]) -> None:
    """Ask a model with these two patiences; ``said`` takes what it says."""
    options = OpenAIOptions(
        api_key="sk-of-the-unit-tests",
        model="m-1",
        base_url=upstream.url,
        first_token_timeout_s=first_s,
        read_timeout_s=read_s,
    )

    def receive(deltas: Any) -> bool:
        said.extend(deltas)
        return True

    with closing(OpenAIModel(options)) as model, model.stream(PROMPT) as completion:
        while not completion.relay(receive):
            pass


@pytest.mark.parametrize("script", [{"head_ms": PAUSE_MS}, {"first_ms": PAUSE_MS}], ids=str)
def test_model_may_think_before_its_first_word(upstream: Upstream, script: dict[str, Any]) -> None:
    upstream.script(**script)
    said: list[str] = []

    ask(upstream, LONG_S, SHORT_S, said)

    assert tuple(said) == Script().deltas


@pytest.mark.parametrize(
    "script",
    [
        {"fault": "hang"},
        {"fault": "hang_headers"},
        {"fault": "hang_body"},
        {"fault": "stall", "at": 0},
    ],
    ids=str,
)
def test_first_word_that_does_not_come_is_a_timeout(
    upstream: Upstream, script: dict[str, Any]
) -> None:
    upstream.script(**script)
    said: list[str] = []

    with pytest.raises(ModelTimeout):
        ask(upstream, SHORT_S, LONG_S, said)

    assert said == []
    assert len(upstream.requests) == 1  # it may be thinking: it is not asked twice


@pytest.mark.parametrize("first_s", [LONG_S, None])
def test_silence_behind_the_first_word_is_a_timeout(
    upstream: Upstream, first_s: float | None
) -> None:
    upstream.script(fault="stall", at=2)
    said: list[str] = []

    with pytest.raises(ModelTimeout):
        ask(upstream, first_s, SHORT_S, said)

    assert tuple(said) == Script().deltas[:2]


def test_without_a_longer_one_the_same_patience_holds_before_the_first_word(
    upstream: Upstream,
) -> None:
    upstream.script(fault="hang_body")

    with pytest.raises(ModelTimeout):
        ask(upstream, None, SHORT_S, [])
