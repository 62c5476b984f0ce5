"""Faults of settings that can each be read: weak keys, and what does not go together."""

from collections.abc import Mapping
from typing import Any

from app.settings.syntax import NO_HEADER, is_header_text, model_url_fault

DEVELOPMENT_WIDGET_KEY = "development-widget-key"
MIN_KEY_CHARS = 24
MIN_PASSWORD_CHARS = 12
_PLACEHOLDERS = ("change", "your-", "your_", "example", "placeholder", "replace", "xxxx")


def find_contradictions(values: Mapping[str, Any]) -> dict[str, str]:
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
    if not (values["redis_url"] or "redis://").startswith(("redis://", "rediss://", "unix://")):
        faults["REDIS_URL"] = "must begin with redis:// (rediss:// for TLS, unix:// for a socket)"
    if (values["metrics_bind"] or "").endswith(f":{values['port']}"):
        faults["METRICS_BIND"] = "is PORT's port: choose another one"
    _check_budgets(faults, values)
    _check_model(faults, values)
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
    if not values["openai_api_key"] and not values["openai_base_url"]:
        faults["OPENAI_API_KEY"] = (
            "is not set: production never answers with the demo model. A server that needs no key "
            "is named by OPENAI_BASE_URL"
        )
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


def _check_model(faults: dict[str, str], values: Mapping[str, Any]) -> None:
    for prefix in ("openai", "openai_fallback"):
        url, key = values[f"{prefix}_base_url"], values[f"{prefix}_api_key"]
        if url and (fault := model_url_fault(url, has_key=bool(key))):
            faults[f"{prefix.upper()}_BASE_URL"] = fault
    fallback = (values["openai_fallback_base_url"], values["openai_fallback_api_key"])
    if any(fallback) and not values["openai_fallback_model"]:
        faults["OPENAI_FALLBACK_MODEL"] = (
            "is not set, but OPENAI_FALLBACK_BASE_URL or OPENAI_FALLBACK_API_KEY is: name the model"
        )
    turn_s, first_s = values["turn_timeout_s"], values["model_first_token_timeout_s"]
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


def _check_password(faults: dict[str, str], values: Mapping[str, Any]) -> None:
    password = values["dashboard_password"]
    if password and values["app_env"] == "production" and len(password) < MIN_PASSWORD_CHARS:
        faults["DASHBOARD_PASSWORD"] = (
            f"has {len(password)} characters: use at least {MIN_PASSWORD_CHARS}"
        )
