"""The OpenAPI 3.1 document, derived from the contracts that the routes keep."""

import re
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from flask import Flask
from marshmallow import Schema
from werkzeug.routing import Rule

from app import __version__
from app.domain.errors import InvalidRequest, TooManyRequests, Unauthorized
from app.domain.json_objects import to_camel
from app.web.contract import MAX_PATH_NAME_CHARS, Contract
from app.web.guards.access import Guard, access_of
from app.web.problems import status_of
from app.web.schemas.chat import ProblemSchema

# The ways to be let in; a scheme of one way that is left out is not needed for it.
_SCHEMES: dict[Guard, list[dict[str, list[str]]]] = {
    Guard.WIDGET_KEY: [{"WidgetKey": []}],
    Guard.CHAT: [{"WidgetKey": []}, {"WidgetKey": [], "SessionToken": []}],
    Guard.FRONT_END: [{"WidgetKey": []}, {"WidgetKeyAsBearer": []}, {"SessionToken": []}],
    Guard.SESSION: [{"SessionToken": []}],
    Guard.ADMIN_KEY: [{"AdminKey": []}],
    Guard.METRICS: [{"AdminKey": []}],
}
_KEY = "perch.openapi"


def describe(app: Flask, base_url: str) -> dict[str, Any]:
    """Return the document of everything that has a contract; made once an application."""
    if _KEY not in app.extensions:
        app.extensions[_KEY] = _describe(app)
    return {**app.extensions[_KEY], "servers": [{"url": base_url}]}


def _describe(app: Flask) -> dict[str, Any]:
    plugin = MarshmallowPlugin(schema_name_resolver=_schema_name)
    spec = APISpec(
        title="Perch",
        version=__version__,
        openapi_version="3.1.0",
        info={"description": "A self-hosted AI chat for any web page, and its headless API."},
        plugins=[plugin],
    )
    spec.components.security_scheme(
        "WidgetKey", {"type": "apiKey", "in": "header", "name": "x-api-key"}
    )
    spec.components.security_scheme(
        "AdminKey", {"type": "apiKey", "in": "header", "name": "x-admin-api-key"}
    )
    spec.components.security_scheme("WidgetKeyAsBearer", {"type": "http", "scheme": "bearer"})
    spec.components.security_scheme("SessionToken", {"type": "http", "scheme": "bearer"})
    for rule, promise in _promises(app):
        methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
        operation = _operation(app, rule, promise, plugin.converter)
        spec.path(
            path=re.sub(r"<(?:\w+:)?(\w+)>", lambda found: f"{{{to_camel(found[1])}}}", rule.rule),
            operations={method.lower(): operation for method in methods},
        )
    return spec.to_dict()


def _promises(app: Flask) -> Iterator[tuple[Rule, Contract]]:
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        promise = getattr(app.view_functions[rule.endpoint], "contract", None)
        if promise is not None:
            yield rule, promise


def _operation(
    app: Flask, rule: Rule, promise: Contract, converter: OpenAPIConverter | None
) -> dict[str, Any]:
    guard = access_of(rule.endpoint).guard
    operation: dict[str, Any] = {
        "operationId": rule.endpoint,
        "summary": (app.view_functions[rule.endpoint].__doc__ or "").strip().partition("\n")[0],
        "tags": [rule.endpoint.partition(".")[0]],
        "responses": _responses(
            promise, guard, has_ids=any(name.endswith("_id") for name in rule.arguments)
        ),
    }
    if guard in _SCHEMES:
        operation["security"] = _SCHEMES[guard]
    parameters = [
        {
            "name": to_camel(name),
            "in": "path",
            "required": True,
            "schema": {"type": "string", "minLength": 1, "maxLength": MAX_PATH_NAME_CHARS},
        }
        for name in sorted(rule.arguments)
    ]
    if promise.query is not None and converter is not None:
        parameters += converter.schema2parameters(promise.query, location="query")
    if parameters:
        operation["parameters"] = parameters
    if promise.body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": promise.body}},
        }
    return operation


def _responses(promise: Contract, guard: Guard, *, has_ids: bool) -> dict[str, Any]:
    failures = list(promise.raises)
    if has_ids:
        failures.append(InvalidRequest)
    if guard in _SCHEMES:
        failures.append(Unauthorized)
    if promise.body is not None:
        failures += [*InvalidRequest.__subclasses__(), TooManyRequests]
    problem = promise.protocol.failure if promise.protocol else ProblemSchema
    responses: dict[str, Any] = {
        str(status_of(failure())): _answer("application/json", problem, status_of(failure()))
        for failure in failures
    }
    if promise.query is not None:  # it may be longer than a request's first line
        responses["414"] = _answer("application/json", ProblemSchema, 414)
    for status, schema in {promise.status: promise.answer, **promise.otherwise}.items():
        events = promise.protocol.events if promise.protocol and schema is None else ()
        answer = _answer(promise.media_type, schema, status, events)
        for other in promise.other_media_types:
            answer["content"][other] = {"schema": {"type": "string"}}
        responses[str(status)] = answer
    return dict(sorted(responses.items()))


def _answer(
    media_type: str, schema: Any, status: int, events: Sequence[type[Schema]] = ()
) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    if status == HTTPStatus.NO_CONTENT:
        return answer
    if events:
        schema = {"oneOf": list(events)}
    elif schema is None:
        schema = {"type": "object" if media_type == "application/json" else "string"}
    answer["content"] = {media_type: {"schema": schema}}
    return answer


def _schema_name(schema: Any) -> str:
    name = schema if isinstance(schema, type) else type(schema)
    return name.__name__.removesuffix("Schema")
