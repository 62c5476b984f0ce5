"""What is configured, in words: everything but the secrets themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from app import __version__
from app.assistants import Assistants
from app.bus.redis_connection import RedisLink
from app.dashboard.rendering.formats import to_count, to_listing
from app.domain.prices import Prices
from app.settings import AssistantSettings, Budgets, ModelSettings, Settings, VisitorLimits


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
    settings: Settings, assistants: Assistants, *, client: str, redis: RedisLink | None
) -> list[Group]:
    """Return every setting that an operator may wonder about.

    ``client`` is where this very operator comes from, as the service sees it.
    """
    groups = [
        Group("Service", _service(settings, redis)),
        Group("Who a visitor is", _client(settings, client)),
        Group("Keys", _keys(settings)),
    ]
    for each in assistants:
        of = f" ({each.id})" if assistants.are_several else ""
        groups += [
            Group(f"Model{of}", _model(each.settings, each.model_name)),
            Group(f"Pages and keys{of}", _access(each.settings)),
            Group(f"People{of}", _people(settings, each.settings)),
            Group(f"Limits a visitor meets{of}", _limits(each.settings.limits)),
            Group(f"Budget{of}", _budget(each.settings.budgets)),
        ]
    return [*groups, Group("Prices", _prices(settings.model_prices))]


def _people(settings: Settings, assistant: AssistantSettings) -> list[Row]:
    people = assistant.people
    hours = "in the hours that are set" if people.hours else "always, as visitors are told"
    return [
        Row("A person can be asked for", "HUMAN", "yes" if settings.can_ask(assistant) else "no"),
        Row("Visitors are shown", "OPERATOR_NAME", people.operator_name),
        Row("Somebody is there", "HUMAN_HOURS", hours),
        Row("Told meanwhile", "HOLDING_MESSAGE", people.holding_message),
        Row("Told by mail", "NOTIFY_EMAIL", to_listing(people.notify_email) or "nobody"),
        Row("Told by webhook", "WEBHOOK_URL", _host(settings.webhook_url) or "nobody"),
        Row("Told in a chat", "NOTIFY_CHAT_URL", _host(settings.notify_chat_url) or "nobody"),
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


def _model(assistant: AssistantSettings, model_name: str) -> list[Row]:
    turns = assistant.turns
    return [
        Row("Model", "OPENAI_MODEL", model_name),
        Row("Asked at", "OPENAI_BASE_URL", _provider(assistant.model)),
        *_fallback(assistant.model),
        Row("Tokens of an answer", "MAX_OUTPUT_TOKENS", to_count(turns.max_output_tokens)),
        Row("Tokens of a prompt", "MAX_PROMPT_TOKENS", to_count(turns.max_prompt_tokens)),
        Row("Messages", "MAX_HISTORY_MESSAGES", to_count(turns.history_limit)),
        Row("Longest turn", "TURN_TIMEOUT_S", f"{turns.turn_timeout_s:g} s"),
        Row("System prompt", "SYSTEM_PROMPT", turns.system_prompt),
    ]


def _provider(model: ModelSettings) -> str:
    if not model.is_real:
        return "nobody: the built-in demo answers"
    return _host(model.base_url) or "OpenAI"


def _fallback(model: ModelSettings) -> list[Row]:
    name = model.fallback_name
    if not model.has_fallback or name is None:
        return []
    return [
        Row("Where it does not answer", "OPENAI_FALLBACK_MODEL", name),
        Row("Asked at", "OPENAI_FALLBACK_BASE_URL", _host(model.fallback_url) or "OpenAI"),
    ]


def _keys(settings: Settings) -> list[Row]:
    return [
        Row("Admin key", "ADMIN_API_KEY", _amount(settings.admin_api_keys)),
        Row("Signing key", "SECRET_KEY", _amount(settings.secret_keys, "derived from another key")),
    ]


def _access(assistant: AssistantSettings) -> list[Row]:
    return [
        Row("Pages that may embed it", "CORS_ORIGIN", to_listing(assistant.origins) or "none"),
        Row("Widget key", "WIDGET_API_KEY", _amount(assistant.widget_api_keys)),
        Row("Model's key", "OPENAI_API_KEY", _is_set(assistant.model.api_key)),
        Row("Identity key", "IDENTITY_SECRET", _amount(assistant.identity_secrets)),
    ]


def _limits(limits: VisitorLimits) -> list[Row]:
    window_s = limits.window_ms / 1000
    return [
        Row(
            "Requests from an address",
            "RATE_LIMIT_MAX_REQUESTS",
            f"{to_count(limits.max_requests)} in {window_s:g} s",
        ),
        Row("From an address, a day", "LIMIT_IP_PER_DAY", _limit(limits.ip_per_day)),
        Row(
            "Questions of a session, a minute",
            "LIMIT_SESSION_PER_MINUTE",
            _limit(limits.session_per_minute),
        ),
        Row(
            "Questions of a session, a day",
            "LIMIT_SESSION_PER_DAY",
            _limit(limits.session_per_day),
        ),
        Row(
            "New sessions of an address, an hour",
            "LIMIT_NEW_SESSIONS_PER_HOUR",
            _limit(limits.new_sessions_per_hour),
        ),
        Row("Answers at once", "MAX_STREAMS_PER_IP", _limit(limits.streams_per_ip)),
    ]


def _budget(budgets: Budgets) -> list[Row]:
    return [
        Row("Tokens a day", "BUDGET_TOKENS_PER_DAY", _limit(budgets.service)),
        Row(
            "Of an address",
            "BUDGET_TOKENS_PER_IP_DAY",
            _limit(budgets.client),
        ),
        Row(
            "Of a session",
            "BUDGET_TOKENS_PER_SESSION_DAY",
            _limit(budgets.session),
        ),
    ]


def _prices(prices: Prices) -> list[Row]:
    named = [
        f"{name}: {price.prompt} in, {price.completion} out"
        for name, price in prices.by_name.items()
    ]
    currency = prices.currency
    return [
        Row(
            f"Prices of a million tokens{f', in {currency}' if currency else ''}",
            "MODEL_PRICES",
            to_listing(named) or "not set",
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
