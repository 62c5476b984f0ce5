"""The second model: when it is asked, who is said to have answered, and what it costs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from app.completion.breaker import Breaker, BreakerModel
from app.completion.fallback import FallbackModel, check_both
from app.domain.conversation import PromptMessage
from app.domain.errors import (
    ModelFailure,
    ModelInterrupted,
    ModelMisconfigured,
    ModelPaused,
    ModelRateLimited,
    ModelRefused,
    ModelTimeout,
    ModelUnavailable,
)
from app.factory import Parts, create_app
from app.limits.estimate import Tokenizer
from app.settings import BreakerPolicy
from app.storage.protocol import ConversationStore
from tests.data import WIDGET_KEY, some_settings
from tests.fakes import ScriptedModel
from tests.servers.upstream import Upstream, refused_url

PROMPT = [PromptMessage("user", "Hello")]
TURNS_TO_OTHER = [
    ModelUnavailable,
    ModelTimeout,
    ModelRateLimited,
    ModelMisconfigured,
    ModelInterrupted,
    ModelPaused,
]


@pytest.fixture
def other() -> ScriptedModel:
    other = ScriptedModel()
    other.script("Good", " day")
    return other


@pytest.fixture
def both(model: ScriptedModel, other: ScriptedModel) -> FallbackModel:
    return FallbackModel(model, other, "m-2")


class Told:
    """What came of one question."""

    def __init__(self, model: FallbackModel) -> None:
        self.said = ""
        self.failure: ModelFailure | None = None
        self.model: str | None = None
        self.first_failure: ModelFailure | None = None
        try:
            with model.stream(PROMPT) as completion:
                try:
                    while not completion.relay(self._receive):
                        pass
                finally:
                    self.model = completion.outcome.model
                    self.first_failure = completion.outcome.first_failure
        except ModelFailure as failure:
            self.failure = failure

    def _receive(self, deltas: Sequence[str]) -> bool:
        self.said += "".join(deltas)
        return True


@pytest.mark.parametrize("where", ["start", "before a word"])
@pytest.mark.parametrize("kind", TURNS_TO_OTHER)
def test_other_answers_where_the_first_does_not_begin(
    model: ScriptedModel,
    other: ScriptedModel,
    both: FallbackModel,
    kind: type[ModelFailure],
    where: str,
) -> None:
    if where == "start":
        model.script(start=kind())
    else:
        model.script(kind())

    told = Told(both)

    assert (told.said, told.failure) == ("Good day", None)
    assert isinstance(told.first_failure, kind)
    assert (len(model.prompts), other.prompts) == (1, [PROMPT])
    assert (model.open_count, other.open_count) == (0, 0)


def test_next_question_is_the_firsts_again(model: ScriptedModel, both: FallbackModel) -> None:
    model.script(start=ModelUnavailable())
    Told(both)
    model.script("Hello")

    told = Told(both)

    assert (told.said, told.first_failure) == ("Hello", None)


def test_nobody_else_is_asked_after_the_first_word(
    model: ScriptedModel, other: ScriptedModel, both: FallbackModel
) -> None:
    model.script("Half", ModelUnavailable())

    told = Told(both)

    assert (told.said, type(told.failure), other.prompts) == ("Half", ModelUnavailable, [])


def ran_out() -> ModelFailure:
    failure = ModelInterrupted()
    failure.ran_out = True
    return failure


@pytest.mark.parametrize("failure", [ModelRefused(), ran_out()], ids=["refused", "ran out"])
def test_message_that_is_refused_is_asked_nobody_else(
    model: ScriptedModel, other: ScriptedModel, both: FallbackModel, failure: ModelFailure
) -> None:
    model.script(start=failure)

    assert Told(both).failure is failure
    assert other.prompts == []


@pytest.mark.parametrize("where", ["start", "before a word"])
def test_where_both_fail_it_is_the_firsts_failure_and_both_are_told(
    model: ScriptedModel, other: ScriptedModel, both: FallbackModel, where: str
) -> None:
    first, second = ModelTimeout(), ModelMisconfigured()
    first.cause, second.cause, second.mend = "silence", "401", "OPENAI_API_KEY"
    model.script(start=first)
    if where == "start":
        other.script(start=second)
    else:
        other.script(second)

    failure = Told(both).failure

    assert failure is first
    assert first.cause == "silence; OPENAI_FALLBACK_MODEL: 401"
    assert first.mend == "OPENAI_FALLBACK_API_KEY"
    assert [type(each) for each in first.attempts] == [ModelTimeout, ModelMisconfigured]


def test_message_that_the_other_refuses_is_refused(
    model: ScriptedModel, other: ScriptedModel, both: FallbackModel
) -> None:
    first, second = ModelTimeout(), ModelRefused()
    model.script(start=first)
    other.script(start=second)

    failure = Told(both).failure

    assert failure is second
    assert failure.attempts == (first, second)


def test_one_that_is_left_alone_is_not_asked(model: ScriptedModel, other: ScriptedModel) -> None:
    breaker, spare = Breaker(BreakerPolicy(failures=1)), Breaker(BreakerPolicy(failures=1))
    both = FallbackModel(BreakerModel(model, breaker), BreakerModel(other, spare), "m-2")
    check = check_both(breaker, spare)
    breaker.fail(ModelUnavailable())

    check()

    assert Told(both).said == "Good day"
    assert model.prompts == []
    spare.fail(ModelUnavailable())
    with pytest.raises(ModelPaused):
        check()


# Over sockets, with a store


class Service:
    """An application over two servers."""

    def __init__(self, store: ConversationStore, directory: Path, **variables: str) -> None:
        self._store = store
        settings = some_settings(
            **{
                "SQLITE_PATH": str(directory / "chat.db"),
                "SPOOL_PATH": str(directory / "spool"),
                "WIDGET_API_KEY": WIDGET_KEY,
                "OPENAI_API_KEY": "sk-of-the-first",
                "OPENAI_MODEL": "m-1",
                "OPENAI_FALLBACK_MODEL": "m-2",
                "OPENAI_FALLBACK_API_KEY": "sk-of-the-second",
                "MAX_OUTPUT_TOKENS": "100",
                "MODEL_FIRST_TOKEN_TIMEOUT_S": "1",
                **variables,
            }
        )
        app = create_app(settings, Parts(store=store))
        self.meter = app.extensions["perch"].assistants.default.meter
        self._client = app.test_client()

    def ask(self) -> Any:
        body = {"sessionId": "s-1", "message": "Hello"}
        headers = {"x-api-key": WIDGET_KEY}
        return self._client.post("/v1/chat", json=body, headers=headers, buffered=True).json

    @property
    def answer(self) -> tuple[str, str | None]:
        """Return what is stored of the last answer: its words and its model."""
        (conversation,) = self._store.list_conversations(limit=2).conversations
        thread = self._store.read_thread(conversation.id)
        assert thread is not None
        return thread.messages[-1].content, thread.messages[-1].model

    @property
    def charged(self) -> int:
        days = self._store.read_figures("0001-01-01", "9999-12-31")
        return sum(day.charged_tokens for day in days)


@pytest.fixture
def upstream() -> Any:
    with Upstream() as upstream:
        yield upstream


def asked(upstream: Upstream) -> list[tuple[str, str]]:
    return [(each.body["model"], each.headers["authorization"]) for each in upstream.requests]


@pytest.mark.slow
@pytest.mark.parametrize("url", ["own", "shared"])
def test_who_answered_is_stored_and_only_that_is_paid(
    store: ConversationStore, tmp_path: Path, upstream: Upstream, url: str
) -> None:
    more: dict[str, str] = {}
    with refused_url() as nowhere:
        if url == "own":
            more = {"OPENAI_BASE_URL": nowhere, "OPENAI_FALLBACK_BASE_URL": upstream.url}
        else:
            more = {"OPENAI_BASE_URL": upstream.url}
            upstream.next(status=401, code="invalid_api_key")
        service = Service(store, tmp_path, **more)
        answer = service.ask()

    assert "message" in answer
    assert asked(upstream)[-1] == ("m-2", "Bearer sk-of-the-second")
    assert service.answer == (answer["message"], "gpt-4.1-mini-2025-04-14")
    assert service.charged == 29  # what the second one told: 24 and 5


@pytest.mark.slow
def test_first_model_that_may_have_thought_is_paid_too(
    store: ConversationStore, tmp_path: Path, upstream: Upstream
) -> None:
    upstream.next(fault="hang")
    service = Service(store, tmp_path, OPENAI_BASE_URL=upstream.url)

    answer = service.ask()

    assert "message" in answer
    assert service.charged > 29 + 100


@pytest.mark.slow
@pytest.mark.parametrize(
    ("first", "second", "tokenizer"),
    [
        ("gpt-6-luna", "gpt-4.1-mini", Tokenizer.O200K),
        ("gpt-6-luna", "gpt-4-turbo", Tokenizer.OPENAI),
        ("gpt-6-luna", "claude-haiku-4-5", Tokenizer.ANY),
        ("qwen3:8b", "gpt-6-luna", Tokenizer.ANY),
    ],
)
def test_prompts_are_bounded_for_whoever_is_asked(
    store: ConversationStore, tmp_path: Path, first: str, second: str, tokenizer: Tokenizer
) -> None:
    service = Service(store, tmp_path, OPENAI_MODEL=first, OPENAI_FALLBACK_MODEL=second)

    assert service.meter.tokenizer is tokenizer
