"""What is wrong with a deployment, in plain words, and how to mend it."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from app.completion.protocol import CompletionModel
from app.conversation import PromptMessage
from app.errors import ServiceError, cause_of
from app.settings import DEVELOPMENT_WIDGET_KEY, MIN_KEY_CHARS, Settings
from app.storage.protocol import ConversationStore

Level = Literal["good", "warning", "bad"]

_MIN_DIFFERENT_CHARS = 10
_LOCAL = ("localhost", "127.0.0.1", "[::1]", "0.0.0.0")  # noqa: S104 - looked for, not bound


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; ``advice`` says how to mend it."""

    level: Level
    what: str
    said: str
    advice: str = ""


def check_start(settings: Settings) -> Iterator[Finding]:
    """Look at what keeps gunicorn from reading our configuration."""
    if settings.gunicorn_stumbles:
        yield Finding(
            "bad",
            "WEB_CONCURRENCY",
            "is set, but to nothing: gunicorn ends on that before it reads our files",
            "Take it away, or set it to 1.",
        )


def check_proxies(settings: Settings) -> Iterator[Finding]:
    """Say what goes over a proxy: its owner may be asked when nothing comes back."""
    for name, proxy in settings.used_proxies:
        yield Finding("good", "Proxy", f"{name} is asked over {proxy}")


def check_store(store: ConversationStore, settings: Settings) -> Iterator[Finding]:
    """Ask the store whether it can serve."""
    name = "Convex" if settings.convex_url else "SQLite"
    begun_at = time.monotonic()
    try:
        store.ping()
    except ServiceError as error:
        # The store's own sentence says what to do.
        yield Finding("bad", name, reason_of(error))
        return
    yield Finding("good", name, f"answers in {_ms_since(begun_at)} ms")
    if settings.platform and not settings.convex_url:
        yield Finding(
            "warning",
            "SQLite",
            f"{settings.platform} may throw its disk away at each deployment",
            "Put SQLITE_PATH on a volume that stays, or set CONVEX_URL.",
        )


def check_model(model: CompletionModel, settings: Settings) -> Iterator[Finding]:
    """Ask the model something, and stop it at the first word."""
    if not settings.openai_api_key:
        yield Finding(
            "warning", "Model", "the built-in demo answers", "Set OPENAI_API_KEY for a real one."
        )
        return
    begun_at = time.monotonic()
    said: list[str] = []

    def receive(deltas: Sequence[str]) -> bool:
        said.extend(deltas)
        return not said

    try:
        with model.stream([PromptMessage("user", "Say hello.")]) as completion:
            completion.relay(receive)
            name = completion.model or settings.openai_model
    except ServiceError as error:
        yield Finding(
            "bad",
            "Model",
            f"{settings.openai_model}: {reason_of(error)}",
            "Check OPENAI_API_KEY, OPENAI_MODEL, OPENAI_BASE_URL and the account's credit.",
        )
        return
    if said:
        yield Finding("good", "Model", f"{name} says its first word in {_ms_since(begun_at)} ms")
    else:
        yield Finding("warning", "Model", f"{name} answers, but says nothing")


def check_redis(settings: Settings, ping: Callable[[], None] | None) -> Iterator[Finding]:
    """Ask Redis, where there is one; ``ping`` raises ``OSError`` when it does not answer."""
    if ping is None:
        if settings.web_concurrency > 1:
            yield Finding(
                "warning",
                "Redis",
                f"{settings.web_concurrency} workers count limits and budgets each for itself",
                "Set REDIS_URL, or WEB_CONCURRENCY=1.",
            )
        return
    try:
        ping()
    except OSError as error:
        yield Finding("bad", "Redis", f"does not answer ({error})", "Check REDIS_URL.")
    else:
        yield Finding("good", "Redis", "answers")


def check_keys(settings: Settings) -> Iterator[Finding]:
    """Look at the keys, which anybody may try to guess."""
    advice = 'Make one: python3 -c "import secrets; print(secrets.token_urlsafe(32))"'
    for name, keys in (
        ("WIDGET_API_KEY", settings.widget_api_keys),
        ("ADMIN_API_KEY", settings.admin_api_keys),
        ("SECRET_KEY", settings.secret_keys),
    ):
        weak = next((fault for key in keys if (fault := _weakness(key))), None)
        if weak and (settings.is_production or name != "WIDGET_API_KEY"):
            yield Finding("bad", name, weak, advice)
        elif weak:
            yield Finding("warning", name, f"{weak}: production refuses it", advice)
        elif keys:
            yield Finding("good", name, "is strong" if len(keys) == 1 else "all are strong")
    yield from _check_missing(settings)


def _check_missing(settings: Settings) -> Iterator[Finding]:
    if not settings.secret_keys and settings.is_production:
        yield Finding(
            "warning",
            "SECRET_KEY",
            "is derived from another key: to change that one ends all sessions",
            "Set SECRET_KEY to a long random text.",
        )
    if not settings.admin_api_keys:
        yield Finding(
            "warning", "ADMIN_API_KEY", "is not set: scripts cannot read", "Set it, or leave it."
        )
    if not settings.dashboard_password:
        yield Finding(
            "warning", "DASHBOARD_PASSWORD", "is not set: there is no dashboard", "Set it."
        )


def check_origins(settings: Settings) -> Iterator[Finding]:
    """Look at the pages that may embed the widget."""
    name = "CORS_ORIGIN"
    if "*" in settings.cors_origins:
        yield Finding(
            "warning", name, "allows any page: production refuses it", "Name your sites' origins."
        )
        return
    local = [origin for origin in settings.cors_origins if any(host in origin for host in _LOCAL)]
    plain = [
        origin
        for origin in settings.cors_origins
        if origin.startswith("http://") and origin not in local
    ]
    if settings.is_production and local:
        yield Finding("warning", name, f"allows {local[0]}", "Take it out when you are done.")
    if settings.is_production and plain:
        yield Finding("warning", name, f"{plain[0]} is not encrypted", "Serve the page over https.")
    yield Finding("good", name, f"names {len(settings.cors_origins)}")


def check_spending(settings: Settings) -> Iterator[Finding]:
    """Look at what a bad day may cost."""
    if not settings.budget_tokens_per_day:
        yield Finding(
            "warning",
            "BUDGET_TOKENS_PER_DAY",
            "there is no budget",
            "Set one, and a limit at the model's provider.",
        )
    else:
        yield Finding("good", "BUDGET_TOKENS_PER_DAY", f"{settings.budget_tokens_per_day:,}")
    if not settings.widget_bundle_path.is_file():
        yield Finding(
            "bad", "Widget", f"{settings.widget_bundle_path} is not there", "Run make widget."
        )


def reason_of(error: ServiceError) -> str:
    """Return what the operator may know of a failure, which is more than a visitor."""
    if str(error) != error.text:
        return str(error)
    return str(getattr(error, "reason", None) or cause_of(error))


def _weakness(key: str) -> str | None:
    if key == DEVELOPMENT_WIDGET_KEY:
        return "is the development key"
    if len(key) < MIN_KEY_CHARS:
        return f"has {len(key)} characters"
    if len(set(key)) < _MIN_DIFFERENT_CHARS:
        return f"has only {len(set(key))} different characters"
    return None


def _ms_since(begun_at: float) -> int:
    return round((time.monotonic() - begun_at) * 1000)
