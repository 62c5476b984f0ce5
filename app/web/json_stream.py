"""Long JSON answers, written item by item while others get their turn."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain
from typing import Any

from flask import Response, current_app
from marshmallow import Schema

from app.server.pauses import gather


def stream_json(schema: Schema, value: Any, long: str) -> Response:
    """Answer with a value whose field ``long`` is a list of any length."""
    head: dict[str, Any] = schema.dump(replace(value, **{long: ()}))
    item: Schema = schema.fields[long].inner.schema  # type: ignore[attr-defined]
    dumps = current_app.json.dumps

    def parts() -> Iterator[bytes]:
        before = "{"
        for name, data in head.items():
            yield f"{before}{dumps(name)}:".encode()
            before = ","
            if name == long:
                yield from _list_parts(getattr(value, long), item, dumps)
            else:
                yield dumps(data).encode()
        yield b"}\n"

    pieces = gather(parts())
    first, second = next(pieces), next(pieces, None)
    if second is None:
        return Response(first, content_type="application/json")
    return Response(chain([first, second], pieces), content_type="application/json")


def _list_parts(values: Iterable[Any], item: Schema, dumps: Any) -> Iterator[bytes]:
    before = "["
    for value in values:
        yield f"{before}{dumps(item.dump(value))}".encode()
        before = ","
    yield b"]" if before == "," else b"[]"
