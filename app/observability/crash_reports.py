"""Crashes, told to Sentry where the owner wants it: what broke and where, never what was said.

What leaves is built anew from a list of what may leave. An error's own text is not
on it, for it may quote a visitor; nor are variables, headers and addresses.
"""

import logging
from typing import TYPE_CHECKING, Any

from flask import has_request_context

from app import __version__
from app.settings import Settings
from app.web.current_request import current_request

if TYPE_CHECKING:
    from sentry_sdk.types import Event

log = logging.getLogger(__name__)

_EVENT = ("event_id", "timestamp", "level", "platform", "release", "environment", "logger", "sdk")
_FRAME = ("filename", "function", "module", "lineno", "in_app", "context_line")
# Whose messages are sentences with the words left out.
_PLAIN_SPOKEN = ("app.", "gunicorn.")


def register(settings: Settings) -> None:
    """Report what is logged as an error, if the owner has named a place for it."""
    if settings.sentry_dsn is None:
        return
    try:
        import sentry_sdk
        from sentry_sdk.integrations.logging import LoggingIntegration
    except ImportError:
        log.warning("SENTRY_DSN is set, but Sentry's SDK is not installed: pip install sentry-sdk")
        return
    sentry_sdk.init(
        dsn=settings.sentry_dsn,
        environment=settings.app_env,
        release=f"perch@{__version__}",
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[LoggingIntegration(level=None, event_level=logging.ERROR)],
        before_send=to_report,
        include_local_variables=False,
        max_breadcrumbs=0,
        send_client_reports=False,
        auto_session_tracking=False,
    )


def to_report(event: "Event", _hint: dict[str, Any]) -> "Event":
    """Return what may leave of an event."""
    told: dict[str, Any] = {name: event[name] for name in _EVENT if name in event}  # type: ignore[literal-required]
    exceptions = (event.get("exception") or {}).get("values") or []
    if exceptions:
        told["exception"] = {"values": [_to_exception(each) for each in exceptions]}
    if str(event.get("logger", "")).startswith(_PLAIN_SPOKEN):
        # The sentence before its arguments were put in.
        told["logentry"] = {"message": str((event.get("logentry") or {}).get("message", ""))}
    if has_request_context():
        request = current_request()
        told["tags"] = {"request_id": request.id, "endpoint": str(request.endpoint)}
    return told  # type: ignore[return-value]


def _to_exception(exception: dict[str, Any]) -> dict[str, Any]:
    frames = (exception.get("stacktrace") or {}).get("frames") or []
    return {
        "type": exception.get("type"),
        "module": exception.get("module"),
        "stacktrace": {
            "frames": [{name: frame[name] for name in _FRAME if name in frame} for frame in frames]
        },
    }
