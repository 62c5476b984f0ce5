"""Faults of settings that can each be read: weak keys, and what does not go together."""

from typing import TYPE_CHECKING

from app.domain.mail_server import MailServer, is_mail_address, is_mailbox
from app.domain.webhook_secrets import read_webhook_secret
from app.settings.syntax import NO_HEADER, is_header_text, model_url_fault

if TYPE_CHECKING:
    from app.settings.policies import AssistantSettings
    from app.settings.values import Settings

DEVELOPMENT_WIDGET_KEY = "development-widget-key"
MIN_KEY_CHARS = 24
MIN_PASSWORD_CHARS = 12
_MAKE = (
    "Make one: python3 -c \"import base64, secrets; print('whsec_' + "
    'base64.b64encode(secrets.token_bytes(32)).decode())"'
)
_PLACEHOLDERS = ("change", "your-", "your_", "example", "placeholder", "replace", "xxxx")


def find_contradictions(settings: "Settings") -> dict[str, str]:
    """Return the faults that only several variables of the deployment together make."""
    faults: dict[str, str] = {}
    if settings.convex_url and not settings.convex_deploy_key:
        faults["CONVEX_DEPLOY_KEY"] = (
            "is needed with CONVEX_URL, because the functions are internal. Make one in the Convex "
            "dashboard (Settings, Deploy keys) with only the permissions to run internal queries "
            "and internal mutations; docs/convex.md shows each step"
        )
    _check_keys(faults, "ADMIN_API_KEY", settings.admin_api_keys)
    _check_keys(faults, "SECRET_KEY", settings.secret_keys)
    _check_password(faults, settings)
    if not (settings.redis_url or "redis://").startswith(("redis://", "rediss://", "unix://")):
        faults["REDIS_URL"] = "must begin with redis:// (rediss:// for TLS, unix:// for a socket)"
    _check_targets(faults, settings)
    if (settings.metrics_bind or "").endswith(f":{settings.port}"):
        faults["METRICS_BIND"] = "is PORT's port: choose another one"
    if settings.is_production and not settings.convex_url and not settings.sqlite_path:
        faults["CONVEX_URL"] = (
            "is not set. Set it to your Convex deployment, or set SQLITE_PATH to a file on a disk "
            "that survives a restart"
        )
    return faults


def find_assistant_faults(assistant: "AssistantSettings", *, is_production: bool) -> dict[str, str]:
    """Return the faults that an assistant's variables make together, by their names."""
    faults: dict[str, str] = {}
    # HS256 wants a key as long as its digest (RFC 7518, section 3.2).
    _check_keys(faults, "IDENTITY_SECRET", assistant.identity_secrets, least=32)
    if "*" in assistant.origins and len(assistant.origins) > 1:
        faults["CORS_ORIGIN"] = "mixes * with origins: name the origins only"
    _check_budgets(faults, assistant)
    _check_model(faults, assistant)
    if wrong := [each for each in assistant.people.notify_email if not is_mail_address(each)]:
        faults["NOTIFY_EMAIL"] = f"has {wrong[0]!r}: write addresses alone, as in me@example.com"
    if is_production:
        _check_keys(faults, "WIDGET_API_KEY", assistant.widget_api_keys)
        faults.update(_production_faults(assistant))
    return faults


def _check_targets(faults: dict[str, str], settings: "Settings") -> None:
    """Look at what people are told by: the webhook's secrets, the mail server."""
    if settings.webhook_url and not settings.webhook_secrets:
        faults["WEBHOOK_SECRET"] = f"is needed with WEBHOOK_URL: receivers know us by it. {_MAKE}"
    for secret in settings.webhook_secrets:
        try:
            read_webhook_secret(secret)
        except ValueError as error:
            faults["WEBHOOK_SECRET"] = f"{error}. {_MAKE}"
    if settings.smtp_url:
        try:
            MailServer.parse(settings.smtp_url)
        except ValueError as error:
            faults["SMTP_URL"] = str(error)
        if not settings.mail_from:
            faults["MAIL_FROM"] = "is needed with SMTP_URL: the address that mails come from"
    elif any(each.people.notify_email for each in settings.assistants):
        faults["SMTP_URL"] = "is needed with NOTIFY_EMAIL: the server that takes mails"
    if settings.mail_from and not is_mailbox(settings.mail_from):
        faults["MAIL_FROM"] = "is no address: write chat@example.com, or Chat <chat@example.com>"


def _production_faults(assistant: "AssistantSettings") -> dict[str, str]:
    faults: dict[str, str] = {}
    if not assistant.model.is_real:
        faults["OPENAI_API_KEY"] = (
            "is not set: production never answers with the demo model. A server that needs no key "
            "is named by OPENAI_BASE_URL"
        )
    if not assistant.widget_api_keys:
        faults["WIDGET_API_KEY"] = (
            'is not set. Make one: python3 -c "import secrets; print(secrets.token_urlsafe(32))"'
        )
    if not assistant.origins:
        faults["CORS_ORIGIN"] = (
            "is not set: name the origins of the pages that embed the widget, comma-separated"
        )
    elif "*" in assistant.origins:
        faults["CORS_ORIGIN"] = "is *, which is refused in production: name the origins"
    return faults


def _check_budgets(faults: dict[str, str], assistant: "AssistantSettings") -> None:
    budgets = assistant.budgets
    one_turn = assistant.turns.max_prompt_tokens + assistant.turns.max_output_tokens
    for name, tokens in (
        ("PER_DAY", budgets.service),
        ("PER_IP_DAY", budgets.client),
        ("PER_SESSION_DAY", budgets.session),
    ):
        if 0 < tokens < one_turn:
            faults[f"BUDGET_TOKENS_{name}"] = (
                f"is {tokens}, and one turn may take {one_turn} (MAX_PROMPT_TOKENS and "
                "MAX_OUTPUT_TOKENS): raise it, lower those, or use 0 for no budget"
            )


def _check_model(faults: dict[str, str], assistant: "AssistantSettings") -> None:
    model = assistant.model
    for name, url, key in (
        ("OPENAI_BASE_URL", model.base_url, model.api_key),
        ("OPENAI_FALLBACK_BASE_URL", model.fallback_base_url, model.fallback_api_key),
    ):
        if url and (fault := model_url_fault(url, has_key=bool(key))):
            faults[name] = fault
    if (model.fallback_base_url or model.fallback_api_key) and not model.fallback_name:
        faults["OPENAI_FALLBACK_MODEL"] = (
            "is not set, but OPENAI_FALLBACK_BASE_URL or OPENAI_FALLBACK_API_KEY is: name the model"
        )
    turn_s, first_s = assistant.turns.turn_timeout_s, model.first_token_timeout_s
    if first_s >= turn_s:
        faults["MODEL_FIRST_TOKEN_TIMEOUT_S"] = (
            f"is {first_s:g}, and a whole turn may take {turn_s:g} (TURN_TIMEOUT_S): lower it, or "
            "raise that"
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
        elif not is_header_text(key):
            faults[name] = f"{NO_HEADER}: use letters and digits"


def _check_password(faults: dict[str, str], settings: "Settings") -> None:
    password = settings.dashboard_password
    if password and settings.is_production and len(password) < MIN_PASSWORD_CHARS:
        faults["DASHBOARD_PASSWORD"] = (
            f"has {len(password)} characters: use at least {MIN_PASSWORD_CHARS}"
        )
