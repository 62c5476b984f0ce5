"""The settings themselves, typed and frozen."""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from urllib.parse import urlsplit

from app.domain.conversation import DEFAULT_ASSISTANT
from app.domain.prices import Prices
from app.http_client.proxies import Proxies, Proxy
from app.settings.addresses import Reader
from app.settings.declaring import group, secret, variable
from app.settings.policies import AssistantSettings
from app.settings.reader import AppEnv, SessionMode


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

    assistant: AssistantSettings = group(AssistantSettings, id=DEFAULT_ASSISTANT)
    knowledge_path: Path = variable(
        Reader.path_beside, "KNOWLEDGE_PATH", "knowledge", "SPOOL_PATH", "data/spool"
    )
    uses_vectors: bool = variable(Reader.flag, "VECTORS", "true")
    embedding_base_url: str | None = variable(Reader.url, "EMBEDDING_BASE_URL")
    embedding_model: str | None = variable(Reader.text, "EMBEDDING_MODEL")
    embedding_api_key: str | None = secret(Reader.vendor_key, "EMBEDDING_API_KEY")
    assistants_file: Path | None = variable(Reader.path_or_none, "ASSISTANTS_FILE")
    max_streams: int = variable(Reader.whole, "MAX_STREAMS", 1500, 1, 100_000)
    proxies: Proxies = variable(Reader.proxies, "HTTPS_PROXY")

    request_timeout_s: float = variable(Reader.seconds, "REQUEST_TIMEOUT_S", 10)
    send_timeout_s: float = variable(Reader.seconds, "SEND_TIMEOUT_S", 30)

    admin_api_keys: tuple[str, ...] = secret(Reader.keys, "ADMIN_API_KEY")
    dashboard_password: str | None = secret(Reader.password, "DASHBOARD_PASSWORD")
    dashboard_idle_s: float = variable(Reader.seconds, "DASHBOARD_IDLE_S", 3600)
    dashboard_session_s: float = variable(Reader.seconds, "DASHBOARD_SESSION_S", 43_200)
    secret_keys: tuple[str, ...] = secret(Reader.keys, "SECRET_KEY")
    session_mode: SessionMode = variable(Reader.session_mode, "SESSION_MODE")
    session_token_ttl_s: float = variable(Reader.seconds, "SESSION_TOKEN_TTL_S", 900)
    hsts_subdomains: bool = variable(Reader.flag, "HSTS_SUBDOMAINS")
    switched_off_message: str | None = variable(Reader.text, "SWITCHED_OFF_MESSAGE")
    max_waiting: int = variable(Reader.whole, "MAX_WAITING", 2000, 1, 100_000)
    webhook_url: str | None = secret(Reader.endpoint, "WEBHOOK_URL")
    webhook_secrets: tuple[str, ...] = secret(Reader.keys, "WEBHOOK_SECRET")
    smtp_url: str | None = secret(Reader.text, "SMTP_URL")
    mail_from: str | None = variable(Reader.text, "MAIL_FROM")
    notify_chat_url: str | None = secret(Reader.endpoint, "NOTIFY_CHAT_URL")
    notify_private_networks: tuple[IPv4Network | IPv6Network, ...] = variable(
        Reader.networks, "NOTIFY_PRIVATE_NETWORKS"
    )
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

    # Those of the file.
    other_assistants: tuple[AssistantSettings, ...] = ()
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
    def assistants(self) -> tuple[AssistantSettings, ...]:
        """All of them, the default first."""
        return (self.assistant, *self.other_assistants)

    def can_ask(self, assistant: AssistantSettings) -> bool:
        """Tell whether visitors of an assistant may ask for a person: somebody would hear of it."""
        people = assistant.people
        if people.mode != "auto":
            return people.mode == "on"
        return bool(
            self.webhook_url
            or self.notify_chat_url
            or self.dashboard_password
            or (self.smtp_url and people.notify_email)
        )

    @property
    def used_proxies(self) -> tuple[tuple[str, Proxy], ...]:
        """Who is asked over a proxy, and which."""
        asked = dict.fromkeys(each for one in self.assistants for each in one.model.asked)
        asked["Convex", self.convex_url or ""] = None
        return tuple((name, proxy) for name, url in asked if (proxy := self.proxies.of(url)))

    @property
    def public_path(self) -> str | None:
        """The path before ours in ``PUBLIC_URL``, perhaps empty; ``None`` without that setting."""
        return urlsplit(self.public_url).path if self.public_url else None

    @property
    def metrics_port(self) -> int | None:
        """The port on which ``/metrics`` needs no key."""
        return int(self.metrics_bind.rpartition(":")[2]) if self.metrics_bind else None
