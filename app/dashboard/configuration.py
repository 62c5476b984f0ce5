"""What is configured, in words: everything but the secrets themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from app import __version__
from app.bus.redis_connection import RedisLink
from app.dashboard.formats import to_count, to_listing
from app.settings import Settings


@dataclass(frozen=True, slots=True)
class Row:
    """One setting: what it decides, its variable, and its value in words."""

    name: str
    variable: str
    value: str


@dataclass(frozen=True, slots=True)
class Group:
    """Settings that belong together."""

    name: str
    rows: Sequence[Row]


def describe_settings(
    settings: Settings, model_name: str, *, client: str, redis: RedisLink | None
) -> list[Group]:
    """Return every setting that an operator may wonder about.

    ``client`` is where this very operator comes from, as the service sees it.
    """
    return [
        Group("Service", _service(settings, redis)),
        Group("Who a visitor is", _client(settings, client)),
        Group("Model", _model(settings, model_name)),
        Group("Keys", _keys(settings)),
        Group("Limits a visitor meets", _limits(settings)),
        Group("Budget", _budget(settings)),
    ]


def _service(settings: Settings, redis: RedisLink | None) -> list[Row]:
    store = "Convex" if settings.convex_url else "SQLite, one file"
    place = _host(settings.convex_url) or str(settings.sqlite_path)
    shared = "in each worker's memory"
    if redis is not None:
        shared = "in Redis, which does not answer" if redis.is_away else "in Redis, by all workers"
    return [
        Row("Version", "", __version__),
        Row("Environment", "APP_ENV", settings.app_env),
        Row("Platform", "", settings.platform or "none that we know"),
        Row("Conversations", "CONVEX_URL" if settings.convex_url else "SQLITE_PATH", store),
        Row("Where they are", "", place),
        Row("They are kept", "RETENTION_DAYS", _retention(settings.retention_days)),
        Row("Answers that wait for it", "SPOOL_PATH", str(settings.spool_path)),
        Row("Workers", "WEB_CONCURRENCY", to_count(settings.web_concurrency)),
        Row("Limits are counted", "REDIS_URL", shared),
        Row("Pages that may embed it", "CORS_ORIGIN", to_listing(settings.cors_origins) or "none"),
        Row("Sessions", "SESSION_MODE", settings.session_mode),
        Row("Visitors find it at", "PUBLIC_URL", settings.public_url or "what each request says"),
    ]


def _client(settings: Settings, client: str) -> list[Row]:
    return [
        Row("You come from", "", client or "an unknown address"),
        Row("A visitor's address is", *_clients(settings)),
        Row("Proxies that are believed", "TRUSTED_PROXIES", _proxies(settings)),
    ]


def _clients(settings: Settings) -> tuple[str, str]:
    if settings.client_ip_header:
        return "CLIENT_IP_HEADER", f"what {settings.client_ip_header} says"
    hops = settings.trusted_proxy_hops
    told = f"X-Forwarded-For, {to_count(hops)} from the right" if hops else "the connection's own"
    return "TRUSTED_PROXY_HOPS", told


def _proxies(settings: Settings) -> str:
    named = [str(network) for network in settings.trusted_proxies]
    return to_listing(named) or "those with private addresses"


def _model(settings: Settings, model_name: str) -> list[Row]:
    return [
        Row("Model", "OPENAI_MODEL", model_name),
        Row("Asked at", "OPENAI_BASE_URL", _provider(settings)),
        *_fallback(settings),
        Row("Tokens of an answer", "MAX_OUTPUT_TOKENS", to_count(settings.turns.max_output_tokens)),
        Row("Tokens of a prompt", "MAX_PROMPT_TOKENS", to_count(settings.turns.max_prompt_tokens)),
        Row("Messages", "MAX_HISTORY_MESSAGES", to_count(settings.turns.history_limit)),
        Row("Longest turn", "TURN_TIMEOUT_S", f"{settings.turns.turn_timeout_s:g} s"),
        Row("System prompt", "SYSTEM_PROMPT", settings.turns.system_prompt),
    ]


def _provider(settings: Settings) -> str:
    if not settings.has_model:
        return "nobody: the built-in demo answers"
    return _host(settings.openai_base_url) or "OpenAI"


def _fallback(settings: Settings) -> list[Row]:
    name = settings.openai_fallback_model
    if not settings.has_fallback or name is None:
        return []
    return [
        Row("Where it does not answer", "OPENAI_FALLBACK_MODEL", name),
        Row("Asked at", "OPENAI_FALLBACK_BASE_URL", _host(settings.fallback_url) or "OpenAI"),
    ]


def _keys(settings: Settings) -> list[Row]:
    return [
        Row("Widget key", "WIDGET_API_KEY", _amount(settings.widget_api_keys)),
        Row("Admin key", "ADMIN_API_KEY", _amount(settings.admin_api_keys)),
        Row("Model's key", "OPENAI_API_KEY", _is_set(settings.openai_api_key)),
        Row("Signing key", "SECRET_KEY", _amount(settings.secret_keys, "derived from another key")),
        Row("Identity key", "IDENTITY_SECRET", _amount(settings.identity_secrets)),
    ]


def _limits(settings: Settings) -> list[Row]:
    window_s = settings.rate_limit_window_ms / 1000
    return [
        Row(
            "Requests from an address",
            "RATE_LIMIT_MAX_REQUESTS",
            f"{to_count(settings.rate_limit_max_requests)} in {window_s:g} s",
        ),
        Row("From an address, a day", "LIMIT_IP_PER_DAY", _limit(settings.limit_ip_per_day)),
        Row(
            "Questions of a session, a minute",
            "LIMIT_SESSION_PER_MINUTE",
            _limit(settings.limit_session_per_minute),
        ),
        Row(
            "Questions of a session, a day",
            "LIMIT_SESSION_PER_DAY",
            _limit(settings.limit_session_per_day),
        ),
        Row(
            "New sessions of an address, an hour",
            "LIMIT_NEW_SESSIONS_PER_HOUR",
            _limit(settings.limit_new_sessions_per_hour),
        ),
        Row("Answers at once", "MAX_STREAMS_PER_IP", _limit(settings.max_streams_per_ip)),
    ]


def _budget(settings: Settings) -> list[Row]:
    prices = [
        f"{name}: {price.prompt} in, {price.completion} out"
        for name, price in settings.model_prices.by_name.items()
    ]
    currency = settings.model_prices.currency
    return [
        Row("Tokens a day", "BUDGET_TOKENS_PER_DAY", _limit(settings.budget_tokens_per_day)),
        Row(
            "Of an address",
            "BUDGET_TOKENS_PER_IP_DAY",
            _limit(settings.budget_tokens_per_ip_day),
        ),
        Row(
            "Of a session",
            "BUDGET_TOKENS_PER_SESSION_DAY",
            _limit(settings.budget_tokens_per_session_day),
        ),
        Row(
            f"Prices of a million tokens{f', in {currency}' if currency else ''}",
            "MODEL_PRICES",
            to_listing(prices) or "not set",
        ),
    ]


def _amount(keys: Sequence[str], otherwise: str = "not set") -> str:
    if not keys:
        return otherwise
    return "set" if len(keys) == 1 else f"{len(keys)} are accepted"


def _retention(days: int | None) -> str:
    return f"{to_count(days)} days after the last message" if days else "until they are deleted"


def _host(url: str | None) -> str | None:
    # Without a user and a password, which may stand before the host.
    return urlsplit(url).netloc.rpartition("@")[2] if url else None


def _is_set(key: str | None) -> str:
    return "set" if key else "not set"


def _limit(amount: int) -> str:
    return to_count(amount) if amount else "no limit"
