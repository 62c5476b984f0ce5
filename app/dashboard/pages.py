"""What the operator's pages share: how they are rendered, and how they fail."""

import hashlib
import logging
from collections.abc import Iterable
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from app import __version__
from app.dashboard.operator_zone import zone_name
from app.dashboard.rendering.formats import register as register_filters
from app.dashboard.service_status import count_waiting, find_troubles
from app.domain.errors import NotFound, ServiceError
from app.web.answer_headers import PAGE_POLICY
from app.web.current_request import current_request
from app.web.guards.dashboard import current_sign_in, note_seen, operators
from app.web.problems import code_of, status_of, to_retry_after
from app.web.services import services

log = logging.getLogger(__name__)

blueprint = Blueprint("dashboard", __name__, url_prefix="/dashboard")
blueprint.after_request(note_seen)
register_filters(blueprint)


def render(template: str, status: int = 200, **context: Any) -> Response:
    """Render a page, or a part of one, for a signed-in operator."""
    assistants = services().assistants
    return as_page(
        render_template(
            f"dashboard/{template}",
            form_token=operators().form_token(current_sign_in().id),
            perch_version=__version__,
            zone=zone_name(),
            assistants=assistants.ids if assistants.are_several else (),
            # A part of a page is drawn into one that shows them.
            troubles=() if is_part() else find_troubles(),
            waiting=None if is_part() else count_waiting(),
            **context,
        ),
        status,
    )


def is_part() -> bool:
    """Tell whether a script asks for a part of a page, to draw it into the page."""
    # Going back, htmx wants the whole page again.
    asked = request.headers
    return "HX-Request" in asked and "HX-History-Restore-Request" not in asked


def version_of(parts: Iterable[object]) -> str:
    """Return what changes when a part of a page would look different."""
    return hashlib.sha256(repr(tuple(parts)).encode("utf-8", "replace")).hexdigest()[:16]


blueprint.add_app_template_global(version_of)


def is_known(version: str) -> bool:
    """Tell whether the page that asks for a part shows this version of it."""
    return is_part() and request.args.get("version") == version


@blueprint.get("/status")
def status() -> Response:
    """Show what is wrong with the service, for a page that stays open."""
    troubles = find_troubles()
    if is_known(version_of(troubles)):
        return Response(status=204)
    return as_page(render_template("dashboard/status.html", troubles=troubles))


def as_page(html: str, status: int = 200) -> Response:
    """Return HTML with the headers that every page of the dashboard has."""
    page = make_response(html, status)
    page.headers["Content-Security-Policy"] = PAGE_POLICY
    # Conversations must not stay behind in a shared browser's cache.
    page.headers["Cache-Control"] = "no-store"
    page.headers["Vary"] = "HX-Request"
    return page


@blueprint.get("/<path:_unknown>")
def miss(_unknown: str) -> Response:
    """Tell that there is no such page."""
    raise NotFound("There is no such page")


def tell_failure(error: Exception) -> Response:
    """Show a failure as a page that a human can go on from."""
    wait_s = None
    if isinstance(error, HTTPException):
        status, text = error.code or 500, error.name
        code = code_of(status)
    else:
        failure = error if isinstance(error, ServiceError) else ServiceError()
        status, text, code = status_of(failure), str(failure), failure.code
        wait_s = failure.retry_after_s
    # Told to the log and the metrics, as every other failure is.
    current_request().error_code = code
    if status >= 500:
        expected = isinstance(error, ServiceError)
        log.error("A page of the dashboard failed: %s", error, exc_info=None if expected else error)
    html = render_template(
        "dashboard/failure.html",
        status=status,
        text=text,
        code=code,
        request_id=current_request().id,
        wait_s=wait_s,
        settings=services().settings,
        perch_version=__version__,
    )
    page = as_page(html, status)
    if wait_s is not None:
        page.headers["Retry-After"] = to_retry_after(wait_s)
    return page


blueprint.register_error_handler(Exception, tell_failure)
