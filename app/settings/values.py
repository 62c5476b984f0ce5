"""The settings themselves, typed and frozen."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from app.domain.prices import Prices
from app.domain.shutdowns import describe_shutdown, known_shutdown
from app.http_client.proxies import Proxies, Proxy
from app.settings.addresses import Reader
from app.settings.contradictions import DEVELOPMENT_WIDGET_KEY
from app.settings.policies import TURN_TIMEOUT_S, BreakerPolicy, TurnPolicy
from app.settings.reader import AppEnv, SessionMode, group, secret, variable

OPENAI_URL = "https://api.openai.com/v1"


DEFAULT_MODEL = "gpt-6-luna"
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_READ_TIMEOUT_S = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the environment decides. Durations in seconds unless named otherwise.

    Each field says how it is read: as what, from which variable, with which default
    and bounds (see ``Reader``). A secret is also read from the file that ``…_FILE`` names.
    """

    app_env: AppEnv = variable(Reader.app_env, "APP_ENV")
    port: int = variable(Reader.whole, "PORT", 4000, 1, 65535)
    hosts: tuple[str, ...] = variable(Reader.addresses, "HOST")
    public_url: str | None = variable(Reader.public_url, "PUBLIC_URL")
    web_concurrency: int = variable(Reader.whole, "WEB_CONCURRENCY", 1, 1, 64)
    graceful_timeout_s: int = variable(Reader.whole, "GRACEFUL_TIMEOUT", 25, 2, 600)

    convex_url: str | None = variable(Reader.url, "CONVEX_URL")
    convex_deploy_key: str | None = secret(Reader.vendor_key, "CONVEX_DEPLOY_KEY")
    sqlite_path: Path | None = variable(Reader.store_path, "SQLITE_PATH", "data/chat.db")
    storage_timeout_s: float = variable(Reader.seconds, "STORAGE_TIMEOUT_S", 5)
    spool_path: Path = variable(Reader.path, "SPOOL_PATH", "data/spool")
    retention_days: int | None = variable(Reader.days, "RETENTION_DAYS")

    turns: TurnPolicy = group(TurnPolicy)
    breaker: BreakerPolicy = group(BreakerPolicy)
    openai_api_key: str | None = secret(Reader.vendor_key, "OPENAI_API_KEY")
    openai_model: str = variable(Reader.text_or, "OPENAI_MODEL", DEFAULT_MODEL)
    openai_base_url: str | None = variable(Reader.url, "OPENAI_BASE_URL")
    openai_reasoning_effort: str | None = variable(
        Reader.word_of, "OPENAI_REASONING_EFFORT", *_EFFORTS
    )
    openai_extra_body: Mapping[str, Any] = variable(Reader.extra_body, "OPENAI_EXTRA_BODY")
    openai_extra_headers: Mapping[str, str] = secret(Reader.extra_headers, "OPENAI_EXTRA_HEADERS")
    openai_fallback_model: str | None = variable(Reader.text, "OPENAI_FALLBACK_MODEL")
    openai_fallback_base_url: str | None = variable(Reader.url, "OPENAI_FALLBACK_BASE_URL")
    openai_fallback_api_key: str | None = secret(Reader.vendor_key, "OPENAI_FALLBACK_API_KEY")
    model_connect_timeout_s: float = variable(Reader.seconds, "MODEL_CONNECT_TIMEOUT_S", 3)
    model_first_token_timeout_s: float = variable(
        Reader.first_token_s, "MODEL_FIRST_TOKEN_TIMEOUT_S", _READ_TIMEOUT_S, TURN_TIMEOUT_S
    )
    model_read_timeout_s: float = variable(Reader.seconds, "MODEL_READ_TIMEOUT_S", _READ_TIMEOUT_S)
    proxies: Proxies = variable(Reader.proxies, "HTTPS_PROXY")

    request_timeout_s: float = variable(Reader.seconds, "REQUEST_TIMEOUT_S", 10)
    send_timeout_s: float = variable(Reader.seconds, "SEND_TIMEOUT_S", 30)

    widget_api_keys: tuple[str, ...] = secret(Reader.keys, "WIDGET_API_KEY", DEVELOPMENT_WIDGET_KEY)
    admin_api_keys: tuple[str, ...] = secret(Reader.keys, "ADMIN_API_KEY")
    dashboard_password: str | None = secret(Reader.password, "DASHBOARD_PASSWORD")
    dashboard_idle_s: float = variable(Reader.seconds, "DASHBOARD_IDLE_S", 3600)
    dashboard_session_s: float = variable(Reader.seconds, "DASHBOARD_SESSION_S", 43_200)
    secret_keys: tuple[str, ...] = secret(Reader.keys, "SECRET_KEY")
    session_mode: SessionMode = variable(Reader.session_mode, "SESSION_MODE")
    session_token_ttl_s: float = variable(Reader.seconds, "SESSION_TOKEN_TTL_S", 900)
    identity_secrets: tuple[str, ...] = secret(Reader.keys, "IDENTITY_SECRET")
    widget_title: str | None = variable(Reader.text, "WIDGET_TITLE")
    widget_welcome_message: str | None = variable(Reader.text, "WIDGET_WELCOME_MESSAGE")
    widget_starters: tuple[str, ...] = variable(Reader.texts, "WIDGET_STARTERS", "", "|")
    cors_origins: tuple[str, ...] = variable(Reader.origins, "CORS_ORIGIN", "*")
    hsts_subdomains: bool = variable(Reader.flag, "HSTS_SUBDOMAINS")
    rate_limit_window_ms: int = variable(
        Reader.whole, "RATE_LIMIT_WINDOW_MS", 60_000, 1, 86_400_000
    )
    rate_limit_max_requests: int = variable(Reader.whole, "RATE_LIMIT_MAX_REQUESTS", 30, 1, 2**31)
    limit_ip_per_day: int = variable(Reader.limit, "LIMIT_IP_PER_DAY", 1000)
    limit_session_per_minute: int = variable(Reader.limit, "LIMIT_SESSION_PER_MINUTE", 20)
    limit_session_per_day: int = variable(Reader.limit, "LIMIT_SESSION_PER_DAY", 300)
    limit_new_sessions_per_hour: int = variable(Reader.limit, "LIMIT_NEW_SESSIONS_PER_HOUR", 60)
    max_streams_per_ip: int = variable(Reader.limit, "MAX_STREAMS_PER_IP", 20)
    budget_tokens_per_day: int = variable(Reader.limit, "BUDGET_TOKENS_PER_DAY", 2_000_000)
    budget_tokens_per_ip_day: int = variable(Reader.limit, "BUDGET_TOKENS_PER_IP_DAY", 200_000)
    budget_tokens_per_session_day: int = variable(
        Reader.limit, "BUDGET_TOKENS_PER_SESSION_DAY", 100_000
    )
    budget_exhausted_message: str | None = variable(Reader.text, "BUDGET_EXHAUSTED_MESSAGE")
    switched_off_message: str | None = variable(Reader.text, "SWITCHED_OFF_MESSAGE")
    model_prices: Prices = variable(Reader.prices, "MODEL_PRICES")
    redis_url: str | None = secret(Reader.text, "REDIS_URL")
    redis_timeout_s: float = variable(Reader.seconds, "REDIS_TIMEOUT_S", 0.25)
    redis_retry_s: float = variable(Reader.seconds, "REDIS_RETRY_S", 2)
    trusted_proxy_hops: int = variable(Reader.hops, "TRUSTED_PROXY_HOPS")
    client_ip_header: str | None = variable(Reader.ip_header, "CLIENT_IP_HEADER")
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = variable(
        Reader.networks, "TRUSTED_PROXIES"
    )
    widget_bundle_path: Path = variable(Reader.bundle_path, "WIDGET_BUNDLE_PATH")
    metrics_bind: str | None = variable(Reader.bind, "METRICS_BIND")
    sentry_dsn: str | None = variable(Reader.url, "SENTRY_DSN")
    otel_endpoint: str | None = variable(Reader.url, "OTEL_EXPORTER_OTLP_ENDPOINT")

    platform: str | None = None
    ignored: tuple[str, ...] = ()
    # WEB_CONCURRENCY may be blank or in quotes to us. gunicorn, which reads the
    # real environment before it reads its configuration, ends with a traceback.
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
    def has_model(self) -> bool:
        """Whether a real model answers: without a key, a server of the owner's own."""
        return bool(self.openai_api_key or self.openai_base_url)

    @property
    def has_fallback(self) -> bool:
        """Whether another model answers where the first does not."""
        return self.has_model and self.openai_fallback_model is not None

    def model_notice(self, today: date) -> str | None:
        """Return what is known of the model's end, for its owner."""
        if not self.has_model:
            return None
        day = known_shutdown(self.openai_model, self.model_url)
        return describe_shutdown(self.openai_model, day, today)

    @property
    def fallback_url(self) -> str:
        """Where the fallback is asked: at the first model's server unless it has its own."""
        return self.openai_fallback_base_url or self.model_url

    @property
    def model_url(self) -> str:
        """Where the model is asked."""
        return self.openai_base_url or OPENAI_URL

    @property
    def used_proxies(self) -> tuple[tuple[str, Proxy], ...]:
        """Who is asked over a proxy, and which."""
        asked = (
            ("Model", self.model_url if self.has_model else ""),
            ("Fallback", self.fallback_url if self.has_fallback else ""),
            ("Convex", self.convex_url or ""),
        )
        return tuple((name, proxy) for name, url in asked if (proxy := self.proxies.of(url)))

    @property
    def public_path(self) -> str | None:
        """The path before ours in ``PUBLIC_URL``, perhaps empty; ``None`` without that setting."""
        return urlsplit(self.public_url).path if self.public_url else None

    @property
    def metrics_port(self) -> int | None:
        """The port on which ``/metrics`` needs no key."""
        return int(self.metrics_bind.rpartition(":")[2]) if self.metrics_bind else None
