"""The shape of a request, and what a server's refusal teaches about it.

Servers that claim one API take different requests. What one refuses by name
is changed, one field at a time, until the server takes the request.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from app.domain.conversation import PromptMessage
from app.domain.errors import ProviderError

OLD_LIMIT, NEW_LIMIT = "max_tokens", "max_completion_tokens"
EFFORT, NO_EFFORT = "reasoning_effort", "none"

_STATUSES = (400, 422)
_TEMPLATE_STATUS = 500
# Of a path to what is wrong; some write that there is none as Python or JavaScript does.
_NO_STEPS = ("", "body", "None", "none", "null", "undefined")
# From the least thinking to the most; a server that refuses one names others.
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_find_effort = re.compile(rf"(?<![\w-])({'|'.join(_EFFORTS)})(?![\w-])", re.IGNORECASE).findall
# What follows tells what the server would take.
_find_supported = re.compile(
    r"(?:supported values|supports?|expected|valid values|allowed|must be|should be|one of)\W.*",
    re.IGNORECASE | re.DOTALL,
).search
_says_amount = re.compile(
    r"\btoo (?:large|high|big|many|small|low)\b|\bat (?:most|least)\b|\bexceed"
    r"|\b(?:maxi|mini)mum\b"
    r"|\b(?:less|greater|more|fewer|smaller|larger) than\b|\bbetween\b|\brange\b|[<>]=?"
).search
_says_field = re.compile(
    r"\bunsupported parameter|\bnot supported\b|\binstead\b|\bun(?:known|recogni[sz]ed|expected)\b"
    r"|\bnot permitted\b|\bextra (?:inputs|fields)\b|\bcannot find field\b"
).search
_SENTENCES = {
    "stream_options": re.compile(r"(?<!\w)stream[_ ]options?(?!\w)|(?<!\w)include_usage(?!\w)"),
    "stream": re.compile(r"(?<!\w)(?:stream|streaming|streamed)(?!\w|[_ ]option)"),
    "system": re.compile(
        r"(?<!\w)(?:system|developer)['\"`]? (?:role|message|prompt|instruction)s?(?!\w)"
        r"|(?<!\w)roles? ?[:=]?(?: name)? ?['\"`]?system(?!\w)"
        r"|(?<!\w)only ['\"`]?user['\"`]?,? (?:and|or) ['\"`]?(?:assistant|model)['\"`]?"
        r"|(?<!\w)roles must alternate"
        r"|(?<!\w)unexpected role['\"`: ]+system"
        r"|\.role['\"`]?.{0,40}(?<!\w)system(?!\w)"
        r"|\.role['\"`]?.{0,40}(?<!\w)user\W{1,5}(?:(?:and|or)\W{1,3})?assistant(?!\w)"
        r"|(?<!\w)first message must be (?:from )?(?:an? |the )?['\"`]?user(?!\w)"
    ),
    EFFORT: re.compile(
        r"(?<!\w)reasoning[_. ]?effort(?!\w)|does not support (?:thinking|reasoning)(?!\w)"
    ),
    OLD_LIMIT: re.compile(r"(?<!\w)max_tokens(?!\w)"),
    NEW_LIMIT: re.compile(r"(?<!\w)max_completion_tokens(?!\w)"),
}


@dataclass(frozen=True, slots=True)
class RequestShape:
    """What a request is made of; ``refused`` are the fields that the server did not take."""

    limit_name: str | None = OLD_LIMIT
    effort: str | None = None
    asks_usage: bool = True
    streams: bool = True
    has_system: bool = True
    refused: frozenset[str] = frozenset()

    def body(
        self,
        model: str,
        prompt: Sequence[PromptMessage],
        limit: int,
        extra: Mapping[str, Any],
    ) -> bytes:
        """Return the request's body, the owner's ``extra`` fields last."""
        said = prompt if self.has_system else _fold(prompt)
        fields: dict[str, Any] = {
            "model": model,
            "messages": [{"role": each.role, "content": each.content} for each in said],
            "stream": self.streams,
        }
        if self.streams and self.asks_usage:
            fields["stream_options"] = {"include_usage": True}
        if self.limit_name and not {OLD_LIMIT, NEW_LIMIT} & set(extra):
            fields[self.limit_name] = limit
        if self.effort:
            fields[EFFORT] = self.effort
        return orjson.dumps({**fields, **extra})

    def in_words(self) -> str:
        """Return what a request has, in one line for the owner."""
        return ", ".join(
            (
                f"limit as {self.limit_name}" if self.limit_name else "no limit",
                f"effort {self.effort}" if self.effort else "no effort",
                "streamed" if self.streams else "not streamed",
                "usage asked for" if self.streams and self.asks_usage else "usage not asked for",
                "system role" if self.has_system else "instructions in the first question",
            )
        )


def next_shape(
    shape: RequestShape, error: ProviderError, extra: Mapping[str, Any]
) -> RequestShape | None:
    """Return the shape without what a server refused of it; ``None`` where it refused nothing.

    Fields of the owner's (``extra``) are never changed, nor is a limit left out
    because it is too high: nothing else bounds the bill. Each step refuses one
    thing more, so that the steps end.
    """
    field = find_refused(error, [name for name in _sent(shape) if name not in extra])
    if field is None or (field in (OLD_LIMIT, NEW_LIMIT) and _is_about_amount(error.message)):
        return None
    gone = replace(shape, refused=shape.refused | {field})
    if field == "stream_options":
        return replace(gone, asks_usage=False)
    if field == "stream":
        return replace(gone, streams=False)
    if field == "system":
        return replace(gone, has_system=False)
    if field == EFFORT:
        return replace(gone, effort=_next_effort(shape, error.message))
    other = NEW_LIMIT if field == OLD_LIMIT else OLD_LIMIT
    return replace(gone, limit_name=None if other in shape.refused else other)


def find_refused(error: ProviderError, names: Sequence[str]) -> str | None:
    """Return which of these fields a server's refusal is about."""
    if error.status == _TEMPLATE_STATUS:
        names = [name for name in names if name == "system"]
    elif error.status not in _STATUSES:
        return None
    for path in (error.param, ".".join(error.loc)):
        steps = [step for step in re.split(r"[.\[\]]+", path) if step not in _NO_STEPS]
        if not steps:
            continue
        if steps[0] == "messages":
            is_role = steps[-1] == "role" or _SENTENCES["system"].search(error.message.lower())
            return "system" if is_role and "system" in names else None
        said = {*steps[:2], "_".join(steps[:2])}
        found = next((name for name in names if name in said), None)
        if found is not None or path == error.param:
            return found
    message = error.message.lower()
    places = {name: at for name in names if (at := _place(message, name)) is not None}
    return min(places, key=places.__getitem__) if places else None


def describe_change(before: RequestShape, after: RequestShape) -> Iterator[str]:
    """Yield a sentence for each thing that was learnt, with the setting that it concerns."""
    if before.limit_name != after.limit_name:
        sent = f"it is sent as {after.limit_name}" if after.limit_name else "it is not sent"
        yield f"The model's server does not take {before.limit_name}: MAX_OUTPUT_TOKENS, {sent}"
    if before.effort != after.effort:
        sent = f"{after.effort} is sent" if after.effort else "none is sent"
        yield (
            f"The model's server does not take reasoning_effort {before.effort}: {sent}. "
            "OPENAI_REASONING_EFFORT sets it"
        )
    if before.asks_usage and not after.asks_usage:
        yield (
            "The model's server does not take stream_options: the usage that "
            "BUDGET_TOKENS_PER_DAY counts is estimated"
        )
    if before.streams and not after.streams:
        yield "The model's server does not stream: OPENAI_MODEL answers in one piece"
    if before.has_system and not after.has_system:
        yield "The model takes no system role: SYSTEM_PROMPT is sent with the first question"


def _sent(shape: RequestShape) -> Iterator[str]:
    if shape.limit_name:
        yield shape.limit_name
    if shape.effort:
        yield EFFORT
    if shape.streams and shape.asks_usage:
        yield "stream_options"
    if shape.streams:
        yield "stream"
    if shape.has_system:
        yield "system"


def _place(message: str, name: str) -> int | None:
    """Return where a sentence names a field, quoted or not."""
    pattern = _SENTENCES.get(name) or re.compile(rf"(?<!\w){re.escape(name.lower())}(?!\w)")
    found = pattern.search(message)
    return None if found is None else found.start()


def _is_about_amount(message: str) -> bool:
    """Tell whether it is the number that a server refuses, and not the field."""
    return bool(_says_amount(message.lower())) and not _says_field(message.lower())


def _next_effort(shape: RequestShape, message: str) -> str | None:
    """Return the least effort that a server names in place of one, if it names any."""
    if EFFORT in shape.refused:
        return None  # the second time: it is the field that is refused
    named = _find_supported(message)
    found = {word.lower() for word in _find_effort(named[0] if named else "")} - {shape.effort}
    if found:
        return next(effort for effort in _EFFORTS if effort in found)
    is_value = re.search(r"\bvalue\b|does not support", message, re.IGNORECASE)
    return "low" if is_value and shape.effort == NO_EFFORT else None


def _fold(prompt: Sequence[PromptMessage]) -> Sequence[PromptMessage]:
    """Put the instructions at the head of the first question."""
    system = [said.content for said in prompt if said.role == "system"]
    others = [said for said in prompt if said.role != "system"]
    at = next((place for place, said in enumerate(others) if said.role == "user"), None)
    if not system or at is None:
        return others
    content = "\n\n".join([*system, others[at].content])
    return [*others[:at], PromptMessage("user", content), *others[at + 1 :]]
