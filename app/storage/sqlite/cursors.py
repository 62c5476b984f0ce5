"""Opaque marks of where the next page begins."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode

from app.domain.errors import InvalidRequest

_NUMBERS = re.compile(r"(?:-?[0-9]{1,18})(?::[0-9]{1,18})*")


def to_cursor(kind: str, *numbers: int) -> str:
    """Encode the numbers that identify a page's last row."""
    plain = f"{kind}{':'.join(map(str, numbers))}"
    return urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def from_cursor(kind: str, cursor: str, size: int) -> list[int]:
    """Decode what ``to_cursor`` made.

    Raises:
        InvalidRequest: it was not made by us, or for another list.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        plain = urlsafe_b64decode(padded).decode("ascii")
    except ValueError:
        raise _not_ours() from None
    numbers = plain[len(kind) :]
    if not plain.startswith(kind) or not _NUMBERS.fullmatch(numbers):
        raise _not_ours()
    values = [int(number) for number in numbers.split(":")]
    if len(values) != size:
        raise _not_ours()
    return values


def _not_ours() -> InvalidRequest:
    return InvalidRequest("Invalid query parameters", details={"cursor": ["Not a valid cursor."]})
