"""What the operator's pages share: how they are rendered, and how they fail."""

import logging
import math
from typing import Any

from flask import Blueprint, Response, make_response, render_template
from werkzeug.exceptions import HTTPException

from app import __version__
from app.errors import NotFound, ServiceError
from app.web.answer_headers import PAGE_POLICY
from app.web.dashboard_access import current_sign_in, note_seen, operators
from app.web.formats import register as register_filters
from app.web.problems import status_of
from app.web.services import services

log = logging.getLogger(__name__)

blueprint = Blueprint("dashboard", __name__, url_prefix="/dashboard")
blueprint.after_request(note_seen)
register_filters(blueprint)


def render(template: str, status: int = 200, **context: Any) -> Response:
    """Render a page, or a part of one, for a signed-in operator."""
    token = operators().form_token(current_sign_in().id)
    return as_page(
        render_template(
            f"dashboard/{template}", form_token=token, perch_version=__version__, **context
        ),
        status,
    )


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
    if isinstance(error, HTTPException):
        status, text = error.code or 500, error.name
    else:
        failure = error if isinstance(error, ServiceError) else ServiceError()
        status, text = status_of(failure), str(failure)
    if status >= 500:
        expected = isinstance(error, ServiceError)
        log.error("A page of the dashboard failed: %s", error, exc_info=None if expected else error)
    wait_s = getattr(error, "retry_after_s", None)
    html = render_template(
        "dashboard/failure.html",
        status=status,
        text=text,
        wait_s=wait_s,
        settings=services().settings,
        perch_version=__version__,
    )
    page = as_page(html, status)
    if wait_s is not None:
        page.headers["Retry-After"] = str(max(1, math.ceil(wait_s)))
    return page


blueprint.register_error_handler(Exception, tell_failure)
