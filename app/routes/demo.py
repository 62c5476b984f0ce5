"""Pages to try everything on, in development only."""

from flask import Blueprint, Response, make_response, render_template

from app.web.answer_headers import PAGE_POLICY
from app.web.guards.origins import own_url
from app.web.services import services

blueprint = Blueprint("demo", __name__, url_prefix="/demo")


@blueprint.get("/headless")
def headless() -> Response:
    """Show the HTTP API at work."""
    return _page("demo_headless.html")


@blueprint.get("/widget")
def widget() -> Response:
    """Show the widget at work."""
    return _page("demo_widget.html")


def _page(template: str) -> Response:
    keys = services().settings.assistant.widget_api_keys
    page = make_response(
        render_template(template, base_url=own_url(), widget_key=keys[0] if keys else "")
    )
    page.headers["Content-Security-Policy"] = PAGE_POLICY
    page.headers["Cache-Control"] = "no-store"
    return page
