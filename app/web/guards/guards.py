"""Who may ask what: origins, rates and keys, refused before any work.

Every blueprint stands in one table with its guard; one that does not is
refused, and a test compares the table with the application's blueprints.
"""

import hashlib
import hmac
import logging
from collections.abc import Callable, Iterable
from enum import Enum, auto

from flask import Flask, Response, current_app

from app.domain.errors import (
    NotConfigured,
    NotFound,
    OriginNotAllowed,
    Unauthorized,
)
from app.domain.origin import AllowedOrigins
from app.limits.storage import Limit
from app.settings import Settings
from app.web.current_request import Request, current_request
from app.web.guards.client_address import ClientAddresses
from app.web.guards.dashboard import require_operator
from app.web.guards.origins import is_own_page
from app.web.guards.sessions import read_token, require_token
from app.web.proxies import TrustedProxies
from app.web.services import services

log = logging.getLogger(__name__)


Guard = Callable[[Request], Response | None]
"""Refuses a request by raising, answers it, or lets it pass."""


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
# Only wrong keys count. A right one always opens: it is too long to be guessed, and
# whoever shares an address with a guesser must not be shut out.
_WRONG_ADMIN_KEYS = Limit("wrong-admin-key", 20, 60)
_PRIVATE_ENDPOINTS = ("metrics.metrics", "system.health")
_CHAT_ENDPOINTS = ("chat.chat", "headless.chat", "headless.stream")


def register(app: Flask, settings: Settings) -> None:
    """Guard an application."""
    refuse_wrong_widget_key = _key_guard(settings.widget_api_keys, "x-api-key", "x-widget-api-key")
    guards: dict[Access, Guard] = {
        Access.ANYONE: lambda _request: None,
        Access.WIDGET_KEY: refuse_wrong_widget_key,
        Access.CHAT: _in_turn(refuse_wrong_widget_key, read_token),
        Access.SESSION: require_token,
        Access.ADMIN_KEY: _admin_guard(settings.admin_api_keys, "x-admin-api-key"),
        Access.METRICS: _metrics_guard(settings),
        Access.OPERATOR: require_operator,
        Access.DEVELOPMENT: _development_guard(settings.is_development),
    }

    def refuse_without_key(request: Request) -> Response | None:
        if request.endpoint is None or request.endpoint == "static":
            return None
        access = ACCESS.get(request.blueprint or "")
        if access is None:
            raise Unauthorized
        return guards[access](request)

    guard = _in_turn(
        _private_port_guard(settings), _origin_guard(settings), _count_chats, refuse_without_key
    )
    app.before_request(lambda: guard(current_request()))


def _in_turn(*guards: Guard) -> Guard:
    """Ask one guard after the other, up to the first that answers."""

    def guard(request: Request) -> Response | None:
        for each in guards:
            answer = each(request)
            if answer is not None:
                return answer
        return None

    return guard


def _origin_guard(settings: Settings) -> Guard:
    allowed = AllowedOrigins(settings.cors_origins)
    clients = ClientAddresses(
        settings.trusted_proxy_hops,
        settings.client_ip_header,
        TrustedProxies(settings.trusted_proxies),
    )

    def refuse_foreign_origins(request: Request) -> Response | None:
        environ = request.environ
        request.client_address = clients.find(environ)
        origin = environ.get("HTTP_ORIGIN")
        if origin is not None and not _may_call(origin, allowed, request):
            log.warning(
                "Refused the origin %r: add it to CORS_ORIGIN if it embeds the widget", origin[:200]
            )
            raise OriginNotAllowed
        if request.method == "OPTIONS" and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ:
            return current_app.response_class(status=204)  # a preflight carries no key
        return None

    return refuse_foreign_origins


def _may_call(origin: str, allowed: AllowedOrigins, request: Request) -> bool:
    return allowed.include(origin) or request.endpoint in _OPEN_ENDPOINTS or is_own_page()


def _count_chats(request: Request) -> None:
    # Before the key is looked at, as in the original.
    if request.endpoint in _CHAT_ENDPOINTS and request.method == "POST":
        services().limits.count_chat(request.client_key)


def _key_guard(keys: Iterable[str], *headers: str) -> Callable[[Request], None]:
    digests = [_digest(key) for key in keys]
    names = _in_environ(headers)

    def refuse_wrong_key(request: Request) -> None:
        environ = request.environ
        given = next((environ[name] for name in names if name in environ), "")
        given = given.removeprefix("Bearer ")
        # Digests, because compare_digest refuses text outside ASCII.
        if not any(hmac.compare_digest(_digest(given), digest) for digest in digests):
            raise Unauthorized

    return refuse_wrong_key


def _admin_guard(keys: Iterable[str], *headers: str) -> Callable[[Request], None]:
    keys, names = tuple(keys), _in_environ(headers)
    refuse_wrong_key = _key_guard(keys, *headers)

    def guard(request: Request) -> None:
        if not keys:
            raise NotConfigured("ADMIN_API_KEY is not configured on this deployment")
        try:
            refuse_wrong_key(request)
        except Unauthorized:
            if any(request.environ.get(name) for name in names):
                services().limits.count((_WRONG_ADMIN_KEYS, request.client_key))
            raise

    return guard


def _metrics_guard(settings: Settings) -> Callable[[Request], None]:
    # Few monitoring systems can send a header of ours; all can send a bearer token.
    refuse_wrong_key = _admin_guard(settings.admin_api_keys, "x-admin-api-key", "Authorization")

    def guard(request: Request) -> None:
        if not _is_private(request, settings):
            refuse_wrong_key(request)

    return guard


def _private_port_guard(settings: Settings) -> Callable[[Request], None]:
    def keep_to_metrics(request: Request) -> None:
        if _is_private(request, settings) and request.endpoint not in _PRIVATE_ENDPOINTS:
            raise NotFound

    return keep_to_metrics


def _is_private(request: Request, settings: Settings) -> bool:
    # The listener's own port, by gunicorn's word: no header can change it.
    port = settings.metrics_port
    return port is not None and request.environ.get("SERVER_PORT") == str(port)


def _development_guard(is_development: bool) -> Callable[[Request], None]:
    def guard(_request: Request) -> None:
        if not is_development:
            raise NotFound

    return guard


def _in_environ(headers: Iterable[str]) -> tuple[str, ...]:
    return tuple("HTTP_" + name.upper().replace("-", "_") for name in headers)


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
