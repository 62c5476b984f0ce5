"""Signing in and out."""

import secrets
from typing import cast

from flask import Blueprint, Response, redirect, render_template, request, url_for

from app.routes.dashboard.pages import as_page, blueprint, tell_failure
from app.web.current_request import current_request
from app.web.dashboard_access import (
    FORM_FIELD,
    SIGN_INS,
    browser,
    check_form,
    cookie_name,
    drop_cookie,
    operators,
    own_page,
    put_cookie,
    read_sign_in,
    set_cookie,
    sign_out,
)
from app.web.services import services

door = Blueprint("dashboard_door", __name__, url_prefix="/dashboard")
door.register_error_handler(Exception, tell_failure)

# Before anybody is signed in, forms are bound to a browser by this cookie.
_VISIT = "door"


@door.get("/login")
def show() -> Response:
    """Ask for the password."""
    if read_sign_in() is not None:
        return _to(url_for("dashboard.overview"))
    return _form()


@door.post("/login")
def sign_in() -> Response:
    """Let in who knows the password, five tries in five minutes."""
    services().limits.count((SIGN_INS, current_request().client_key))
    visit = request.cookies.get(cookie_name(_VISIT), "")
    check_form(_session_of(visit))
    if not operators().knows(request.form.get("password", "")):
        return _form(401, "That is not the password.")
    wanted = own_page(request.form.get("next"))
    response = _to(request.script_root + wanted if wanted else url_for("dashboard.overview"))
    drop_cookie(response, cookie_name(_VISIT))
    set_cookie(response, operators().sign_in(browser(request)))
    return response


@blueprint.post("/logout")
def leave() -> Response:
    """End this sign-in."""
    sign_out()
    response = _to(url_for("dashboard_door.show"))
    drop_cookie(response, cookie_name())
    return response


def _form(status: int = 200, fault: str | None = None) -> Response:
    visit = request.cookies.get(cookie_name(_VISIT)) or secrets.token_urlsafe(16)
    page = as_page(
        render_template(
            "dashboard/sign_in.html",
            fault=fault,
            form_field=FORM_FIELD,
            form_token=operators().form_token(_session_of(visit)),
            next=own_page(request.values.get("next")),
        ),
        status,
    )
    put_cookie(page, cookie_name(_VISIT), visit)
    return page


def _session_of(visit: str) -> str:
    # Never the name of a sign-in, whatever the cookie says.
    return f"door {visit}"


def _to(url: str) -> Response:
    response = cast(Response, redirect(url, 303))
    response.headers["Cache-Control"] = "no-store"
    return response
