"""What is wrong with a deployment, in plain words, and how to mend it."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from app.domain.errors import ServiceError, cause_of
from app.settings import (
    DEVELOPMENT_WIDGET_KEY,
    MIN_KEY_CHARS,
    MIN_PASSWORD_CHARS,
    AssistantSettings,
    Settings,
)
from app.storage.protocol import ConversationStore

Level = Literal["good", "warning", "bad"]

_MIN_DIFFERENT_CHARS = 10
# What docs/deploy/host.md installs.
SERVICE_FILES = (Path("/etc/perch.env"), Path("/etc/systemd/system/perch.service"))
_NEW_KEY = 'Make one: python3 -c "import secrets; print(secrets.token_urlsafe(32))"'
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
            "is no bare number: gunicorn ends on that before it reads our files",
            "Take it away, or set it to 1, without quotes.",
        )


def place_of(settings: Settings) -> str:
    """Name the store that these settings choose, by its whole path or its address."""
    if settings.convex_url:
        return f"Convex {settings.convex_url}"
    # Not where links lead: systemd's folder of a state is one, and its owner knows the name.
    return f"SQLite {Path(settings.sqlite_path or '').absolute()}"


def store_is_missing(settings: Settings) -> bool:
    """Tell whether the store is a file that has yet to be made."""
    if settings.convex_url or settings.sqlite_path is None:
        return False
    try:
        # SQLite takes an empty file for a new database.
        return settings.sqlite_path.stat().st_size == 0
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:  # there, or not: whoever opens it learns why nobody can say
        return False


def check_host(
    settings: Settings, service_files: Sequence[Path] = SERVICE_FILES
) -> Iterator[Finding]:
    """Look for a service of this machine that has other settings than these."""
    found = next((path for path in service_files if path.exists()), None)
    if found and not settings.is_production:
        yield Finding(
            "bad",
            "Settings",
            f"are for {settings.app_env}, and {found} is there: the service has others",
            "Run deploy/perch doctor, which takes them from the service.",
        )


def check_outgoing_proxies(settings: Settings) -> Iterator[Finding]:
    """Say what goes over a proxy: its owner may be asked when nothing comes back."""
    for name, proxy in settings.used_proxies:
        yield Finding("good", "Proxy", f"{name} is asked over {proxy}")


def check_store(store: ConversationStore, settings: Settings) -> Iterator[Finding]:
    """Ask the store whether it can serve; makes none."""
    name = "Convex" if settings.convex_url else "SQLite"
    if settings.platform and not settings.convex_url:
        yield Finding(
            "warning",
            "SQLite",
            f"{settings.platform} may throw its disk away at each deployment",
            "Put SQLITE_PATH on a volume that stays, or set CONVEX_URL.",
        )
    if store_is_missing(settings):
        yield Finding(
            "warning",
            name,
            f"{place_of(settings)} is not there yet",
            "The server makes it when it starts; if it runs, these are not its settings.",
        )
        return
    begun_at = time.monotonic()
    try:
        store.ping()
    except ServiceError as error:
        # The store's own sentence says what to do.
        yield Finding(
            "bad",
            name,
            reason_of(error),
            "Check CONVEX_URL and CONVEX_DEPLOY_KEY."
            if settings.convex_url
            else "Check SQLITE_PATH: its owner and mode, and that its disk is one of this machine.",
        )
        return
    yield Finding("good", name, f"answers in {_ms_since(begun_at)} ms")


def check_redis(settings: Settings, ask: Callable[[], None] | None) -> Iterator[Finding]:
    """Ask Redis, where there is one; ``ask`` raises ``OSError`` when it will not serve."""
    if ask is None:
        if settings.web_concurrency > 1:
            yield Finding(
                "warning",
                "REDIS_URL",
                f"{settings.web_concurrency} workers count limits and budgets each for itself",
                "Set it, or WEB_CONCURRENCY=1.",
            )
        else:
            yield Finding("good", "REDIS_URL", "is not set, and one worker needs none")
        return
    try:
        ask()
    except OSError as error:
        yield Finding("bad", "REDIS_URL", str(error), "Name one Redis that answers, no cluster.")
    else:
        yield Finding("good", "REDIS_URL", "runs a script")


def check_proxies(settings: Settings) -> Iterator[Finding]:
    """Look at how clients are told apart."""
    if settings.client_ip_header:
        yield Finding("good", "CLIENT_IP_HEADER", f"{settings.client_ip_header} names the client")
    elif settings.trusted_proxy_hops:
        hops = settings.trusted_proxy_hops
        yield Finding(
            "good",
            "TRUSTED_PROXY_HOPS",
            f"{hops}: the client is number {hops} from the end of X-Forwarded-For",
        )
    else:
        yield Finding(
            "warning" if settings.is_production else "good",
            "TRUSTED_PROXY_HOPS",
            "0: the client is whoever connects",
            "Behind a proxy, set it: all visitors would share the proxy's limits."
            if settings.is_production
            else "",
        )


def check_keys(settings: Settings) -> Iterator[Finding]:
    """Look at the keys, which anybody may try to guess."""
    for name, keys in (
        ("ADMIN_API_KEY", settings.admin_api_keys),
        ("SECRET_KEY", settings.secret_keys),
    ):
        yield from _check_strength(name, keys, is_bad=True)
    yield from _check_missing(settings)


def _check_strength(name: str, keys: Sequence[str], *, is_bad: bool) -> Iterator[Finding]:
    weak = next((fault for key in keys if (fault := _weakness(key))), None)
    if weak:
        said = weak if is_bad else f"{weak}: production refuses it"
        yield Finding("bad" if is_bad else "warning", name, said, _NEW_KEY)
    elif keys:
        yield Finding("good", name, "is strong" if len(keys) == 1 else "all are strong")


def _check_missing(settings: Settings) -> Iterator[Finding]:
    if not settings.secret_keys and settings.is_production:
        yield Finding(
            "warning",
            "SECRET_KEY",
            "is derived from another key, or stands in a file: to change that ends all sessions",
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
    elif len(settings.dashboard_password) < MIN_PASSWORD_CHARS:
        yield Finding(
            "warning",
            "DASHBOARD_PASSWORD",
            f"has {len(settings.dashboard_password)} characters: production refuses it",
            'Make one: python3 -c "import secrets; print(secrets.token_urlsafe(18))"',
        )
    else:
        yield Finding("good", "DASHBOARD_PASSWORD", "is set: the dashboard is at /dashboard")


def check_assistant(assistant: AssistantSettings, settings: Settings) -> Iterator[Finding]:
    """Look at who may use an assistant, and at what a bad day of it may cost."""
    keys = assistant.widget_api_keys
    yield from _check_strength("WIDGET_API_KEY", keys, is_bad=settings.is_production)
    yield from _check_origins(assistant.origins, settings)
    budget, name = assistant.budgets.service, "BUDGET_TOKENS_PER_DAY"
    if budget:
        yield Finding("good", name, f"{budget:,}")
    else:
        advice = "Set one, and a limit at the model's provider."
        yield Finding("warning", name, "there is no budget", advice)


def _check_origins(origins: Sequence[str], settings: Settings) -> Iterator[Finding]:
    name = "CORS_ORIGIN"
    if "*" in origins:
        yield Finding(
            "warning", name, "allows any page: production refuses it", "Name your sites' origins."
        )
        return
    local = [each for each in origins if any(host in each for host in _LOCAL)]
    plain = [each for each in origins if each.startswith("http://") and each not in local]
    if settings.is_production and local:
        yield Finding("warning", name, f"allows {local[0]}", "Take it out when you are done.")
    if settings.is_production and plain:
        yield Finding("warning", name, f"{plain[0]} is not encrypted", "Serve the page over https.")
    yield Finding("good", name, f"allows {', '.join(origins)}")


def check_widget(settings: Settings) -> Iterator[Finding]:
    """Look whether there is a widget to serve."""
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
