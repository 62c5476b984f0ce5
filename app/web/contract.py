"""What a route promises: its input, its answer, its failures.

A view keeps its promise through the same schemas from which the OpenAPI
document is made, so the two cannot differ.
"""

import functools
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Response, jsonify
from jiter import from_json
from marshmallow import Schema, ValidationError

from app.domain.errors import InvalidRequest, MediaTypeUnsupported, ServiceError
from app.domain.json_objects import to_camel
from app.protocols.protocol import AnswerProtocol
from app.server.pauses import let_others_work
from app.web.bodies import read_body
from app.web.current_request import current_application, current_request
from app.web.json_stream import stream_json

# Of each name in a path: none that we gave is longer.
MAX_PATH_NAME_CHARS = 128
_MAX_DEPTH = 32
# Looked at between two looks at what else there is to do.
_VALUES_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class Contract:
    """One route's promise, as the OpenAPI document tells it."""

    body: Schema | None
    query: Schema | None
    answer: Schema | None
    protocol: AnswerProtocol | None
    status: int
    media_type: str
    other_media_types: tuple[str, ...]
    long: str | None
    raises: tuple[type[ServiceError], ...]
    otherwise: Mapping[int, Schema]


def contract(
    *,
    body: type[Schema] | None = None,
    query: type[Schema] | None = None,
    answer: type[Schema] | None = None,
    protocol: AnswerProtocol | None = None,
    tells: AnswerProtocol | None = None,
    status: int = 200,
    media_type: str = "application/json",
    other_media_types: tuple[str, ...] = (),
    long: str | None = None,
    raises: tuple[type[ServiceError], ...] = (),
    otherwise: Mapping[int, type[Schema]] | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Response]]:
    """Promise what a view takes and gives.

    The view gets the fields of the body and of the query, and the parts of its
    path, each by name; what a schema makes one value of comes first. What it
    returns is dumped through ``answer``; a ``Response`` passes as it is. ``protocol``
    says in which shape a route fails; where there is no ``answer`` schema, it also gives
    the body's schema, and streams the answer. ``tells`` is the protocol of a route that
    takes no body, and streams. ``long`` is a list in the answer, of any length: it is
    written item by item, while others get their turn. ``otherwise`` names answers that are
    no failures.
    """
    if protocol is not None and answer is None:
        body, tells = protocol.request, protocol
    media_type = tells.media_type if tells is not None else media_type
    promised = Contract(
        body() if body else None,
        query() if query else None,
        answer() if answer else None,
        tells or protocol,
        status,
        media_type,
        other_media_types,
        long,
        (*raises, InvalidRequest) if body or query else raises,
        {code: schema() for code, schema in (otherwise or {}).items()},
    )
    return functools.partial(_keep, promised)


def _keep(promise: Contract, view: Callable[..., Any]) -> Callable[..., Response]:
    @functools.wraps(view)
    def keep(**path: Any) -> Response:
        _refuse_long(path)
        values: list[Any] = []
        named: dict[str, Any] = {}
        for loaded in _inputs(promise):
            if isinstance(loaded, dict):
                named |= loaded
            else:
                values.append(loaded)
        result = view(*values, **named, **path)
        if isinstance(result, Response):
            return result
        if promise.long is not None and promise.answer is not None:
            return stream_json(promise.answer, result, promise.long)
        response = jsonify(promise.answer.dump(result) if promise.answer else result)
        response.status_code = promise.status
        return response

    keep.contract = promise  # type: ignore[attr-defined]
    return keep


def _inputs(promise: Contract) -> Iterator[Any]:
    if promise.body is not None:
        yield _load(promise.body, read_json(), "Invalid request payload")
    if promise.query is not None:
        yield _load(promise.query, current_request().args, "Invalid query parameters")


def _refuse_long(path: Mapping[str, str]) -> None:
    for name, value in path.items():
        if name.endswith("_id") and len(value) > MAX_PATH_NAME_CHARS:
            field = to_camel(name)
            rule = f"Longer than maximum length {MAX_PATH_NAME_CHARS}."
            raise InvalidRequest(f"Invalid {field}", details={field: [rule]})


def protocol_of(endpoint: str | None) -> AnswerProtocol | None:
    """Return the protocol in which an endpoint streams its answers, if it does."""
    promise = getattr(current_application().view_functions.get(endpoint or ""), "contract", None)
    return promise.protocol if promise else None


def _load(schema: Schema, data: Any, text: str) -> Any:
    try:
        return schema.load(data)
    except ValidationError as error:
        raise InvalidRequest(text, details=_by_field(error.messages)) from error


def _by_field(messages: Any) -> Mapping[str, Any]:
    return messages if isinstance(messages, dict) else {"body": messages}


def read_json() -> dict[str, Any]:
    """Return the request's body, an object of strict JSON (RFC 8259).

    Refused are duplicate keys, ``NaN`` and ``Infinity``, deep nesting, NUL
    and lone surrogates: what one parser takes and the next one chokes on.

    Raises:
        InvalidRequest: or one of its kinds.
        TooManyRequests: see ``read_body``.
    """
    request = current_request()
    if request.mimetype != "application/json":
        raise MediaTypeUnsupported
    raw = read_body(request)
    try:
        # No lone surrogates either, and no bytes that are not UTF-8.
        data = from_json(raw, allow_inf_nan=False, catch_duplicate_keys=True)
        if _may_be_odd(raw):
            _refuse_odd(data)
    except ValueError as error:
        raise InvalidRequest(details={"body": [f"Not valid JSON: {_reason(error)}"]}) from error
    if not isinstance(data, dict):
        raise InvalidRequest(details={"body": ["Must be a JSON object."]})
    return data


def _reason(error: ValueError) -> str:
    # The parser's own words but for this one, which would repeat the visitor's.
    text = str(error)
    return "a key stands twice in an object" if text.startswith("Detected duplicate key") else text


def _may_be_odd(raw: bytes) -> bool:
    """Return whether there may be a NUL, or deep nesting: in an ordinary body there is not."""
    return b"\\u0000" in raw or raw.count(b"[") + raw.count(b"{") > _MAX_DEPTH


def _refuse_odd(data: Any) -> None:
    # A list of empty lists takes a second to walk: others get their turn meanwhile.
    left = [(data, _MAX_DEPTH)]
    for number in itertools.count(1):
        if not left:
            return
        if number % _VALUES_AT_ONCE == 0:
            let_others_work()
        value, depth = left.pop()
        if isinstance(value, str):
            if "\0" in value:
                raise ValueError("NUL in a string")
        elif isinstance(value, dict | list):
            if depth == 0:
                raise ValueError("nested too deep")
            left.extend((part, depth - 1) for part in value)
            if isinstance(value, dict):
                left.extend((part, depth - 1) for part in value.values())
