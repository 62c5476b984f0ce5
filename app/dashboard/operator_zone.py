"""The operator's time zone: their browser's, told by a cookie that the dashboard's script sets."""

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import request

COOKIE = "perch-zone"
_NAME = re.compile(r"[A-Za-z0-9_+-]{1,32}(?:/[A-Za-z0-9_+-]{1,32}){0,2}")


def zone_name() -> str:
    """Return what the operator's zone is called; ``UTC`` where no browser told one."""
    zone = operator_zone()
    return zone.key if isinstance(zone, ZoneInfo) else "UTC"


def operator_zone() -> tzinfo:
    """Return the operator's zone; UTC where no browser told one, or one that nobody knows."""
    name = request.cookies.get(COOKIE, "")
    if not _NAME.fullmatch(name):
        return UTC
    try:
        return ZoneInfo(name)  # remembers those that it has read
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def to_local(moment: datetime) -> datetime:
    """Return a moment by the operator's clock."""
    return moment.astimezone(operator_zone())


def day_bounds(day: date) -> tuple[int, int]:
    """Return when the operator's day begins and ends, in ms since the Unix epoch."""
    return _midnight_ms(day), _midnight_ms(day + timedelta(days=1))


def _midnight_ms(day: date) -> int:
    return round(datetime.combine(day, time(0), operator_zone()).timestamp() * 1000)
