"""Declares settings: a field says by which reader's method, and from which variable, it is read."""

import dataclasses
from collections.abc import Callable
from dataclasses import field
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from app.settings.reader import Declared, ValueReader

T = TypeVar("T")
P = ParamSpec("P")
R = TypeVar("R", bound=ValueReader)


def variable(
    read: Callable[Concatenate[R, str, P], T], name: str, *args: P.args, **_: P.kwargs
) -> T:
    """Declare a field: a reader's method reads it from a variable, with these arguments.

    Where the variable is not set, the method decides: a default among ``args``, or ``None``.
    """
    return cast(T, _declare(Declared(read, name, False, args)))


def secret(read: Callable[Concatenate[R, str, P], T], name: str, *args: P.args, **_: P.kwargs) -> T:
    """Declare a field whose value a file may hold as well."""
    return cast(T, _declare(Declared(read, name, True, args)))


def group(kind: type[T], **values: Any) -> T:
    """Declare a field that is a group of declared fields, and of other values."""
    return field(default_factory=lambda: kind(**values), metadata={"group": kind, "values": values})


def read_group(kind: type[T], env: ValueReader, **values: Any) -> T:
    """Return a group with what an environment says of each of its fields, and other values."""
    for each in dataclasses.fields(cast(Any, kind)):
        if "declared" in each.metadata:
            values[each.name] = env.read(each.metadata["declared"])
        elif "group" in each.metadata:
            values[each.name] = read_group(each.metadata["group"], env, **each.metadata["values"])
    return kind(**values)


def _declare(declared: Declared) -> Any:
    def read_nothing() -> Any:
        return declared.read(ValueReader({}, {}), declared.name, *declared.arguments)

    return field(default_factory=read_nothing, metadata={"declared": declared})
