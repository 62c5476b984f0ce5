"""Frozen values as JSON objects: names in camel case, what is ``None`` left out, and back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")


def to_camel(name: str) -> str:
    """Return a name of ours as JSON and paths spell it."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def present(**told: object) -> dict[str, Any]:
    """Return what is told but for what is ``None``."""
    return {name: value for name, value in told.items() if value is not None}


def to_object(value: Any) -> dict[str, Any]:
    """Return a dataclass, or a named tuple, as an object."""
    kind: Callable[..., Any] = type(value)
    read = ((key, getattr(value, name)) for name, key, _ in _fields(kind))
    return {key: _to_json(each) for key, each in read if each is not None}


def from_object(kind: Callable[..., T], told: Mapping[str, Any]) -> T:
    """Return the value that an object stands for, in which every number may be a ``float``.

    What is absent, or ``None``, is by default; names that the kind does not know are passed over.
    """
    return kind(
        **{
            name: each if read is None else read(each)
            for name, key, read in _fields(kind)
            if (each := told.get(key)) is not None
        }
    )


_Read = Callable[[Any], Any]


@cache
def _fields(kind: Any) -> tuple[tuple[str, str, _Read | None], ...]:
    """Return each field's name, its name in JSON, and what reads it, if it is not as it stands."""
    names = [each.name for each in fields(kind)] if is_dataclass(kind) else kind._fields
    hints = get_type_hints(kind)
    return tuple((name, to_camel(name), _reader(hints[name])) for name in names)


def _reader(hint: Any) -> _Read | None:
    origin, args = get_origin(hint), get_args(hint)
    if origin is UnionType:
        (hint,) = (each for each in args if each is not NoneType)
        return _reader(hint)
    if origin in (Sequence, tuple):
        many: _Read = tuple if origin is tuple else list
        read = _reader(args[0])
        return many if read is None else lambda told: many(map(read, told))
    if _is_value(hint):
        return lambda told: from_object(hint, told)
    return int if hint is int else None


def _to_json(value: Any) -> Any:
    if isinstance(value, str | int | float):
        return value
    if _is_value(value):
        return to_object(value)
    return [_to_json(each) for each in value] if isinstance(value, list | tuple) else value


def _is_value(kind: Any) -> bool:
    return is_dataclass(kind) or hasattr(kind, "_fields")
