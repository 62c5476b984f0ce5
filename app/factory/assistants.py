"""Makes an assistant of its settings: chooses its models, and what keeps account of them."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from app.assistants import Assistant
from app.bus.redis_connection import RedisLink
from app.completion.breaker import Breaker, BreakerModel
from app.completion.demo import NAME as DEMO_MODEL_NAME
from app.completion.demo import DemoModel
from app.completion.fallback import FallbackModel, check_both
from app.completion.protocol import CompletionModel
from app.domain.origin import AllowedOrigins
from app.domain.people import NoticeType
from app.limits.budget import Meter
from app.limits.estimate import Tokenizer
from app.limits.ledger import Ledger, MemoryLedger
from app.limits.recorded import RecordedSpend
from app.limits.redis_ledger import RedisLedger
from app.settings import AssistantSettings, Settings
from app.storage.protocol import ConversationStore

if TYPE_CHECKING:
    from app.completion.openai.model import OpenAIOptions

Tell = Callable[[NoticeType, str], None]
"""Takes what an owner should hear of, and the assistant's id; must not wait."""


def tell_nobody(_kind: NoticeType, _assistant: str) -> None:
    """Keep it to oneself."""


def make_assistant(
    assistant: AssistantSettings,
    settings: Settings,
    store: ConversationStore,
    redis: RedisLink | None,
    model: CompletionModel | None = None,
    fallback: CompletionModel | None = None,
    tell: Tell = tell_nobody,
) -> Assistant:
    """Return an assistant at work; a given model stands in for the one that would be made.

    ``tell`` hears what its owner should know of the budget and of the model.
    """
    model = model or _model(assistant, settings)
    fallback = fallback or _fallback(assistant, settings)
    breaker = _breaker(assistant, tell)
    asked: CompletionModel = BreakerModel(model, breaker)
    check_models = breaker.check
    if fallback is not None:
        spare = _breaker(assistant, tell)
        name = assistant.model.fallback_name or ""
        asked = FallbackModel(asked, BreakerModel(fallback, spare), name)
        check_models = check_both(breaker, spare)
    return Assistant(
        settings=assistant,
        origins=AllowedOrigins(assistant.origins),
        model_name=assistant.model.name if assistant.model.is_real else DEMO_MODEL_NAME,
        model=model,
        fallback=fallback,
        asked=asked,
        breaker=breaker,
        check_models=check_models,
        meter=_meter(assistant, settings, store, redis, tell),
    )


def _model(assistant: AssistantSettings, settings: Settings) -> CompletionModel:
    if not assistant.model.is_real:
        return DemoModel()
    # Half of the start-up time, and the demo needs none of it.
    from app.completion.openai.model import OpenAIModel

    return OpenAIModel(_options(assistant, settings))


def _fallback(assistant: AssistantSettings, settings: Settings) -> CompletionModel | None:
    model = assistant.model
    if not model.has_fallback or model.fallback_name is None:
        return None
    from app.completion.openai.model import OpenAIModel

    options = _options(assistant, settings)
    if model.fallback_base_url is not None:
        # Keys and headers are the first server's secrets: another one never sees them.
        options = replace(
            options, api_key=None, reasoning_effort=None, extra_body={}, extra_headers={}
        )
    return OpenAIModel(
        replace(
            options,
            api_key=model.fallback_api_key or options.api_key,
            model=model.fallback_name,
            base_url=model.fallback_base_url or model.base_url,
        )
    )


def _options(assistant: AssistantSettings, settings: Settings) -> "OpenAIOptions":
    from app.completion.openai.model import OpenAIOptions

    model = assistant.model
    return OpenAIOptions(
        api_key=model.api_key,
        model=model.name,
        base_url=model.base_url,
        reasoning_effort=model.reasoning_effort,
        extra_body=model.extra_body,
        extra_headers=model.extra_headers,
        max_output_tokens=assistant.turns.max_output_tokens,
        connect_timeout_s=model.connect_timeout_s,
        first_token_timeout_s=model.first_token_timeout_s,
        read_timeout_s=model.read_timeout_s,
        proxies=settings.proxies,
    )


def _breaker(assistant: AssistantSettings, tell: Tell) -> Breaker:
    patience_s = assistant.model.first_token_timeout_s
    return Breaker(
        replace(assistant.breaker, probe_patience_s=patience_s),
        tell_owner=lambda: tell("model.failing", assistant.id),
    )


def _meter(
    assistant: AssistantSettings,
    settings: Settings,
    store: ConversationStore,
    redis: RedisLink | None,
    tell: Tell,
) -> Meter:
    turns, recorded = assistant.turns, RecordedSpend(store, assistant.id)
    ledger: Ledger
    if redis:
        one_turn = turns.max_prompt_tokens + turns.max_output_tokens
        ledger = RedisLedger(redis, recorded, one_turn, assistant.id)
    else:
        ledger = MemoryLedger(recorded, settings.web_concurrency)
    names = [assistant.model.name]
    if assistant.model.has_fallback and assistant.model.fallback_name:
        names.append(assistant.model.fallback_name)
    tokenizer = Tokenizer.of(*names)
    return Meter(
        ledger,
        assistant.budgets,
        turns.max_output_tokens,
        tokenizer=tokenizer,
        tell=lambda kind: tell(kind, assistant.id),
        counts_alike=len(names) == 1 or tokenizer in (Tokenizer.O200K, Tokenizer.CL100K),
    )
