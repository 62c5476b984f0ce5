"""The breaker: when it opens, for how long, and what closes it."""

import logging

import pytest

from app.completion.breaker import Breaker, BreakerModel
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
    ProviderError,
)
from app.settings import BreakerPolicy
from tests.clock import Clock
from tests.fakes import ScriptedModel

POLICY = BreakerPolicy(failures=3, pause_s=10, owner_pause_s=120)
PROMPT = [PromptMessage("user", "Hello")]


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(POLICY, clock)


@pytest.fixture
def guarded(model: ScriptedModel, breaker: Breaker) -> BreakerModel:
    return BreakerModel(model, breaker)


def ask(model: BreakerModel, question: str = "Hello") -> str:
    """Return what the model says, or the code of its failure."""
    said: list[str] = []

    def receive(deltas: object) -> bool:
        said.extend(deltas)  # type: ignore[call-overload]
        return True

    try:
        with model.stream([PromptMessage("user", question)]) as completion:
            while not completion.relay(receive):
                pass
    except ModelFailure as failure:
        return failure.code
    return "".join(said)


def fail(breaker: Breaker, failure: ModelFailure | None = None, times: int = 3) -> None:
    for _ in range(times):
        breaker.fail(failure or ModelUnavailable())


def test_it_opens_after_failures_in_a_row_and_asks_nobody(
    model: ScriptedModel, guarded: BreakerModel, breaker: Breaker
) -> None:
    model.script(ModelUnavailable())

    codes = [ask(guarded) for _ in range(5)]

    assert codes == ["model_unavailable"] * 3 + ["model_paused"] * 2
    assert (breaker.state, breaker.opened, len(model.prompts)) == ("open", 1, 3)


def test_an_answer_between_failures_keeps_it_closed(breaker: Breaker) -> None:
    for _ in range(5):
        fail(breaker, times=2)
        breaker.succeed()

    breaker.check()
    assert breaker.state == "closed"


def test_refused_visitor_hears_when_to_come_back(breaker: Breaker, clock: Clock) -> None:
    fail(breaker)
    clock.advance(4)

    with pytest.raises(ModelPaused) as paused:
        breaker.check()

    assert paused.value.retry_after_s == 6
    assert paused.value.is_free


def test_what_only_the_owner_can_mend_opens_it_for_longer(breaker: Breaker) -> None:
    fail(breaker, ModelMisconfigured())

    with pytest.raises(ModelPaused) as paused:
        breaker.check()

    assert paused.value.retry_after_s == 120


def test_providers_wish_is_obeyed_within_bounds(breaker: Breaker) -> None:
    fail(breaker, ModelRateLimited(retry_after_s=30))
    with pytest.raises(ModelPaused) as paused:
        breaker.check()
    assert paused.value.retry_after_s == 30

    other = Breaker(POLICY, Clock())
    fail(other, ModelRateLimited(retry_after_s=3600))
    with pytest.raises(ModelPaused) as paused:
        other.check()
    assert paused.value.retry_after_s == 80


def test_after_the_pause_one_probe_is_let_through(breaker: Breaker, clock: Clock) -> None:
    fail(breaker)
    clock.advance(10)
    breaker.check()
    is_probe = breaker.enter()

    with pytest.raises(ModelPaused) as paused:
        breaker.enter()

    assert (is_probe, breaker.state, paused.value.retry_after_s) == (True, "probing", 1)


def test_probe_that_is_answered_closes_it(
    model: ScriptedModel, guarded: BreakerModel, breaker: Breaker, clock: Clock
) -> None:
    fail(breaker)
    clock.advance(10)
    model.script("Hello", " again")

    assert [ask(guarded), ask(guarded)] == ["Hello again"] * 2
    assert breaker.state == "closed"


@pytest.mark.parametrize("failures", [2, 3])
def test_first_word_is_enough_of_an_answer(
    model: ScriptedModel, guarded: BreakerModel, breaker: Breaker, clock: Clock, failures: int
) -> None:
    fail(breaker, times=failures)
    clock.advance(10)
    seen: list[tuple[str, bool]] = []

    def receive(_deltas: object) -> bool:
        seen.append((breaker.state, breaker.is_calm))
        return True

    with guarded.stream(PROMPT) as completion:
        completion.relay(receive)

    assert seen == [("closed", True)] * 2


@pytest.mark.parametrize("words", [[], ["Half"]])
def test_failures_that_others_meet_meanwhile_are_outweighed_by_a_word(
    model: ScriptedModel, guarded: BreakerModel, breaker: Breaker, words: list[str]
) -> None:
    model.script(*words, ModelInterrupted())

    with guarded.stream(PROMPT) as completion:
        fail(breaker, times=1)
        with pytest.raises(ModelInterrupted):
            completion.relay(lambda _deltas: True)

    assert breaker.is_calm is bool(words)


def test_failed_probes_double_the_pause_up_to_a_bound(
    model: ScriptedModel, guarded: BreakerModel, breaker: Breaker, clock: Clock
) -> None:
    model.script(ModelTimeout())
    fail(breaker)
    pauses_s = []
    for _ in range(6):
        with pytest.raises(ModelPaused) as paused:
            breaker.check()
        pauses_s.append(paused.value.retry_after_s)
        clock.advance(paused.value.retry_after_s or 0)
        assert ask(guarded) == "model_timeout"

    assert pauses_s == [10, 20, 40, 80, 80, 80]


def test_probe_whose_visitor_left_makes_room_for_the_next(
    guarded: BreakerModel, breaker: Breaker, clock: Clock
) -> None:
    fail(breaker)
    clock.advance(10)

    with guarded.stream(PROMPT):
        pass

    breaker.check()
    assert breaker.state == "probing"


def test_probe_that_never_ends_keeps_nobody_out(breaker: Breaker, clock: Clock) -> None:
    fail(breaker)
    clock.advance(10)
    breaker.enter()

    clock.advance(30)

    assert breaker.enter()


def test_answer_that_broke_off_is_no_failure(
    model: ScriptedModel, guarded: BreakerModel, breaker: Breaker
) -> None:
    model.script("Well", ModelInterrupted())

    assert [ask(guarded) for _ in range(5)] == ["model_interrupted"] * 5
    assert breaker.state == "closed"


@pytest.mark.parametrize("start", [None, ModelTimeout()])
def test_model_that_is_slow_to_begin_shuts_nobody_out(
    model: ScriptedModel, guarded: BreakerModel, breaker: Breaker, start: Exception | None
) -> None:
    model.script(ModelTimeout(), start=start)

    for _ in range(10):
        ask(guarded)

    assert breaker.state == "closed"


def test_slow_start_does_not_hide_failures_around_it(
    model: ScriptedModel, guarded: BreakerModel, breaker: Breaker
) -> None:
    fail(breaker, times=2)
    model.script(ModelTimeout())
    ask(guarded)
    model.script(ModelUnavailable())
    ask(guarded)

    assert breaker.state == "open"


def test_timeout_that_the_provider_tells_is_a_failure(
    model: ScriptedModel, guarded: BreakerModel, breaker: Breaker
) -> None:
    told = ModelTimeout()
    told.provider = ProviderError(status=408)
    model.script(start=told)

    for _ in range(3):
        ask(guarded)

    assert breaker.state == "open"


def test_model_that_only_thought_is_asked_again_and_then_counted(
    model: ScriptedModel, guarded: BreakerModel, breaker: Breaker
) -> None:
    failure = ModelInterrupted()
    failure.ran_out = True
    model.script(start=failure)

    for _ in range(10):
        ask(guarded)

    assert breaker.is_calm
    for _ in range(3):
        with pytest.raises(ModelInterrupted):
            guarded.stream(PROMPT, second_limit=4096).__enter__()
    assert breaker.state == "open"


def test_prompt_that_is_refused_shows_that_the_model_is_there(
    model: ScriptedModel, guarded: BreakerModel, breaker: Breaker
) -> None:
    fail(breaker, times=2)
    model.script(ModelRefused())

    assert ask(guarded) == "model_refused"
    fail(breaker, times=2)
    assert breaker.state == "closed"


def unexplained(cause: str = "400: Bad request") -> ModelRefused:
    refused = ModelRefused()
    refused.is_explained, refused.cause = False, cause
    return refused


def test_refusal_without_a_reason_neither_fails_nor_succeeds(
    model: ScriptedModel, guarded: BreakerModel, breaker: Breaker
) -> None:
    fail(breaker, times=2)
    model.script(unexplained())

    assert ask(guarded) == "model_refused"
    assert breaker.state == "closed"
    fail(breaker, times=1)
    assert breaker.state == "open"


def test_refusals_of_one_question_after_the_other_are_the_owners_trouble(
    model: ScriptedModel, guarded: BreakerModel, breaker: Breaker
) -> None:
    model.script(start=unexplained("400: Conversation roles must alternate"))

    codes = [ask(guarded, f"Question {number}") for number in range(6)]

    assert codes == ["model_refused"] * 5 + ["model_misconfigured"]
    assert breaker.trouble == (
        "400: Conversation roles must alternate. "
        "Check OPENAI_MODEL, SYSTEM_PROMPT and OPENAI_EXTRA_BODY"
    )


def test_one_question_again_and_again_says_nothing_of_others(
    model: ScriptedModel, guarded: BreakerModel, breaker: Breaker
) -> None:
    model.script(unexplained())

    assert [ask(guarded) for _ in range(20)] == ["model_refused"] * 20
    assert (breaker.state, breaker.trouble) == ("closed", None)


def test_an_answer_between_refusals_shows_that_requests_are_well_made(
    model: ScriptedModel, guarded: BreakerModel
) -> None:
    codes = []
    for number in range(10):
        model.script(unexplained() if number % 3 else "Yes")
        codes.append(ask(guarded, f"Question {number}"))

    assert codes == [("model_refused" if number % 3 else "Yes") for number in range(10)]


def test_probe_that_is_refused_without_a_reason_leaves_it_open(
    model: ScriptedModel, guarded: BreakerModel, breaker: Breaker, clock: Clock
) -> None:
    fail(breaker)
    clock.advance(10)
    model.script(unexplained())

    assert ask(guarded) == "model_refused"
    assert breaker.state == "open"


def test_trouble_of_the_owner_is_told_until_the_model_answers(breaker: Breaker) -> None:
    failure = ModelMisconfigured()
    failure.cause = "404: no such model"

    breaker.fail(failure)
    breaker.fail(ModelUnavailable())
    assert breaker.trouble == "404: no such model"

    breaker.succeed()
    assert breaker.trouble is None


def test_nought_failures_is_never(clock: Clock) -> None:
    breaker = Breaker(BreakerPolicy(failures=0), clock)

    fail(breaker, times=1000)

    breaker.check()


def test_log_says_why_it_opened_and_when_it_closed(
    breaker: Breaker, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "app.completion.breaker")
    failure = ModelMisconfigured()
    failure.cause = "401, invalid_api_key: Incorrect API key provided"

    fail(breaker, failure, times=4)
    breaker.succeed()

    assert [record.getMessage() for record in caplog.records] == [
        (
            "The model failed 3 times in a row, the last time with model_misconfigured "
            "(401, invalid_api_key: Incorrect API key provided): it is not asked for 120 s"
        ),
        "The model answers again",
    ]


def test_an_owner_hears_of_what_is_theirs_to_mend_and_of_nothing_else(clock: Clock) -> None:
    told: list[str] = []
    breaker = Breaker(POLICY, clock, lambda: told.append("failing"))

    for _ in range(3):
        breaker.fail(ModelUnavailable())
    assert (breaker.opened, told) == (1, [])

    breaker.succeed()
    for _ in range(5):
        breaker.fail(ModelMisconfigured())
    assert (breaker.opened, told) == (2, ["failing"])
