"""Settings: every variable, typed and frozen, read once.

Nothing else reads the environment. ``load`` reports all faults at once, each
by the variable's name and with what to do about it.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import urlsplit

from dotenv import load_dotenv
from environs import Env, EnvValidationError
from marshmallow.validate import Range

from app.prices import Prices

ROOT = Path(__file__).resolve().parent.parent

AppEnv = Literal["development", "production", "test"]
SessionMode = Literal["compat", "strict"]

DEVELOPMENT_WIDGET_KEY = "development-widget-key"
MIN_KEY_CHARS = 24
MIN_PASSWORD_CHARS = 12
DEFAULT_SYSTEM_PROMPT = (
    "You are a concise, helpful assistant in the support chat of a website. "
    "Answer in the language of the question, in Markdown where it helps."
)

# One variable of its own tells each platform, and how it passes the client on.
_PLATFORMS: Mapping[str, tuple[str, int, str | None]] = {
    "RENDER": ("Render", 2, None),
    "RAILWAY_ENVIRONMENT_NAME": ("Railway", 0, "X-Real-IP"),
    "FLY_APP_NAME": ("Fly.io", 0, "Fly-Client-IP"),
    "DYNO": ("Heroku", 1, None),
}
_SECRETS = (
    "OPENAI_API_KEY",
    "CONVEX_DEPLOY_KEY",
    "WIDGET_API_KEY",
    "ADMIN_API_KEY",
    "REDIS_URL",
    "DASHBOARD_PASSWORD",
    "SECRET_KEY",
    "IDENTITY_SECRET",
    "SYSTEM_PROMPT",
)
_NO_HEADER = "has characters that no HTTP header carries"
_PLACEHOLDERS = ("change", "your-", "your_", "example", "placeholder", "replace", "xxxx")
# What the original service's projects keep in the same file and the server
# never needed: said in one log line, so that nobody wonders.
_ORIGINAL_BUNDLE_PATH = "../widget/dist/chat-widget.js"
_IGNORED_PREFIXES = ("NEXT_PUBLIC_", "VITE_")
_IGNORED = ("CONVEX_DEPLOYMENT", "CONVEX_SITE_URL", "OPENAI_AGENT_MODEL", "CONVEX_HTTP_URL")


class SettingsFaults(Exception):
    """The environment cannot be used; ``faults`` maps variables to sentences."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {fault}" for name, fault in faults.items()))
        self.faults = dict(faults)

    def in_words(self) -> str:
        """Return all of them, a line each, for whoever starts the server."""
        lines = [f"  {name} {fault}" for name, fault in self.faults.items()]
        return "\n".join(["Perch cannot start:", *lines])


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the environment decides. Durations in seconds unless named otherwise."""

    app_env: AppEnv
    platform: str | None
    port: int
    web_concurrency: int
    graceful_timeout_s: int

    convex_url: str | None
    convex_deploy_key: str | None
    sqlite_path: Path | None
    storage_timeout_s: float
    spool_path: Path

    openai_api_key: str | None
    openai_model: str
    openai_base_url: str | None
    system_prompt: str
    max_output_tokens: int
    max_history_messages: int
    max_prompt_tokens: int
    refusal_message: str
    model_connect_timeout_s: float
    model_read_timeout_s: float

    turn_timeout_s: float
    busy_wait_s: float
    heartbeat_s: float
    lease_grace_s: float
    request_timeout_s: float
    send_timeout_s: float
    max_streams: int

    widget_api_keys: tuple[str, ...]
    admin_api_keys: tuple[str, ...]
    dashboard_password: str | None
    dashboard_idle_s: float
    dashboard_session_s: float
    secret_keys: tuple[str, ...]
    session_mode: SessionMode
    session_token_ttl_s: float
    identity_secrets: tuple[str, ...]
    widget_title: str | None
    widget_welcome_message: str | None
    widget_starters: tuple[str, ...]
    cors_origins: tuple[str, ...]
    rate_limit_window_ms: int
    rate_limit_max_requests: int
    limit_ip_per_day: int
    limit_session_per_minute: int
    limit_session_per_day: int
    limit_new_sessions_per_hour: int
    max_streams_per_ip: int
    budget_tokens_per_day: int
    budget_tokens_per_ip_day: int
    budget_tokens_per_session_day: int
    budget_exhausted_message: str | None
    switched_off_message: str | None
    model_prices: Prices
    breaker_failures: int
    breaker_pause_s: float
    breaker_owner_pause_s: float
    redis_url: str | None
    redis_timeout_s: float
    redis_retry_s: float
    trusted_proxy_hops: int
    client_ip_header: str | None
    widget_bundle_path: Path
    metrics_bind: str | None
    sentry_dsn: str | None
    otel_endpoint: str | None

    ignored: tuple[str, ...] = ()
    # A blank WEB_CONCURRENCY is none to us. gunicorn, which reads the real
    # environment before it reads its configuration, ends with a traceback.
    gunicorn_stumbles: bool = False

    def __repr__(self) -> str:
        """Say little: half of this is secret, and a repr ends up in logs and error reports."""
        return f"Settings({self.app_env!r})"

    @property
    def is_production(self) -> bool:
        """Whether strangers use this deployment."""
        return self.app_env == "production"

    @property
    def is_development(self) -> bool:
        """Whether the demo pages and detailed errors are on."""
        return self.app_env == "development"

    @property
    def metrics_port(self) -> int | None:
        """The port on which ``/metrics`` needs no key."""
        return int(self.metrics_bind.rpartition(":")[2]) if self.metrics_bind else None

    @classmethod
    def from_env(cls) -> "Settings":
        """Read the environment, ``.env`` and ``.env.local`` included.

        Raises:
            SettingsFaults: with everything that is wrong.
        """
        gunicorn_stumbles = not os.environ.get("WEB_CONCURRENCY", "1").strip()
        read_dotenv()
        return replace(load(), gunicorn_stumbles=gunicorn_stumbles)


def read_dotenv(directory: Path | None = None) -> None:
    """Add ``.env.local`` and ``.env`` to the environment.

    Real variables win over both, the first file over the second.

    Raises:
        SettingsFaults: a file is no text.
    """
    for name in (".env.local", ".env"):
        path = (directory or Path.cwd()) / name
        if not path.is_file():
            continue
        try:
            # Taken literally, as the original did: a key may contain `${`.
            load_dotenv(path, override=False, interpolate=False)
        except UnicodeDecodeError as error:
            raise SettingsFaults({name: "is not UTF-8 text: save it as such"}) from error


def load() -> Settings:
    """Read the environment's variables.

    Raises:
        SettingsFaults: with everything that is wrong.
    """
    faults: dict[str, str] = {}
    env = _Reader(faults)
    platform = next((row for name, row in _PLATFORMS.items() if os.environ.get(name)), None)
    app_env = env.app_env("production" if platform else "development")
    values = _read(env, app_env, platform)
    env.finish()
    faults.update(_contradictions(values))
    if faults:
        raise SettingsFaults(faults)
    return Settings(**values)


def variables() -> tuple[str, ...]:
    """Return the names of all variables that are read, in the order of the docs."""
    env = _Reader({})
    env.app_env("test")
    _read(env, "test", None)
    return env.names


def _read(env: "_Reader", app_env: AppEnv, platform: tuple[str, int, str | None] | None) -> Any:
    development = app_env != "production"
    _, hops, ip_header = platform or ("", 0, None)
    return {
        "app_env": app_env,
        "platform": platform[0] if platform else None,
        "port": env.whole("PORT", 4000, 1, 65535),
        "convex_url": env.url("CONVEX_URL"),
        "convex_deploy_key": env.vendor_key("CONVEX_DEPLOY_KEY"),
        "sqlite_path": env.path("SQLITE_PATH", "data/chat.db" if development else None),
        "spool_path": env.path("SPOOL_PATH", "data/spool"),
        "openai_api_key": env.vendor_key("OPENAI_API_KEY"),
        "openai_model": env.text("OPENAI_MODEL", "gpt-4.1-mini"),
        "openai_base_url": env.url("OPENAI_BASE_URL"),
        "system_prompt": env.text("SYSTEM_PROMPT", DEFAULT_SYSTEM_PROMPT),
        "max_output_tokens": env.whole("MAX_OUTPUT_TOKENS", 800, 1, 1_000_000),
        "refusal_message": env.text("REFUSAL_MESSAGE", "I can't help with that."),
        "widget_api_keys": env.texts(
            "WIDGET_API_KEY", DEVELOPMENT_WIDGET_KEY if development else ""
        ),
        "admin_api_keys": env.texts("ADMIN_API_KEY", ""),
        "dashboard_password": env.text("DASHBOARD_PASSWORD"),
        "dashboard_idle_s": env.seconds("DASHBOARD_IDLE_S", 3600),
        "dashboard_session_s": env.seconds("DASHBOARD_SESSION_S", 43_200),
        "secret_keys": env.texts("SECRET_KEY", ""),
        "session_mode": env.choice("SESSION_MODE", "compat", "strict"),
        "session_token_ttl_s": env.seconds("SESSION_TOKEN_TTL_S", 900),
        "identity_secrets": env.texts("IDENTITY_SECRET", ""),
        "widget_title": env.text("WIDGET_TITLE"),
        "widget_welcome_message": env.text("WIDGET_WELCOME_MESSAGE"),
        "widget_starters": env.texts("WIDGET_STARTERS", "", separator="|"),
        "cors_origins": env.texts("CORS_ORIGIN", "*" if development else ""),
        "max_history_messages": env.whole("MAX_HISTORY_MESSAGES", 30, 1, 1000),
        "max_prompt_tokens": env.whole("MAX_PROMPT_TOKENS", 8000, 100, 10_000_000),
        "rate_limit_window_ms": env.whole("RATE_LIMIT_WINDOW_MS", 60_000, 1, 86_400_000),
        "rate_limit_max_requests": env.whole("RATE_LIMIT_MAX_REQUESTS", 30, 1, 2**31),
        "limit_ip_per_day": env.limit("LIMIT_IP_PER_DAY", 1000),
        "limit_session_per_minute": env.limit("LIMIT_SESSION_PER_MINUTE", 20),
        "limit_session_per_day": env.limit("LIMIT_SESSION_PER_DAY", 300),
        "limit_new_sessions_per_hour": env.limit("LIMIT_NEW_SESSIONS_PER_HOUR", 60),
        "max_streams_per_ip": env.limit("MAX_STREAMS_PER_IP", 20),
        "budget_tokens_per_day": env.limit("BUDGET_TOKENS_PER_DAY", 2_000_000),
        "budget_tokens_per_ip_day": env.limit("BUDGET_TOKENS_PER_IP_DAY", 200_000),
        "budget_tokens_per_session_day": env.limit("BUDGET_TOKENS_PER_SESSION_DAY", 100_000),
        "budget_exhausted_message": env.text("BUDGET_EXHAUSTED_MESSAGE"),
        "switched_off_message": env.text("SWITCHED_OFF_MESSAGE"),
        "model_prices": env.prices("MODEL_PRICES"),
        "breaker_failures": env.limit("BREAKER_FAILURES", 5),
        "breaker_pause_s": env.seconds("BREAKER_PAUSE_S", 10),
        "breaker_owner_pause_s": env.seconds("BREAKER_OWNER_PAUSE_S", 120),
        "redis_url": env.text("REDIS_URL"),
        "redis_timeout_s": env.seconds("REDIS_TIMEOUT_S", 0.25),
        "redis_retry_s": env.seconds("REDIS_RETRY_S", 2),
        "trusted_proxy_hops": env.whole("TRUSTED_PROXY_HOPS", hops, 0, 10),
        # Whoever counts proxies knows better than the platform's default.
        "client_ip_header": env.text(
            "CLIENT_IP_HEADER", None if env.is_set("TRUSTED_PROXY_HOPS") else ip_header
        ),
        "widget_bundle_path": env.bundle_path("WIDGET_BUNDLE_PATH"),
        "metrics_bind": env.bind("METRICS_BIND"),
        "sentry_dsn": env.url("SENTRY_DSN"),
        "otel_endpoint": env.url("OTEL_EXPORTER_OTLP_ENDPOINT"),
        "web_concurrency": env.whole("WEB_CONCURRENCY", 1, 1, 64),
        "graceful_timeout_s": env.whole("GRACEFUL_TIMEOUT", 25, 2, 600),
        "turn_timeout_s": env.seconds("TURN_TIMEOUT_S", 120),
        "model_connect_timeout_s": env.seconds("MODEL_CONNECT_TIMEOUT_S", 3),
        "model_read_timeout_s": env.seconds("MODEL_READ_TIMEOUT_S", 30),
        "storage_timeout_s": env.seconds("STORAGE_TIMEOUT_S", 5),
        "request_timeout_s": env.seconds("REQUEST_TIMEOUT_S", 10),
        "send_timeout_s": env.seconds("SEND_TIMEOUT_S", 30),
        "busy_wait_s": env.seconds("BUSY_WAIT_S", 5, least=0.0),
        "heartbeat_s": env.seconds("HEARTBEAT_S", 12),
        "lease_grace_s": env.seconds("LEASE_GRACE_S", 10),
        "max_streams": env.whole("MAX_STREAMS", 1500, 1, 100_000),
        "ignored": tuple(
            sorted(
                name
                for name in os.environ
                if name in _IGNORED or name.startswith(_IGNORED_PREFIXES)
            )
        ),
    }


class _Reader:
    """Reads single variables, and notes what is wrong instead of raising."""

    def __init__(self, faults: dict[str, str]) -> None:
        self._env = Env(eager=False)
        self._faults = faults
        self._read_secret_files()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._env.dump())

    def app_env(self, default: str) -> AppEnv:
        name = "APP_ENV" if self.is_set("APP_ENV") or not self.is_set("NODE_ENV") else "NODE_ENV"
        value = (self._env.str(name, None) or "").strip() or default
        if value not in ("development", "production", "test"):
            self._faults[name] = f"is {value!r}: use development, production or test"
            return "production"
        return cast(AppEnv, value)

    def text(self, name: str, default: str | None = None) -> str | None:
        value: str | None = self._env.str(name, None)
        value = (value or "").strip()
        return value or default

    def vendor_key(self, name: str) -> str | None:
        value = self.text(name)
        if value and not _is_header_text(value):
            self._faults[name] = f"{_NO_HEADER}: copy the key alone"
        return value

    def texts(self, name: str, default: str, separator: str = ",") -> tuple[str, ...]:
        value = self.text(name, default) or ""
        return tuple(part.strip() for part in value.split(separator) if part.strip())

    def choice(self, name: str, default: str, *others: str) -> str:
        value = self.text(name) or default
        if value not in (default, *others):
            self._faults[name] = f"is {value!r}: use {' or '.join((default, *others))}"
        return value

    def whole(self, name: str, default: int, least: int, most: int) -> int:
        self._drop_empty(name)
        value: int | None = self._env.int(name, default, validate=Range(least, most))
        return default if value is None else value  # None: a fault, told by `finish`

    def limit(self, name: str, default: int) -> int:
        """Read a count that 0 switches off."""
        return self.whole(name, default, 0, 2**53)

    def prices(self, name: str) -> Prices:
        try:
            return Prices.parse(self.text(name) or "")
        except ValueError as error:
            self._faults[name] = (
                f"has {str(error)!r}: write model=prompt/completion, the money for a million "
                "tokens of each, as in gpt-4.1-mini=0.40/1.60"
            )
            return Prices({})

    def seconds(self, name: str, default: float, least: float = 0.01) -> float:
        self._drop_empty(name)
        value: float | None = self._env.float(name, default, validate=Range(least, 86_400))
        return default if value is None else value

    def url(self, name: str) -> str | None:
        value = self.text(name)
        if value is None:
            return None
        if not _is_url(value):
            self._faults[name] = "must be a URL that begins with https:// (or http://)"
            return None
        return value.rstrip("/")

    def is_set(self, name: str) -> bool:
        return bool(os.environ.get(name, "").strip())

    def bind(self, name: str) -> str | None:
        value = self.text(name)
        if value is None:
            return None
        host, _, port = value.rpartition(":")
        if not host or not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
            self._faults[name] = f"is {value!r}: write address:port, as in 127.0.0.1:9091"
            return None
        return value

    def path(self, name: str, default: str | None) -> Path | None:
        value = self.text(name, default)
        return Path(value) if value else None

    def bundle_path(self, name: str) -> Path:
        ours = ROOT / "widget_dist" / "chat-widget.js"
        value = self.text(name)
        if value is None:
            return ours
        path = Path(value)
        if value == _ORIGINAL_BUNDLE_PATH and not path.exists():
            return ours
        return path

    def finish(self) -> None:
        try:
            self._env.seal()
        except EnvValidationError as error:
            messages = cast(Mapping[str, list[str]], error.error_messages)
            for name, sentences in messages.items():
                self._faults.setdefault(name, " ".join(sentences))

    def _drop_empty(self, name: str) -> None:
        # An empty line of a .env file means "the default", as in the original.
        if not os.environ.get(name, "x").strip():
            del os.environ[name]

    def _read_secret_files(self) -> None:
        for name in _SECRETS:
            path = os.environ.get(f"{name}_FILE")
            if not path or os.environ.get(name):
                continue
            try:
                os.environ[name] = Path(path).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                self._faults[f"{name}_FILE"] = f"cannot be read ({type(error).__name__}): {path}"


def _contradictions(values: Mapping[str, Any]) -> dict[str, str]:
    """Return the faults that only several variables together make."""
    faults: dict[str, str] = {}
    if values["convex_url"] and not values["convex_deploy_key"]:
        faults["CONVEX_DEPLOY_KEY"] = (
            "is needed with CONVEX_URL, because the functions are internal. Make one in the Convex "
            "dashboard (Settings, Deploy keys) with only the permissions to run internal queries "
            "and internal mutations; docs/convex.md shows each step"
        )
    if values["app_env"] == "production":
        _check_keys(faults, "WIDGET_API_KEY", values["widget_api_keys"])
    _check_keys(faults, "ADMIN_API_KEY", values["admin_api_keys"])
    _check_keys(faults, "SECRET_KEY", values["secret_keys"])
    # HS256 wants a key as long as its digest (RFC 7518, section 3.2).
    _check_keys(faults, "IDENTITY_SECRET", values["identity_secrets"], least=32)
    _check_password(faults, values)
    if "*" in values["cors_origins"] and len(values["cors_origins"]) > 1:
        faults["CORS_ORIGIN"] = "mixes * with origins: name the origins only"
    for origin in values["cors_origins"]:
        if origin != "*" and not _is_origin(origin):
            faults["CORS_ORIGIN"] = (
                f"has {origin!r}: an origin is https://host or https://host:port, without a path"
            )
    if not (values["redis_url"] or "redis://").startswith(("redis://", "rediss://", "unix://")):
        faults["REDIS_URL"] = "must begin with redis:// (rediss:// for TLS, unix:// for a socket)"
    if (values["metrics_bind"] or "").endswith(f":{values['port']}"):
        faults["METRICS_BIND"] = "is PORT's port: choose another one"
    _check_budgets(faults, values)
    if values["app_env"] == "production":
        faults.update(_production_faults(values))
    return faults


def _production_faults(values: Mapping[str, Any]) -> dict[str, str]:
    faults: dict[str, str] = {}
    if not values["convex_url"] and not values["sqlite_path"]:
        faults["CONVEX_URL"] = (
            "is not set. Set it to your Convex deployment, or set SQLITE_PATH to a file on a disk "
            "that survives a restart"
        )
    if not values["openai_api_key"]:
        faults["OPENAI_API_KEY"] = "is not set: production never answers with the demo model"
    if not values["widget_api_keys"]:
        faults["WIDGET_API_KEY"] = (
            'is not set. Make one: python3 -c "import secrets; print(secrets.token_urlsafe(32))"'
        )
    if not values["cors_origins"]:
        faults["CORS_ORIGIN"] = (
            "is not set: name the origins of the pages that embed the widget, comma-separated"
        )
    elif "*" in values["cors_origins"]:
        faults["CORS_ORIGIN"] = "is *, which is refused in production: name the origins"
    return faults


def _check_budgets(faults: dict[str, str], values: Mapping[str, Any]) -> None:
    one_turn = values["max_prompt_tokens"] + values["max_output_tokens"]
    for name in ("per_day", "per_ip_day", "per_session_day"):
        tokens = values[f"budget_tokens_{name}"]
        if 0 < tokens < one_turn:
            faults[f"BUDGET_TOKENS_{name.upper()}"] = (
                f"is {tokens}, and one turn may take {one_turn} (MAX_PROMPT_TOKENS and "
                "MAX_OUTPUT_TOKENS): raise it, lower those, or use 0 for no budget"
            )


def _check_keys(
    faults: dict[str, str], name: str, keys: tuple[str, ...], least: int = MIN_KEY_CHARS
) -> None:
    for key in keys:
        lowered = key.lower()
        if key == DEVELOPMENT_WIDGET_KEY or any(word in lowered for word in _PLACEHOLDERS):
            faults[name] = "is a placeholder: make a random one"
        elif len(key) < least:
            faults[name] = f"has a key of {len(key)} characters: use at least {least}"
        elif not _is_header_text(key):
            faults[name] = f"{_NO_HEADER}: use letters and digits"


def _check_password(faults: dict[str, str], values: Mapping[str, Any]) -> None:
    password = values["dashboard_password"]
    if password and values["app_env"] == "production" and len(password) < MIN_PASSWORD_CHARS:
        faults["DASHBOARD_PASSWORD"] = (
            f"has {len(password)} characters: use at least {MIN_PASSWORD_CHARS}"
        )


def _is_header_text(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and parts.port != 0
            and text.isprintable()
            and " " not in text
        )
    except ValueError:  # of `port`, and of half an IPv6 address
        return False


def _is_origin(text: str) -> bool:
    scheme, _, host = text.partition("://")
    return bool(scheme and host) and not set(host) & set("/?#*@ ")
