"""Signing in and out."""

import secrets
from typing import cast

from flask import Blueprint, Response, redirect, render_template, request, url_for

from app.dashboard.pages import as_page, blueprint, tell_failure
from app.web.current_request import current_request
from app.web.guards.dashboard import (
    FORM_FIELD,
    check_form,
    cookie_name,
    drop_cookie,
    let_in,
    operators,
    own_page,
    put_cookie,
    read_device,
    read_sign_in,
    sign_out,
)
from app.web.guards.sign_in_tries import count_try, forgive
from app.web.services import services

signing_in = Blueprint("dashboard_sign_in", __name__, url_prefix="/dashboard")
signing_in.register_error_handler(Exception, tell_failure)

# Before anybody is signed in, forms are bound to a browser by this cookie.
_VISIT = "door"
_LINK_ENDED = "This link has ended, or was used. Make a new one: python -m app sign-in"


@signing_in.get("/login")
def show() -> Response:
    """Ask for the password, or show the link that takes its place."""
    if read_sign_in() is not None:
        return _to(url_for("dashboard.overview"))
    link = request.args.get("link")
    if link is None:
        return _form()
    if operators().read_link(link) is None:
        return _form(401, _LINK_ENDED)
    # A click more: what only looks at links must not use them up.
    return _form(link=link)


@signing_in.post("/login")
def sign_in() -> Response:
    """Let in who knows the password, or brings a link that the owner made."""
    # First of all: what is not our form is no try, and counts for nobody.
    check_form(_session_of(request.cookies.get(cookie_name(_VISIT), "")))
    link = request.form.get("link")
    if link is not None:
        if not _is_first_use(link):
            return _form(401, _LINK_ENDED)
    elif not _is_password(request.form.get("password", "")):
        return _form(401, "That is not the password.")
    wanted = own_page(request.form.get("next"))
    response = _to(request.script_root + wanted if wanted else url_for("dashboard.overview"))
    drop_cookie(response, cookie_name(_VISIT))
    let_in(response)
    return response


@blueprint.post("/logout")
def leave() -> Response:
    """End this sign-in."""
    sign_out()
    response = _to(url_for("dashboard_sign_in.show"))
    drop_cookie(response, cookie_name())
    return response


def _is_password(given: str) -> bool:
    request = current_request()
    limits = services().limits
    tried = count_try(limits, read_device(), request.client_key, request.client_address)
    if not operators().knows(given):
        return False
    forgive(limits, tried)
    return True


def _is_first_use(link: str) -> bool:
    link_id = operators().read_link(link)
    return link_id is not None and services().store.revoke(link_id)


def _form(status: int = 200, fault: str | None = None, link: str | None = None) -> Response:
    visit = request.cookies.get(cookie_name(_VISIT)) or secrets.token_urlsafe(16)
    page = as_page(
        render_template(
            "dashboard/sign_in.html",
            fault=fault,
            link=link,
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
