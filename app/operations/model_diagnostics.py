"""Whether the model answers as turns ask it, what its server takes, and how to mend the rest."""

import difflib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from app.completion.endings import failure_of_ending, raise_limit
from app.completion.mends import MODEL, of_fallback
from app.completion.model_list import ListedModel
from app.completion.protocol import CompletionModel, Outcome, RemoteModel
from app.domain.conversation import PromptMessage
from app.domain.errors import (
    ModelFailure,
    ModelInterrupted,
    ModelRateLimited,
    ModelRefused,
    ModelTimeout,
    ModelUnavailable,
    ServiceError,
    mend_of,
)
from app.domain.shutdowns import advise_shutdown, describe_shutdown, known_shutdown
from app.operations.diagnostics import Finding, reason_of
from app.settings import AssistantSettings

_QUESTION = "This is a test of the connection. Please answer with one word: hello."
# Who does not keep to the one word is stopped here.
_MAX_CHARS = 400
_MAX_NAMES = 5
_SLOW_S = 10.0
_RESPONSES_ONLY = "v1/responses"


@dataclass(slots=True)
class _Trial:
    """What came of one question."""

    said: str = ""
    first_s: float | None = None
    reason: str | None = None
    outcome: Outcome = field(default_factory=Outcome)
    failure: ServiceError | None = None
    begun_at: float = field(default_factory=time.monotonic)

    def receive(self, deltas: Sequence[str]) -> bool:
        """Note what was said, until it is enough."""
        if self.first_s is None:
            self.first_s = time.monotonic() - self.begun_at
        self.said += "".join(deltas)
        return len(self.said) < _MAX_CHARS

    @property
    def ran_out(self) -> bool:
        """Whether it thought until it was cut off."""
        return isinstance(self.failure, ModelInterrupted) and self.failure.ran_out


def check_model(
    model: CompletionModel, assistant: AssistantSettings, today: date
) -> Iterator[Finding]:
    """Ask the model as a turn does, and its server for what it knows of it."""
    if not assistant.model.is_real:
        yield Finding(
            "warning", "Model", "the built-in demo answers", "Set OPENAI_API_KEY for a real one."
        )
        return
    listed = _list(model)
    name, url = assistant.model.name, assistant.model.url
    yield from _check_answer("Model", model, name, assistant, listed)
    yield from _check_shutdown(name, url, listed, today)


def check_fallback(
    model: CompletionModel, assistant: AssistantSettings, today: date
) -> Iterator[Finding]:
    """Ask the model that answers where the first one does not."""
    name, listed = assistant.model.fallback_name or "", _list(model)
    found = [
        *_check_answer("Fallback", model, name, assistant, listed),
        *_check_shutdown(name, assistant.model.fallback_url, listed, today),
    ]
    for each in found:
        yield replace(each, what=of_fallback(each.what), advice=of_fallback(each.advice))


def _list(model: CompletionModel) -> Sequence[ListedModel]:
    if not isinstance(model, RemoteModel):
        return ()
    try:
        return model.list_models()
    except ModelFailure:  # the question tells better why
        return ()


def _check_answer(
    what: str,
    model: CompletionModel,
    name: str,
    assistant: AssistantSettings,
    listed: Sequence[ListedModel],
) -> Iterator[Finding]:
    trial = _try(model, assistant, None)
    again = None
    if trial.ran_out:
        again = _try(model, assistant, raise_limit(assistant.turns.max_output_tokens))
    last = again or trial
    if last.failure is not None:
        yield Finding(
            "bad", what, f"{name}: {reason_of(last.failure)}", _advise(last.failure, name, listed)
        )
        return
    yield _describe_answer(what, last, name)
    if again is not None:
        yield Finding(
            "warning",
            what,
            "thought until MAX_OUTPUT_TOKENS was spent, and was asked once more",
            "Set OPENAI_REASONING_EFFORT=none, or raise MAX_OUTPUT_TOKENS: "
            "until then each answer is paid twice.",
        )
    if isinstance(model, RemoteModel):
        usage = "usage told" if last.outcome.usage else "usage estimated, for it is not told"
        yield Finding("good", "Request", f"{model.learnt}; {usage}")


def _try(model: CompletionModel, assistant: AssistantSettings, second_limit: int | None) -> _Trial:
    prompt = [
        PromptMessage("system", assistant.turns.system_prompt),
        PromptMessage("user", _QUESTION),
    ]
    trial = _Trial()
    try:
        # Some models ask at once, and some when the context is entered.
        with model.stream(prompt, second_limit=second_limit) as completion:
            has_ended = completion.relay(trial.receive)
            trial.outcome = outcome = completion.outcome
            trial.reason = outcome.finish_reason if has_ended else None
    except ServiceError as error:
        trial.failure = error
        return trial
    has_said = bool(trial.said.strip() or outcome.refusal)
    if trial.reason is not None:
        trial.failure = failure_of_ending(trial.reason, has_said=has_said, usage=outcome.usage)
    if not has_said and trial.failure is None:
        trial.failure = ModelInterrupted(f"it says nothing, and ends with {trial.reason}")
    return trial


def _describe_answer(what: str, trial: _Trial, name: str) -> Finding:
    said = trial.outcome.model or name
    if trial.first_s is None:
        return Finding("warning", what, f"{said} refuses to say hello", "Look at SYSTEM_PROMPT.")
    told = f"{said} says its first word in {round(trial.first_s * 1000)} ms"
    usage = trial.outcome.usage
    thoughts = (usage and usage.reasoning_tokens) or 0
    if thoughts:
        told += f", after {thoughts} tokens of thoughts"
    if trial.first_s < _SLOW_S:
        return Finding("good", what, told)
    advice = "Visitors wait for it: OPENAI_REASONING_EFFORT=none, a smaller model, or a warm one."
    return Finding("warning", what, told, advice)


def _check_shutdown(
    name: str, url: str, listed: Sequence[ListedModel], today: date
) -> Iterator[Finding]:
    told = next((each.shutdown for each in listed if each.name == name), None)
    notice = describe_shutdown(name, told or known_shutdown(name, url), today)
    if notice is not None:
        yield Finding("warning", "OPENAI_MODEL", notice, advise_shutdown())


def _advise(failure: ServiceError, name: str, listed: Sequence[ListedModel]) -> str:
    mend, names = mend_of(failure), [each.name for each in listed]
    if _RESPONSES_ONLY in reason_of(failure):
        return "Name a model of the chat completions: this one answers elsewhere only."
    if MODEL in mend and names and name not in names:
        near = difflib.get_close_matches(name, names, _MAX_NAMES, 0.4) or names[:_MAX_NAMES]
        return (
            f"Its server does not list it. Set OPENAI_MODEL to one that it has: {', '.join(near)}"
        )
    if isinstance(failure, ModelInterrupted) and failure.ran_out:
        return "Set OPENAI_REASONING_EFFORT=none, or raise MAX_OUTPUT_TOKENS."
    if mend:
        return f"Check {mend}."
    return next(
        (advice for kind, advice in _ADVICE.items() if isinstance(failure, kind)),
        "Check OPENAI_API_KEY, OPENAI_MODEL, OPENAI_BASE_URL and the account's credit.",
    )


_ADVICE: dict[type[ServiceError], str] = {
    ModelTimeout: (
        "Raise MODEL_FIRST_TOKEN_TIMEOUT_S where the model loads or thinks for longer; else see "
        "whether its server works."
    ),
    ModelUnavailable: (
        "Check OPENAI_BASE_URL and whether its server runs; from a container, localhost is the "
        "container itself."
    ),
    ModelRateLimited: "Wait, or raise the account's limits at the provider.",
    ModelRefused: (
        "See docs/models.md for what this provider wants: OPENAI_EXTRA_BODY changes the request."
    ),
}
