"""What a provider's errors mean: one table, for HTTP errors and for those within a stream.

``read_error`` finds the few words that matter in any of the shapes that
providers and gateways use, ``failure_of`` names the failure of ours.
"""

import math
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from jiter import from_json

from app.completion.causes import describe
from app.completion.mends import mend_of
from app.domain.errors import (
    ModelFailure,
    ModelMisconfigured,
    ModelRateLimited,
    ModelRefused,
    ModelTimeout,
    ModelUnavailable,
    ProviderError,
)

# Codes, names of fields: what says more than that is a sentence, and may quote anybody.
_is_word = re.compile(r"(?=.{1,80}\Z)[\w.$:/\[\]-]+(?: [\w.-]+){0,2}", re.ASCII).fullmatch
_is_status = re.compile(r"[45]\d\d", re.ASCII).fullmatch
_MAX_MESSAGE_CHARS = 2000
_MAX_ADDRESS_CHARS = 200
_MAX_PARTS = 64
_MAX_BODY_BYTES = 1024 * 1024
_MAX_RETRY_AFTER_S = 3600.0
# Where the object lies that says what is wrong, and how its message is named.
_WRAPPERS = (
    *("error", "errors", "detail", "message", "innererror", "details", "metadata", "body"),
    *("base_resp", "fault"),
)
_MESSAGES = (
    *("message", "msg", "detail", "error", "error_msg", "error_message", "status_msg", "title"),
    *("description", "raw", "faultstring"),
)
_is_html = re.compile(rb"\s*<(?:!doctype|html|head|body|title)", re.IGNORECASE).match
_find_title = re.compile(rb"<title[^>]{0,100}>([^<]{1,300})</title", re.IGNORECASE).search

# Words of codes, types and reasons: lower case, `_` between words.
_TOO_LONG = {
    "context_length_exceeded",
    "context_window_exceeded",
    "exceed_context_size_error",
    "string_above_max_length",
    "request_too_large",
}
_FILTERED = {
    "content_filter",
    "content_policy_violation",
    "data_inspection_failed",
    "datainspectionfailed",
    "moderation_blocked",
    "responsibleaipolicyviolation",
    "flagged_input",
    "invalid_prompt",
    "prohibited_content",
    "safety",
    "sensitive",
    "moderation",
}
_RATE_LIMITED = {
    "rate_limit_exceeded",
    "rate_limit_error",
    "rate_limit_reached_error",
    "rate_limited",
    "rate_limit",
    "ratelimitreached",
    "resource_exhausted",
    "slow_down",
    "throttlingexception",
    "throttling",
    "tokens",
    "requests",
    "too_many_requests",
}
_IN_TROUBLE = {
    "api_error",
    "internal_error",
    "internal_server_error",
    "overloaded",
    "overloaded_error",
    "server_error",
    "service_unavailable",
    "timeout",
    "unavailable",
    "unavailable_error",
}
_OWNERS = {
    "access_denied",
    "access_terminated",
    "account_deactivated",
    "account_suspended",
    "accountoverdueerror",
    "arrearage",
    "authentication_error",
    "authenticationerror",
    "billing_disabled",
    "billing_error",
    "billing_hard_limit_reached",
    "billing_not_active",
    "budget_exceeded",
    "consumer_suspended",
    "credit_balance_too_low",
    "deploymentnotfound",
    "deployment_not_found",
    "exceeded_current_quota_error",
    "failed_precondition",
    "incorrect_api_key_error",
    "insufficient_balance",
    "insufficient_credits",
    "insufficient_permissions",
    "insufficient_quota",
    "insufficient_user_quota",
    "invalid_api_key",
    "invalid_authentication",
    "invalid_authentication_error",
    "invalid_model",
    "invalid_model_error",
    "invalid_token",
    "invalidapikey",
    "invalidsubscription",
    "ip_not_authorized",
    "mismatched_organization",
    "mismatched_project",
    "missing_api_key",
    "model_decommissioned",
    "model_deprecated",
    "model_not_available",
    "model_not_exist",
    "model_not_found",
    "model_not_supported",
    "model_terms_required",
    "modelnotfound",
    "no_api_key",
    "not_found_error",
    "operationnotsupported",
    "organization_restricted",
    "payment_required",
    "permission_denied",
    "permission_error",
    "resourcenotfound",
    "service_disabled",
    "unauthenticated",
    "unauthorized",
    "unknown_model",
    "unknown_url",
    "unsupported_api_for_model",
    "unsupported_country_region_territory",
    "unsupported_model",
}
# Sentences of servers whose code says no more than "invalid request".
_MODEL_UNKNOWN = (
    # In one sentence; a name may have points and colons, but no blank behind them.
    r"\bmodel\b(?:(?![.:]\s|[;!?]).){0,160}?"
    r"(?:\b(?:do|does|did) not exist|\bnot exist|\bnot (?:be )?found|\bis not (?:a )?valid"
    r"|\bis (?:unknown|invalid|deprecated)|\bno longer (?:available|supported)"
    r"|\b(?:has|have) been (?:deprecated|decommissioned|retired|removed|shut down))"
    r"|\bmodel \S{1,100} is not supported (?:by|for|in|when)\b"
    r"|\b(?:unknown|invalid|no such|unrecognized|nonexistent|unsupported) model\b"
    r"(?! (?:feature|field|option|param))|\bnot a valid model\b|\bno models? (?:is |are )?loaded"
    r"|\bonly supported in v1/responses|\bdoes not support (?:chat|completions?|generate)\b"
    "|模型不存在"
)
_says_owner = re.compile(
    r"\bapi[ _-]?(?:key|token)\b.{0,60}"
    r"\b(?:not valid|invalid|incorrect|expired|missing|required|revoked|unknown|disabled)"
    r"|\b(?:invalid|incorrect|missing|no|expired|wrong|bad)\b.{0,20}\bapi[ _-]?(?:key|token)\b"
    r"|\bauthenticat\w+ (?:error|fail)|\binvalid (?:(?:access|auth\w*|bearer) token|credentials)"
    r"|\binsufficient (?:balance|credit|fund|quota)|\bcredit balance is too low"
    r"|\bexceeded your current quota, please check your plan and billing"
    r"|\bbudget has been exceeded|\bspecified api usage limits|\blocation is not supported"
    r"|\b(?:account|organization) (?:is |has been |was )?(?:suspended|disabled|restricted)"
    r"|\bhttp request (?:was sent )?to (?:an )?https"
    "|余额不足|额度不足|" + _MODEL_UNKNOWN,
    re.DOTALL,
).search
# What is said of one of these is about the request's shape, and not about key or model.
_names_field = re.compile(
    r"^(?:messages|reasoning|stream)|\b(?:max_(?:completion_|output_)?tokens|stream_options"
    r"|reasoning_effort|temperature|system (?:role|message|prompt)s?)\b"
).search
_says_too_long = re.compile(
    r"\b(?:maximum|max|available) context (?:length|size|window)"
    r"|\bcontext (?:length|window)\b.{0,40}\b(?:exceed|limit)"
    r"|\b(?:exceed\w*|greater than)\b.{0,60}\bcontext (?:length|size|window)"
    r"|\b(?:prompt|input|request) (?:is )?too long"
    r"|\b(?:prompt|input) (?:token count|tokens)\b.{0,40}\bexceed"
    r"|\binputs?`? (?:tokens? \+ `?max_new_tokens|must have less than)",
    re.DOTALL,
).search
_says_filtered = re.compile(
    r"\bcontent (?:management |filter|moderation|policy)|\bflagged\b|\b(?:violat\w+|against) "
    r"(?:our|the) (?:usage|content|safety)",
).search

_says_limited = re.compile(r"\brate[ -_]?limit|\btoo many requests|\bthrottl").search
# What a chat template raises, which llama.cpp takes for trouble of its own.
_says_template = re.compile(r"\bjinja\b|\bchat template\b|\btemplate error\b").search

# What the status alone tells. Of those that are missing, 5xx and odd ones are the provider's.
_STATUSES: dict[int, type[ModelFailure]] = {
    **dict.fromkeys((401, 402, 403, 404, 405, 406, 407, 410, 411, 415), ModelMisconfigured),
    **dict.fromkeys((204, 205, 206, 412, 417, 421, 426, 428, 431, 451), ModelMisconfigured),
    **dict.fromkeys((501, 505), ModelMisconfigured),
    **dict.fromkeys((400, 413, 414, 422), ModelRefused),
    408: ModelTimeout,
    429: ModelRateLimited,
}


def read_error(status: int, body: bytes, location: str | None = None) -> ProviderError:
    """Find what an error's body says; one that says nothing is an error with its status."""
    body = _first_event(body[:_MAX_BODY_BYTES])
    try:
        told = from_json(body)
    except ValueError:
        said = _find_title(body) if _is_html(body) else None
        text = said[1] if said else b"" if _is_html(body) else body
        told = {"message": text[:_MAX_MESSAGE_CHARS].decode(errors="replace").strip()}
    return parse_error(told, status, location)


def _first_event(body: bytes) -> bytes:
    """Return the data of an error that is told as an event, or the body as it is."""
    lines = body.lstrip().split(b"\n", 8)
    if not lines[0].startswith((b"data:", b"event:", b"id:", b":")):
        return body
    return next((line[5:] for line in lines if line.startswith(b"data:")), b"")


def parse_error(told: Any, status: int = 0, location: str | None = None) -> ProviderError:
    """Find what parsed JSON says of an error, however it is wrapped."""
    parts = list(_parts(told))
    words = {
        name: next((word for part in parts if (word := _word(part, names))), "")
        for name, names in {
            "code": ("code", "error_code", "status_code"),
            "type": ("type", "error_type", "status", "kind"),
            "param": ("param",),
        }.items()
    }
    numbers = (word for word in (words["code"], words["type"]) if _is_status(word))
    return ProviderError(
        status=status if status not in (0, 200) else int(next(numbers, 0)),
        **words,
        reason=_reason(parts, set(words.values())),
        message=" | ".join(dict.fromkeys(filter(None, map(_message, parts))))[:_MAX_MESSAGE_CHARS],
        loc=next((loc for part in parts if (loc := _loc(part))), ()),
        location=(location or "")[:_MAX_ADDRESS_CHARS],
    )


def failure_of(
    error: ProviderError, hide: Callable[[str], str], retry_after: str | None = None
) -> ModelFailure:
    """Name what a provider's error means, and why in a line for the owner.

    ``hide`` cuts the visitor's words and keys out: before anything is decided,
    so that nobody can write what reads like a refused key.
    """
    error = replace(error, message=hide(error.message), location=hide(error.location))
    kind, is_explained = _kind(error)
    failure = kind(retry_after_s=read_retry_after(retry_after))
    failure.provider = error
    failure.cause = describe(error, hide)
    failure.is_explained = is_explained
    if isinstance(failure, ModelMisconfigured):
        failure.mend = mend_of(error)
    if 300 <= error.status < 500:
        failure.is_free = True
    return failure


def read_retry_after(told: str | None) -> float | None:
    """Read a ``Retry-After`` (RFC 9110 section 10.2.3), bounded to an hour."""
    if told is None:
        return None
    try:
        seconds = float(told)
        if math.isnan(seconds):
            return None
    except ValueError:
        from email.utils import parsedate_to_datetime

        try:
            seconds = parsedate_to_datetime(told).timestamp() - time.time()
        except ValueError:
            return None
    return min(max(seconds, 0.0), _MAX_RETRY_AFTER_S)


def _kind(error: ProviderError) -> tuple[type[ModelFailure], bool]:
    """Return the failure, and whether anything explains it; the first row that fits decides."""
    words = {
        re.sub(r"\W+", "_", word.lower())
        for word in (error.code, error.type, *error.reason.split())
        if word
    }
    status = error.status
    # A server in trouble may say anything: then only its codes are believed.
    message = error.message.lower() if status < 500 else ""
    if words & (_TOO_LONG | _FILTERED):
        return ModelRefused, True
    if words & _OWNERS or any(word.startswith("api_key_") for word in words):
        return ModelMisconfigured, True
    if words & _RATE_LIMITED:
        return ModelRateLimited, True
    if status != 429 and _says_too_long(message):
        return ModelRefused, True
    if _says_owner(message) and not (_names_field(error.param) or _names_field(message)):
        return ModelMisconfigured, True
    if status in (0, 400, 422) and _says_filtered(message):
        return ModelRefused, True
    if status in (0, 400) and _says_limited(message):
        return ModelRateLimited, True
    if status == 500 and _says_template(error.message.lower()):
        return ModelRefused, False
    if 300 <= status < 400:
        return ModelMisconfigured, True
    is_explained = status not in (0, 400, 422) or (not status and bool(words & _IN_TROUBLE))
    return _STATUSES.get(status, ModelUnavailable), is_explained


def _parts(told: Any) -> Iterator[dict[str, Any]]:
    """Yield the objects of an error, the innermost ``error`` first, each before its own parts."""
    waiting: list[Any] = [told]
    for _ in range(_MAX_PARTS):
        if not waiting:
            return
        part = waiting.pop(0)
        if isinstance(part, list):
            waiting[:0] = part[:8]
        elif isinstance(part, str):
            yield {"message": part}
        elif isinstance(part, dict):
            error = part.get("error")
            if isinstance(error, dict | list):
                # What wraps an error says less: often only `"type": "error"`.
                waiting.insert(0, error)
                waiting.append({name: part[name] for name in part if name != "error"})
                continue
            yield part
            waiting += [part[name] for name in _WRAPPERS if isinstance(part.get(name), dict | list)]


def _word(part: dict[str, Any], names: tuple[str, ...]) -> str:
    for name in names:
        value = part.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool) and value != "error":
            word = str(value)
            return word if _is_word(word) else ""
    return ""


def _reason(parts: list[dict[str, Any]], known: set[str]) -> str:
    """Return the words of a code's kind that no other field has, with blanks between them."""
    names = ("code", "type", "status", "reason", "error_type", "object")
    words = {
        word.replace(" ", "_") for part in parts for name in names if (word := _word(part, (name,)))
    }
    if any("flagged_input" in part for part in parts):
        words.add("flagged_input")
    return " ".join(sorted(words - known))[:_MAX_MESSAGE_CHARS]


def _message(part: dict[str, Any]) -> str:
    for name in _MESSAGES:
        text = part.get(name)
        if isinstance(text, str) and text.strip():
            return text.strip()[:_MAX_MESSAGE_CHARS]
    return ""


def _loc(part: dict[str, Any]) -> tuple[str, ...]:
    loc = part.get("loc")
    if isinstance(loc, str):
        loc = loc.split(".", 8)
    if not isinstance(loc, list):
        return ()
    return tuple(step for step in map(str, loc[:8]) if _is_word(step))
