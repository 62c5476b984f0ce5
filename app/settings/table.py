"""The table of all variables: each one's name, its default and its bounds."""

import os
from collections.abc import Mapping
from typing import Any

from app.settings.contradictions import DEVELOPMENT_WIDGET_KEY, find_contradictions
from app.settings.faults import SettingsFaults
from app.settings.machine import names_the_machine
from app.settings.names import find_ignored, find_misspelt
from app.settings.reader import AppEnv, Reader

DEFAULT_SYSTEM_PROMPT = (
    "You are a concise, helpful assistant in the support chat of a website. "
    "Answer in the language of the question, in Markdown where it helps."
)

DEFAULT_MODEL = "gpt-6-luna"
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
# A model that thinks is silent for longer before its first word than after it.
_FIRST_TOKEN_FACTOR = 3
_SHARE_OF_TURN = 0.9

# One variable of its own tells each platform, and how it passes the client on.
_PLATFORMS: Mapping[str, tuple[str, int, str | None]] = {
    "RENDER": ("Render", 2, None),
    "RAILWAY_ENVIRONMENT_NAME": ("Railway", 0, "X-Real-IP"),
    "FLY_APP_NAME": ("Fly.io", 0, "Fly-Client-IP"),
    "DYNO": ("Heroku", 1, None),
}
_HOST_OF_A_SHELL = "HOST (it names the machine, and no address to listen on)"


def read_values(in_files: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields of ``Settings`` as the environment has them.

    ``in_files`` says which of its names stand in a file, and in which.

    Raises:
        SettingsFaults: with everything that is wrong.
    """
    faults: dict[str, str] = {}
    is_host_a_shells = "HOST" not in in_files and names_the_machine(os.environ.get("HOST", ""))
    env = Reader(faults, set_aside=("HOST",) if is_host_a_shells else ())
    platform = next((row for name, row in _PLATFORMS.items() if os.environ.get(name)), None)
    app_env = env.app_env("production" if platform else "development")
    values = _read(env, app_env, platform)
    env.finish()
    faults.update(find_contradictions(values))
    faults.update(find_misspelt(env.names, in_files))
    if faults:
        raise SettingsFaults(faults)
    ignored = find_ignored(env.names, in_files)
    return {**values, "ignored": (*ignored, _HOST_OF_A_SHELL) if is_host_a_shells else ignored}


def variables() -> tuple[str, ...]:
    """Return the names of all variables that are read, in the order of the docs."""
    env = Reader({})
    env.app_env("test")
    _read(env, "test", None)
    return env.names


def _read(
    env: Reader, app_env: AppEnv, platform: tuple[str, int, str | None] | None
) -> dict[str, Any]:
    development = app_env != "production"
    _, hops, ip_header = platform or ("", 0, None)
    turn_timeout_s = env.seconds("TURN_TIMEOUT_S", 120)
    read_timeout_s = env.seconds("MODEL_READ_TIMEOUT_S", 30)
    return {
        "app_env": app_env,
        "platform": platform[0] if platform else None,
        "port": env.whole("PORT", 4000, 1, 65535),
        "hosts": env.addresses("HOST"),
        "public_url": env.public_url("PUBLIC_URL"),
        "convex_url": env.url("CONVEX_URL"),
        "convex_deploy_key": env.vendor_key("CONVEX_DEPLOY_KEY"),
        "sqlite_path": env.path("SQLITE_PATH", "data/chat.db" if development else None),
        "spool_path": env.path("SPOOL_PATH", "data/spool"),
        "retention_days": env.whole("RETENTION_DAYS", 0, 0, 36_500) or None,
        "openai_api_key": env.vendor_key("OPENAI_API_KEY"),
        "openai_model": env.text("OPENAI_MODEL", DEFAULT_MODEL),
        "openai_base_url": env.url("OPENAI_BASE_URL"),
        "openai_reasoning_effort": env.word_of("OPENAI_REASONING_EFFORT", *_EFFORTS),
        "openai_extra_body": env.extra_body("OPENAI_EXTRA_BODY"),
        "openai_extra_headers": env.extra_headers("OPENAI_EXTRA_HEADERS"),
        "openai_fallback_model": env.text("OPENAI_FALLBACK_MODEL"),
        "openai_fallback_base_url": env.url("OPENAI_FALLBACK_BASE_URL"),
        "openai_fallback_api_key": env.vendor_key("OPENAI_FALLBACK_API_KEY"),
        "system_prompt": env.text("SYSTEM_PROMPT", DEFAULT_SYSTEM_PROMPT),
        "max_output_tokens": env.whole("MAX_OUTPUT_TOKENS", 800, 1, 1_000_000),
        "refusal_message": env.text("REFUSAL_MESSAGE", "I can't help with that."),
        "widget_api_keys": env.keys(
            "WIDGET_API_KEY", DEVELOPMENT_WIDGET_KEY if development else ""
        ),
        "admin_api_keys": env.keys("ADMIN_API_KEY"),
        "dashboard_password": env.password("DASHBOARD_PASSWORD"),
        "dashboard_idle_s": env.seconds("DASHBOARD_IDLE_S", 3600),
        "dashboard_session_s": env.seconds("DASHBOARD_SESSION_S", 43_200),
        "secret_keys": env.keys("SECRET_KEY"),
        "session_mode": env.choice("SESSION_MODE", "compat", "strict"),
        "session_token_ttl_s": env.seconds("SESSION_TOKEN_TTL_S", 900),
        "identity_secrets": env.keys("IDENTITY_SECRET"),
        "widget_title": env.text("WIDGET_TITLE"),
        "widget_welcome_message": env.text("WIDGET_WELCOME_MESSAGE"),
        "widget_starters": env.texts("WIDGET_STARTERS", "", separator="|"),
        "cors_origins": env.origins("CORS_ORIGIN", "*" if development else ""),
        "hsts_subdomains": env.flag("HSTS_SUBDOMAINS"),
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
        "client_ip_header": env.header(
            "CLIENT_IP_HEADER", None if env.is_set("TRUSTED_PROXY_HOPS") else ip_header
        ),
        "trusted_proxies": env.networks("TRUSTED_PROXIES"),
        "widget_bundle_path": env.bundle_path("WIDGET_BUNDLE_PATH"),
        "metrics_bind": env.bind("METRICS_BIND"),
        "sentry_dsn": env.url("SENTRY_DSN"),
        "otel_endpoint": env.url("OTEL_EXPORTER_OTLP_ENDPOINT"),
        "web_concurrency": env.whole("WEB_CONCURRENCY", 1, 1, 64),
        "graceful_timeout_s": env.whole("GRACEFUL_TIMEOUT", 25, 2, 600),
        "turn_timeout_s": turn_timeout_s,
        "model_connect_timeout_s": env.seconds("MODEL_CONNECT_TIMEOUT_S", 3),
        "model_first_token_timeout_s": env.seconds(
            "MODEL_FIRST_TOKEN_TIMEOUT_S",
            min(_FIRST_TOKEN_FACTOR * read_timeout_s, _SHARE_OF_TURN * turn_timeout_s),
        ),
        "model_read_timeout_s": read_timeout_s,
        "storage_timeout_s": env.seconds("STORAGE_TIMEOUT_S", 5),
        "proxies": env.proxies(),
        "request_timeout_s": env.seconds("REQUEST_TIMEOUT_S", 10),
        "send_timeout_s": env.seconds("SEND_TIMEOUT_S", 30),
        "busy_wait_s": env.seconds("BUSY_WAIT_S", 5, least=0.0),
        "heartbeat_s": env.seconds("HEARTBEAT_S", 12),
        "lease_grace_s": env.seconds("LEASE_GRACE_S", 10),
        "max_streams": env.whole("MAX_STREAMS", 1500, 1, 100_000),
    }
