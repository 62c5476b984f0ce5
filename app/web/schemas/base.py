"""What every schema stands on: names as JSON has them, and the fields that several need."""

import re
from typing import Any, ClassVar, get_args

from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_dump, post_load, validate

from app.domain.json_objects import to_camel

MAX_MESSAGE_CHARS = 4000
# Of a history that a client keeps; what is more than a prompt may hold is cut again.
_MAX_MESSAGES = 1000
SESSION_ID = r"[A-Za-z0-9._:-]{1,128}"
TURN_ID = r"[A-Za-z0-9._:-]{8,64}"


def matching(pattern: str, description: str = "", **kwargs: Any) -> fields.String:
    """Return a string field that the pattern describes to its very end."""
    compiled = re.compile(pattern)

    def check(value: str) -> None:
        if not compiled.fullmatch(value):
            raise ValidationError(f"Must match {pattern}")

    metadata = {"pattern": f"^{pattern}$"} | ({"description": description} if description else {})
    return fields.String(validate=check, metadata=metadata, **kwargs)


def one_of(kind: Any) -> validate.OneOf:
    """Return what holds a text to the words of a ``Literal``."""
    return validate.OneOf(get_args(kind))


class TrueOrFalse(fields.Boolean):
    """JSON's own booleans; 0 and 1, which Python takes for equal to them, are refused."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


def messages_of(schema: type[Schema]) -> fields.List[Any]:
    """Return the field in which a client that keeps its history sends all of it."""
    bounds = validate.Length(1, _MAX_MESSAGES)
    return fields.List(fields.Nested(schema), required=True, validate=bounds)


def take_message(
    text: str, field: str = "messages", if_blank: str = "None of the user's has a text."
) -> str:
    """Return the message of a client that sends a list of them, if it is one.

    Raises:
        ValidationError: for ``field``: it is blank, or too long.
    """
    if not text.strip():
        raise ValidationError(if_blank, field)
    if len(text) > MAX_MESSAGE_CHARS:
        raise ValidationError(f"Longer than maximum length {MAX_MESSAGE_CHARS}.", field)
    return text


class _CamelCaseSchema(Schema):
    """A schema whose fields JSON spells ``likeThis``, where they do not say otherwise."""

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        """Give a field its name in JSON."""
        if field_obj.data_key is None:
            field_obj.data_key = to_camel(field_name)


class InputSchema(_CamelCaseSchema):
    """Something that a client sends; what we do not know is ignored."""

    class Meta:
        """What Marshmallow must know."""

        unknown = EXCLUDE

    makes: ClassVar[type[Any]] = dict
    """What its fields are the arguments of, once they are read."""

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Any:
        """Make the value."""
        return self.makes(**data)


class OutputSchema(_CamelCaseSchema):
    """Something that we send."""

    @post_dump
    def leave_out_unset(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Leave out what is not set."""
        return {name: value for name, value in data.items() if value is not None}
