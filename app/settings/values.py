"""The settings themselves, typed and frozen."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from app.domain.prices import Prices
from app.domain.shutdowns import describe_shutdown, known_shutdown
from app.http_client.proxies import Proxies, Proxy
from app.settings.files import read_dotenv
from app.settings.reader import AppEnv
from app.settings.table import read_values

OPENAI_URL = "https://api.openai.com/v1"

SessionMode = Literal["compat", "strict"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the environment decides. Durations in seconds unless named otherwise."""

    app_env: AppEnv
    platform: str | None
    port: int
    hosts: tuple[str, ...]
    public_url: str | None
    web_concurrency: int
    graceful_timeout_s: int

    convex_url: str | None
    convex_deploy_key: str | None
    sqlite_path: Path | None
    storage_timeout_s: float
    spool_path: Path
    retention_days: int | None

    openai_api_key: str | None
    openai_model: str
    openai_base_url: str | None
    openai_reasoning_effort: str | None
    openai_extra_body: Mapping[str, Any]
    openai_extra_headers: Mapping[str, str]
    openai_fallback_model: str | None
    openai_fallback_base_url: str | None
    openai_fallback_api_key: str | None
    system_prompt: str
    max_output_tokens: int
    max_history_messages: int
    max_prompt_tokens: int
    refusal_message: str
    model_connect_timeout_s: float
    model_first_token_timeout_s: float
    model_read_timeout_s: float
    proxies: Proxies

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
    hsts_subdomains: bool
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
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...]
    widget_bundle_path: Path
    metrics_bind: str | None
    sentry_dsn: str | None
    otel_endpoint: str | None

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

    @classmethod
    def from_env(cls) -> "Settings":
        """Read the environment, ``.env`` and ``.env.local`` (or ``PERCH_ENV_FILE``) included.

        Raises:
            SettingsFaults: with everything that is wrong.
        """
        stumbles = not _is_number(os.environ.get("WEB_CONCURRENCY", "1"))
        return replace(load(read_dotenv()), gunicorn_stumbles=stumbles)


def load(in_files: Mapping[str, str] | None = None) -> Settings:
    """Read the environment's variables; ``in_files`` says which of them a file brought.

    Raises:
        SettingsFaults: with everything that is wrong.
    """
    return Settings(**read_values(in_files or {}))


def _is_number(text: str) -> bool:
    try:
        int(text)
    except ValueError:
        return False
    return True
