"""The service about itself: is it well, and what can it do."""

from typing import cast

from flask import (
    Blueprint,
    Response,
    current_app,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)

from app.assistants import Assistant
from app.web import openapi
from app.web.answer_headers import PAGE_POLICY
from app.web.contract import contract
from app.web.guards.origins import own_url
from app.web.schemas.chat import HealthSchema, ReadinessSchema
from app.web.services import services

blueprint = Blueprint("system", __name__)

# Anybody may read it: what the provider says is for the owner alone.
_MODEL_TROUBLE = "The model's provider refuses every request until the owner changes something"


@blueprint.get("/")
@contract()
def root() -> Response:
    """Lead an operator to the dashboard, and tell anybody else that this is a server."""
    if services().operators and "text/html" in request.headers.get("Accept", ""):
        response = cast(Response, redirect(url_for("dashboard.overview")))
    else:
        response = jsonify(service="Perch", docs=url_for("system.docs"))
    response.headers["Cache-Control"] = "no-store"
    response.headers["Vary"] = "Accept"
    return response


@blueprint.get("/health")
@contract(answer=HealthSchema)
def health() -> Response:
    """Tell that the process answers; touches nothing else."""
    response = jsonify(status="ok")
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/ready")
@contract(answer=ReadinessSchema, otherwise={503: ReadinessSchema})
def ready() -> Response:
    """Tell whether turns can be served: 200, or 503 with what stands in the way."""
    default = services().assistants.default
    store = services().readiness.ask_store()
    status = "ready" if store == "ok" else "not_ready"
    if services().turns.is_draining:
        status = "draining"
    said = {"status": status, "store": store, "model": default.model_name}
    if any(each.breaker.trouble for each in services().assistants):
        # Still ready: to be taken out of service would hide the dashboard, and mend nothing.
        said["trouble"] = _MODEL_TROUBLE
    if store == "ok" and any(_is_building(each) for each in services().assistants):
        said["knowledge"] = "building"
    response = jsonify(said)
    response.status_code = 200 if status == "ready" else 503
    response.headers["Cache-Control"] = "no-store"
    return response


def _is_building(assistant: Assistant) -> bool:
    knowledge = assistant.knowledge
    return knowledge is not None and knowledge.is_known() and not knowledge.has_index()


@blueprint.get("/v1/openapi.json")
@contract()
def openapi_document() -> Response:
    """Describe this API (OpenAPI 3.1)."""
    response = jsonify(openapi.describe(current_app, own_url()))
    response.headers["Cache-Control"] = "no-store"  # it may say back what the request called us
    return response


@blueprint.get("/docs")
@contract(media_type="text/html")
def docs() -> Response:
    """Show this API as a page."""
    document = openapi.describe(current_app, own_url())
    page = make_response(render_template("docs.html", document=document))
    page.headers["Content-Security-Policy"] = PAGE_POLICY
    page.headers["Cache-Control"] = "no-store"
    return page
