"""The service's figures, for a monitoring system."""

from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_LATEST

from app.web.contract import contract
from app.web.services import services

blueprint = Blueprint("metrics", __name__)


@blueprint.get("/metrics")
@contract(media_type="text/plain")
def metrics() -> Response:
    """Tell Prometheus how the service fares, all workers together."""
    return Response(services().metrics.render(), content_type=CONTENT_TYPE_LATEST)
