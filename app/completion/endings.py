"""Why a model ended, by kind: each provider has its own words for the same few reasons."""

import re
from enum import Enum

from app.domain.conversation import Usage
from app.domain.errors import ModelFailure, ModelInterrupted, ModelUnavailable

# What a second attempt may say where the first thought to its limit.
_SECOND_LIMIT_FACTOR = 4
_MIN_SECOND_LIMIT = 4096

_is_name = re.compile(r"[\w.-]{1,40}", re.ASCII).fullmatch


class Kind(Enum):
    """What a reason means; an unknown one is the provider's own word for an end."""

    ENDED = "ended"
    LENGTH = "length"
    FILTERED = "filtered"
    BROKE = "broke"
    UNKNOWN = "unknown"


_KINDS = {
    **dict.fromkeys(
        (
            "stop",
            "end_turn",
            "eos",
            "eos_token",
            "stop_sequence",
            "complete",
            "completed",
            "finished",
            "done",
            "end",
        ),
        Kind.ENDED,
    ),
    **dict.fromkeys(
        (
            "length",
            "max_tokens",
            "max_output_tokens",
            "max_length",
            "model_length",
            "model_context_window_exceeded",
            "token_limit",
        ),
        Kind.LENGTH,
    ),
    **dict.fromkeys(
        (
            "content_filter",
            "content_filtered",
            "safety",
            "recitation",
            "prohibited_content",
            "blocklist",
            "spii",
            "sensitive",
            "refusal",
            "guardrail_intervened",
        ),
        Kind.FILTERED,
    ),
    **dict.fromkeys(
        (
            "error",
            "network_error",
            "internal_error",
            "server_error",
            "insufficient_system_resource",
            "abort",
            "aborted",
            "cancel",
            "cancelled",
            "canceled",
            "timeout",
            "failed",
            "overloaded",
            "load",
        ),
        Kind.BROKE,
    ),
}


# What a word that stands in no table is made of; the first row that fits decides.
_PARTS = (
    (Kind.FILTERED, {"blocked", "filter", "filtered", "moderation", "policy", "prohibited"}),
    (Kind.FILTERED, {"refused", "safety", "toxic", "violation"}),
    (Kind.BROKE, {"rate", "timed"}),
    (Kind.LENGTH, {"length", "limit", "max", "tokens", "truncated"}),
    (Kind.BROKE, {"abort", "aborted", "cancel", "canceled", "cancelled", "crash", "crashed"}),
    (Kind.BROKE, {"disconnect", "disconnected", "err", "error", "exception", "fail", "failed"}),
    (Kind.BROKE, {"failure", "interrupted", "killed", "lost", "overloaded", "preempted"}),
    (Kind.BROKE, {"timeout", "unavailable"}),
    (Kind.ENDED, {"end", "eos", "stop", "stopped"}),
)
# As some write the reason of a chunk that is not the last.
_NO_REASONS = ("", "null", "none", "nil", "undefined", "unspecified", "not_finished")


def has_ended(reason: object) -> bool:
    """Tell whether a chunk's reason is one: most chunks have ``null``, or a word for it."""
    return bool(reason) and not (isinstance(reason, str) and _word(reason) in _NO_REASONS)


def read_reason(reason: str) -> Kind:
    """Return what kind of end a provider's word names; what follows a colon is no part of it."""
    word = _word(reason)
    if word in _KINDS:
        return _KINDS[word]
    parts = set(word.split("_"))
    return next((kind for kind, names in _PARTS if parts & names), Kind.UNKNOWN)


def join_reasons(first: str | None, second: str) -> str:
    """Return the reason that counts where two chunks have one.

    The last, unless the first told that the answer is not whole: relays close
    what broke with a ``stop`` of their own.
    """
    if first is None or read_reason(first) in (Kind.ENDED, Kind.UNKNOWN):
        return second
    return first


def _word(reason: str) -> str:
    """Return a reason in lower case, with ``_`` between its parts."""
    if reason in _KINDS:
        return reason
    word = reason.partition(":")[0].strip().rpartition(".")[2]
    word = re.sub(r"(?<=[a-z])(?=[A-Z])|[\s-]+", "_", word)
    return word.casefold().removeprefix("finish_reason_")


def failure_of_ending(
    reason: str, *, has_said: bool, usage: Usage | None, has_only_thought: bool = False
) -> ModelFailure | None:
    """Return why an end is no answer's; ``None`` where it is, if only an empty one's.

    ``has_only_thought`` is of a thought in the text that never came to its end.
    """
    kind = read_reason(reason)
    if kind is Kind.BROKE:
        broken = ModelUnavailable()
        broken.cause = f"the model ended with {_name(reason)}"
        return broken
    if has_said or kind is Kind.FILTERED:
        return None
    if kind is Kind.LENGTH or has_only_thought:
        return ran_out(usage)
    if kind is Kind.ENDED:
        return None
    silent = ModelInterrupted()
    silent.cause = f"the model ended with {_name(reason)} and without a word"
    return silent


def ran_out(usage: Usage | None) -> ModelInterrupted:
    """Return the failure of a model that thought to its limit."""
    failure = ModelInterrupted()
    failure.ran_out = True
    if usage is None:
        spent = "all of MAX_OUTPUT_TOKENS went before the first word"
    else:
        spent = f"all {usage.completion_tokens} of MAX_OUTPUT_TOKENS went before the first word"
        if usage.reasoning_tokens:
            spent += f", {usage.reasoning_tokens} of them on reasoning"
    failure.cause = f"{spent}: raise it, or let the model think less"
    return failure


def raise_limit(limit: int) -> int:
    """Return what a model may say that thought to its limit, when it is asked once more."""
    return max(_SECOND_LIMIT_FACTOR * limit, _MIN_SECOND_LIMIT)


def _name(reason: str) -> str:
    return reason if _is_name(reason) else "a reason of its own"
