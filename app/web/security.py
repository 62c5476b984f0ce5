"""Who may ask what: origins, rates and keys, refused before any work.

Every blueprint stands in one table with its guard; one that does not is
refused, and a test compares the table with the application's blueprints.
"""

import hashlib
import hmac
import logging
from collections.abc import Callable, Iterable
from enum import Enum, auto

from flask import Flask, Response, current_app, g, request
from flask_cors import CORS
from flask_talisman import Talisman

from app.errors import (
    NotConfigured,
    NotFound,
    OriginNotAllowed,
    TooManyRequests,
    Unauthorized,
)
from app.settings import Settings
from app.web.client_address import client_address, limit_key
from app.web.dashboard_access import require_operator
from app.web.limits import Limit
from app.web.origins import is_own_page
from app.web.services import services
from app.web.sessions import read_token, require_token

log = logging.getLogger(__name__)

_METHODS = ["GET", "POST", "DELETE", "OPTIONS"]
_ALLOWED_HEADERS = [
    "Content-Type",
    "Authorization",
    "x-api-key",
    "x-widget-api-key",
    "x-admin-api-key",
]
_EXPOSED_HEADERS = ["Retry-After", "X-Request-Id"]
_PREFLIGHT_AGE_S = 7200
_HSTS = "max-age=31536000; includeSubDomains"
API_POLICY = "default-src 'none'; frame-ancestors 'none'"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class Access(Enum):
    """Who may call a blueprint's routes."""

    ANYONE = auto()
    WIDGET_KEY = auto()
    CHAT = auto()  # the widget key, and a session token for a session that has one
    SESSION = auto()
    ADMIN_KEY = auto()
    OPERATOR = auto()
    METRICS = auto()  # the admin key, or whoever reaches the private port
    DEVELOPMENT = auto()


ACCESS: dict[str, Access] = {
    "chat": Access.CHAT,
    "headless": Access.CHAT,
    "session_door": Access.WIDGET_KEY,
    "session": Access.SESSION,
    "admin": Access.ADMIN_KEY,
    "dashboard_door": Access.ANYONE,  # asks for the password itself
    "dashboard": Access.OPERATOR,
    "widget": Access.ANYONE,
    "system": Access.ANYONE,
    "metrics": Access.METRICS,
    "demo": Access.DEVELOPMENT,
}
# Readable from any origin: they hold nothing that is not public.
_OPEN_ENDPOINTS = {
    "widget.bundle",
    "widget.part",
    "system.health",
    "system.ready",
    "system.openapi_document",
    "system.docs",
    "static",
}
# Only wrong keys count; where they were too many, not even the right one is looked at.
_WRONG_ADMIN_KEYS = Limit("wrong-admin-key", 20, 60, TooManyRequests)
_PRIVATE_ENDPOINTS = ("metrics.metrics", "system.health")
_CHAT_ENDPOINTS = ("chat.chat", "headless.chat", "headless.stream")


def register(app: Flask, settings: Settings) -> None:
    """Guard an application, and put the headers on its answers."""
    refuse_wrong_widget_key = _key_guard(settings.widget_api_keys, "x-api-key", "x-widget-api-key")
    guards: dict[Access, Callable[[], Response | None]] = {
        Access.ANYONE: lambda: None,
        Access.WIDGET_KEY: refuse_wrong_widget_key,
        Access.CHAT: _in_turn(refuse_wrong_widget_key, read_token),
        Access.SESSION: require_token,
        Access.ADMIN_KEY: _admin_guard(settings.admin_api_keys, "x-admin-api-key"),
        Access.METRICS: _metrics_guard(settings),
        Access.OPERATOR: require_operator,
        Access.DEVELOPMENT: _development_guard(settings.is_development),
    }
    app.before_request(_private_port_guard(settings))
    app.before_request(_origin_guard(settings))
    app.before_request(_count_chats)

    @app.before_request
    def refuse_without_key() -> Response | None:
        if request.endpoint is None or request.endpoint == "static":
            return None
        access = ACCESS.get(request.blueprint or "")
        if access is None:
            raise Unauthorized
        return guards[access]()

    _add_headers(app, settings)


def client_key() -> str:
    """Return what this request's client is limited by."""
    return limit_key(g.client_address)


def _origin_guard(settings: Settings) -> Callable[[], Response | None]:
    allowed = frozenset(settings.cors_origins)

    def refuse_foreign_origins() -> Response | None:
        g.client_address = client_address(
            request.environ, settings.trusted_proxy_hops, settings.client_ip_header
        )
        origin = request.headers.get("Origin")
        if origin is not None and not _may_call(origin, allowed):
            log.warning(
                "Refused the origin %r: add it to CORS_ORIGIN if it embeds the widget", origin[:200]
            )
            raise OriginNotAllowed
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            return current_app.response_class(status=204)  # a preflight carries no key
        return None

    return refuse_foreign_origins


def _may_call(origin: str, allowed: frozenset[str]) -> bool:
    return (
        "*" in allowed or origin in allowed or request.endpoint in _OPEN_ENDPOINTS or is_own_page()
    )


def _count_chats() -> None:
    # Before the key is looked at, as in the original.
    if request.endpoint in _CHAT_ENDPOINTS and request.method == "POST":
        services().limits.count_chat(client_key())


def _in_turn(*guards: Callable[[], None]) -> Callable[[], None]:
    def guard() -> None:
        for each in guards:
            each()

    return guard


def _key_guard(keys: Iterable[str], *headers: str) -> Callable[[], None]:
    digests = [_digest(key) for key in keys]

    def refuse_wrong_key() -> None:
        given = next((request.headers[name] for name in headers if name in request.headers), "")
        given = given.removeprefix("Bearer ")
        # Digests, because compare_digest refuses text outside ASCII.
        if not any(hmac.compare_digest(_digest(given), digest) for digest in digests):
            raise Unauthorized

    return refuse_wrong_key


def _admin_guard(keys: Iterable[str], *headers: str) -> Callable[[], None]:
    keys = tuple(keys)
    refuse_wrong_key = _key_guard(keys, *headers)

    def guard() -> None:
        if not keys:
            raise NotConfigured("ADMIN_API_KEY is not configured on this deployment")
        limits, client = services().limits, client_key()
        limits.refuse_full(_WRONG_ADMIN_KEYS, client)
        try:
            refuse_wrong_key()
        except Unauthorized:
            if any(request.headers.get(name) for name in headers):
                limits.count((_WRONG_ADMIN_KEYS, client))
            raise

    return guard


def _metrics_guard(settings: Settings) -> Callable[[], None]:
    # Few monitoring systems can send a header of ours; all can send a bearer token.
    refuse_wrong_key = _admin_guard(settings.admin_api_keys, "x-admin-api-key", "Authorization")

    def guard() -> None:
        if not _is_private(settings):
            refuse_wrong_key()

    return guard


def _private_port_guard(settings: Settings) -> Callable[[], None]:
    def keep_to_metrics() -> None:
        if _is_private(settings) and request.endpoint not in _PRIVATE_ENDPOINTS:
            raise NotFound

    return keep_to_metrics


def _is_private(settings: Settings) -> bool:
    # The listener's own port, by gunicorn's word: no header can change it.
    return request.environ.get("SERVER_PORT") == str(settings.metrics_port)


def _development_guard(is_development: bool) -> Callable[[], None]:
    def guard() -> None:
        if not is_development:
            raise NotFound

    return guard


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


def _add_headers(app: Flask, settings: Settings) -> None:
    CORS(
        app,
        origins="*" if "*" in settings.cors_origins else list(settings.cors_origins),
        methods=_METHODS,
        allow_headers=_ALLOWED_HEADERS,
        expose_headers=_EXPOSED_HEADERS,
        max_age=_PREFLIGHT_AGE_S,
        send_wildcard="*" in settings.cors_origins,
        vary_header=True,
        automatic_options=False,
    )
    Talisman(
        app,
        force_https=False,  # a redirect would break health checks behind a proxy
        strict_transport_security=False,
        session_cookie_secure=settings.is_production,
        frame_options="DENY",
        referrer_policy="no-referrer",
        permissions_policy={"camera": "()", "microphone": "()", "geolocation": "()"},
        content_security_policy=False,
    )

    @app.after_request
    def add_our_headers(response: Response) -> Response:
        headers = response.headers
        headers["X-Request-Id"] = g.request_id
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Content-Security-Policy", API_POLICY)
        headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if settings.is_production:
            headers["Strict-Transport-Security"] = _HSTS
        return response
