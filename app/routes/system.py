"""The service about itself: is it well, and what can it do."""

from flask import Blueprint, Response, current_app, jsonify, make_response, render_template, request

from app.errors import StorageUnavailable
from app.web import openapi
from app.web.contract import contract
from app.web.schemas import HealthSchema, ReadinessSchema
from app.web.security import PAGE_POLICY
from app.web.services import services

blueprint = Blueprint("system", __name__)


@blueprint.get("/health")
@contract(answer=HealthSchema)
def health() -> Response:
    """Tell that the process answers; touches nothing else."""
    response = jsonify(status="ok")
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/ready")
@contract(answer=ReadinessSchema, raises=(StorageUnavailable,))
def ready() -> Response:
    """Tell whether turns can be served: 200, or 503 with what stands in the way."""
    store = "ok"
    try:
        services().store.ping()
    except StorageUnavailable as error:
        store = str(error)
    draining = services().turns.is_draining
    is_ready = store == "ok" and not draining
    response = jsonify(
        status="ready" if is_ready else "draining" if draining else "not_ready",
        store=store,
        model=services().model_name,
    )
    response.status_code = 200 if is_ready else 503
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/v1/openapi.json")
def openapi_document() -> Response:
    """Describe this API (OpenAPI 3.1)."""
    return jsonify(openapi.describe(current_app, request.host_url.rstrip("/")))


@blueprint.get("/docs")
def docs() -> Response:
    """Show this API as a page."""
    document = openapi.describe(current_app, request.host_url.rstrip("/"))
    page = make_response(render_template("docs.html", document=document))
    page.headers["Content-Security-Policy"] = PAGE_POLICY
    return page
