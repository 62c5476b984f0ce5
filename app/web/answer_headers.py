"""The headers that every answer carries: flask-cors's, flask-talisman's and our own."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from flask import Flask, Response
from flask_cors import CORS
from flask_talisman import Talisman

from app.domain.origin import AllowedOrigins
from app.settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_METHODS = ["GET", "POST", "DELETE", "OPTIONS"]
_ALLOWED_HEADERS = [
    "Content-Type",
    "Authorization",
    "x-api-key",
    "x-widget-api-key",
    "x-admin-api-key",
    "x-session-id",
    "Idempotency-Key",
    "Last-Event-ID",
    "x-vercel-ai-ui-message-stream",
    r"x-stainless-.*",  # what OpenAI's SDKs tell of themselves
]
_EXPOSED_HEADERS = ["Retry-After", "X-Request-Id"]
_PREFLIGHT_AGE_S = 7200
_HSTS = "max-age=31536000"
API_POLICY = "default-src 'none'; frame-ancestors 'none'"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# What a request is asked about; the last three are a preflight's.
_ASKED = (
    "HTTP_ORIGIN",
    "HTTP_ACCESS_CONTROL_REQUEST_METHOD",
    "HTTP_ACCESS_CONTROL_REQUEST_HEADERS",
    "HTTP_ACCESS_CONTROL_REQUEST_PRIVATE_NETWORK",
)
_ANY_ORIGIN = re.compile(".*", re.DOTALL)
# Anybody may send any origin.
_MAX_REMEMBERED = 256

# Each behind its name in lower case.
_Headers = tuple[tuple[str, tuple[str, str]], ...]


class AnswerHeaders:
    """WSGI middleware that puts on each answer what it does not carry already.

    ``allowed`` are the origins of all assistants: a preflight does not say whom it is
    for. What the two extensions say depends on the settings and the origin alone.
    They are asked once for each origin; asked for each answer, they would
    cost as much as all the rest of Flask.
    """

    def __init__(
        self, application: "WSGIApplication", settings: Settings, allowed: AllowedOrigins
    ) -> None:
        self._application = application
        self._allowed = allowed
        self._extensions = _extensions(self._allowed)
        self._ours = {
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": API_POLICY,
            "Cross-Origin-Resource-Policy": "same-origin",
        }
        if settings.is_production:
            subdomains = "; includeSubDomains" if settings.hsts_subdomains else ""
            self._ours["Strict-Transport-Security"] = _HSTS + subdomains
        self._remembered = lru_cache(_MAX_REMEMBERED)(self._ask)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer a request."""
        is_preflight = environ["REQUEST_METHOD"] == "OPTIONS"
        asked = _ASKED if is_preflight else _ASKED[:1]
        to_this_page, to_anybody = self._remembered(*(environ.get(name) for name in asked))

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            given = {name.lower() for name, _ in headers}
            # What is open to all pages is the same for each: caches in between keep one copy.
            more = to_anybody if "access-control-allow-origin" in given else to_this_page
            given.discard("vary")
            headers += [header for name, header in more if name not in given]
            return start_response(status, headers, *error)

        return self._application(environ, start)

    def _ask(self, *asked: str | None) -> tuple[_Headers, _Headers]:
        environ = {name: value for name, value in zip(_ASKED, asked, strict=False) if value}
        if not self._allowed.include(environ.get(_ASKED[0], "")):
            environ.pop(_ASKED[0], None)
        method = "OPTIONS" if len(asked) > 1 else "GET"
        with self._extensions.test_request_context("/", method=method, environ_overrides=environ):
            told = self._extensions.process_response(Response()).headers
        del told["Content-Type"], told["Content-Length"]
        for name, value in self._ours.items():
            told.setdefault(name, value)
        named = tuple((name.lower(), (name, value)) for name, value in told)
        return named, tuple(header for header in named if not _is_of_cors(header[0]))


def _extensions(allowed: AllowedOrigins) -> Flask:
    """Return an application that the two extensions are the whole of."""
    app = Flask(__name__)
    CORS(
        app,
        # It is asked about origins that are allowed, and says each back as the browser wrote it.
        origins="*" if allowed.is_everybody else [_ANY_ORIGIN],
        methods=_METHODS,
        allow_headers=_ALLOWED_HEADERS,
        expose_headers=_EXPOSED_HEADERS,
        max_age=_PREFLIGHT_AGE_S,
        send_wildcard=allowed.is_everybody,
        vary_header=True,
        automatic_options=False,
    )
    Talisman(
        app,
        force_https=False,  # a redirect would break health checks behind a proxy
        strict_transport_security=False,
        frame_options="DENY",
        referrer_policy="no-referrer",
        permissions_policy={"camera": "()", "microphone": "()", "geolocation": "()"},
        content_security_policy=False,
    )
    return app


def _is_of_cors(name: str) -> bool:
    return name == "vary" or name.startswith("access-control-")
