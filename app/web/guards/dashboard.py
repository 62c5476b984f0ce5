"""Who may see the dashboard: its cookie, and the token of its forms."""

import re
from typing import cast

import flask
from flask import Response, redirect, request, url_for

from app.domain.errors import Forbidden, NotConfigured
from app.operations.knowledge.learning import MAX_FILE_BYTES
from app.web.bodies import MAX_FORM_BYTES, receive_form
from app.web.current_request import COOKIE_PREFIX, Request, current_request
from app.web.guards.operator import DEVICE_S, Operators, SignIn
from app.web.services import services

FORM_FIELD = "token"
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
# No dot and no percent sign in its path, and no part of it empty: nothing that leads away.
_OWN_PAGE = re.compile(r"/dashboard/(?:[\w~:-]+/)*[\w~:-]*(?:\?[\w.~/?=&%+:-]*)?", re.ASCII)
_EXPIRED = "This form has expired. Go back, reload the page and try again"
_NEEDS_HTTPS = (
    "The dashboard needs https: over plain http, browsers drop its cookie. Open this page with "
    "https:// before its address. If it was, the proxy in front must send X-Forwarded-Proto"
)
# A page that looks for news by itself is no sign of the operator.
_POLL = "poll"
_SEEN_EVERY_S = 60
_DEVICE = "device"
# Forms that are longer than others, at most, in bytes.
_LONG_FORMS = {
    "dashboard.learn_file": MAX_FILE_BYTES + 64 * 1024,
    "dashboard.put_text": 480 * 1024,
    "dashboard.put_answer": 64 * 1024,
    "dashboard.reply": 96 * 1024,
}


def operators() -> Operators:
    """Return what knows the operators.

    Raises:
        NotConfigured: there is no password, and so no dashboard.
    """
    found = services().operators
    if found is None:
        raise NotConfigured("There is no dashboard until DASHBOARD_PASSWORD is set")
    return found


def require_operator(request: Request) -> Response | None:
    """Send whoever is not signed in to the sign-in page, and refuse forms that are not ours.

    Raises:
        Forbidden: a form without its token.
        NotConfigured: there is no dashboard.
        StorageUnavailable: nobody knows whether the sign-in was ended.
    """
    sign_in = read_sign_in()
    if sign_in is None:
        return _to_door()
    request.sign_in = sign_in
    if request.method not in _SAFE_METHODS:
        check_form(sign_in.id)
    return None


def read_sign_in() -> SignIn | None:
    """Return the sign-in that the request's cookie proves.

    Raises:
        StorageUnavailable: nobody knows whether it was ended.
    """
    sign_in = operators().read(request.cookies.get(cookie_name(), ""), browser(request))
    if sign_in is None or services().ended_sign_ins.includes(sign_in.id):
        return None
    return sign_in


def read_device() -> str | None:
    """Return which browser this is, if it was signed in before."""
    return operators().read_device(request.cookies.get(cookie_name(_DEVICE), ""))


def let_in(response: Response) -> None:
    """Sign the browser in, and know it from now on."""
    set_cookie(response, operators().sign_in(browser(request)))
    device = operators().to_device(read_device())
    put_cookie(response, cookie_name(_DEVICE), device, max_age_s=DEVICE_S)


def current_sign_in() -> SignIn:
    """Return whose request this is; the guard has let it through."""
    return cast(SignIn, current_request().sign_in)


def check_form(session: str) -> None:
    """Let a form come, and refuse one that did not come from our page.

    Raises:
        Forbidden: its token is missing or another one's; says so where the
            browser keeps no cookie of ours.
        InvalidRequest, TooManyRequests: see ``read_body``.
    """
    asked = current_request()
    receive_form(asked, _LONG_FORMS.get(asked.endpoint or "", MAX_FORM_BYTES))
    given = request.headers.get("X-Form-Token") or request.form.get(FORM_FIELD, "")
    if not operators().is_form_token(given, session):
        is_dropped = request.scheme == "http" and not any("perch-" in it for it in request.cookies)
        raise Forbidden(
            _NEEDS_HTTPS if services().settings.is_production and is_dropped else _EXPIRED
        )


def set_cookie(response: Response, sign_in: SignIn) -> None:
    """Give the browser its cookie, for as long as it lives at most."""
    put_cookie(response, cookie_name(), operators().to_cookie(sign_in))


def put_cookie(response: Response, name: str, value: str, *, max_age_s: int | None = None) -> None:
    """Set a cookie that no script reads and no other site sends along."""
    response.set_cookie(
        name,
        value,
        max_age=max_age_s,
        path="/",
        httponly=True,
        secure=services().settings.is_production,
        samesite="Lax",
    )


def drop_cookie(response: Response, name: str) -> None:
    """Take a cookie back."""
    response.delete_cookie(
        name, path="/", httponly=True, secure=services().settings.is_production, samesite="Lax"
    )


def sign_out() -> None:
    """End this sign-in for good, copies of its cookie included, on all machines."""
    services().ended_sign_ins.end(current_sign_in().id)


def note_seen(response: Response) -> Response:
    """Prolong the cookie while the operator is there."""
    sign_in = current_request().sign_in
    if sign_in is not None and _POLL not in request.args and "Set-Cookie" not in response.headers:
        seen = operators().seen(sign_in)
        if seen.seen_s - sign_in.seen_s > _SEEN_EVERY_S:
            set_cookie(response, seen)
    return response


def cookie_name(purpose: str = "dashboard") -> str:
    """Return a cookie's name; the prefix binds it to this very host and to TLS."""
    prefix = "__Host-" if services().settings.is_production else ""
    return f"{prefix}{COOKIE_PREFIX}{purpose}"


def browser(asked: flask.Request) -> str:
    """Return what a cookie is bound to."""
    return asked.headers.get("User-Agent", "")


def own_page(path: str | None) -> str | None:
    """Return a path if it leads to a page of the dashboard, and nowhere else.

    Without the path before ours, under which a proxy may have put us.
    """
    return path if path and _OWN_PAGE.fullmatch(path) and "//" not in path else None


def _to_door() -> Response:
    if request.headers.get("HX-Request"):
        # htmx would put the sign-in page into the place of a table.
        return Response(status=401, headers={"HX-Redirect": url_for("dashboard_sign_in.show")})
    wanted = own_page(request.full_path.rstrip("?")) if request.method == "GET" else None
    response = cast(Response, redirect(url_for("dashboard_sign_in.show", next=wanted)))
    response.headers["Cache-Control"] = "no-store"
    return response
