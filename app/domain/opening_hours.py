"""When somebody is there to answer: weekly hours in one time zone, with days off.

``Mo-Fr 09:00-17:00 Europe/Berlin; 2026-12-24/2027-01-02 off``: rules between semicolons.
A rule is days or dates, and hours (several between commas) or ``off``; dates win over
weekdays, and a later rule over an earlier one. A zone stands behind one of the rules; without
it, hours are in UTC. Hours that end before they begin go on into the next day.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_DAYS = ("mo", "tu", "we", "th", "fr", "sa", "su")
_is_days = re.compile(r"([a-z]{2})(?:-([a-z]{2}))?").fullmatch
_is_hours = re.compile(r"(\d\d?):(\d\d)-(\d\d?):(\d\d)").fullmatch
_DAY_MIN = 24 * 60
# Longer than the longest time off that anybody announces.
_LOOK_AHEAD_DAYS = 400
_MAX_DATES_DAYS = 3 * 366


class Span(NamedTuple):
    """Hours of a day, in minutes after its midnight; ``end`` may lie on the next day."""

    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """Hours of each weekday, Monday first, and those of dates that are not as their weekday."""

    week: tuple[tuple[Span, ...], ...]
    dates: Mapping[date, tuple[Span, ...]]
    zone: tzinfo

    @classmethod
    def parse(cls, text: str) -> "OpeningHours":
        """Read hours as an owner writes them.

        Raises:
            ValueError: what is wrong, in words that follow the variable's name.
        """
        week: list[tuple[Span, ...]] = [()] * len(_DAYS)
        dates: dict[date, tuple[Span, ...]] = {}
        zones: set[str] = set()
        for rule in filter(None, map(str.strip, text.split(";"))):
            when, *what = re.sub(r"\s*([,-])\s*(?=[\dA-Za-z])", r"\1", rule).split()
            if len(what) == 2:
                zones.add(what.pop())
            if len(what) != 1:
                raise ValueError(
                    f"has {rule!r}: write days and hours, as in Mo-Fr 09:00-17:00 Europe/Berlin, "
                    "or dates, as in 2026-12-24/2027-01-02 off"
                )
            spans = _spans(what[0])
            if when[0].isdigit():
                dates.update(dict.fromkeys(_dates(when), spans))
            else:
                for day in _weekdays(when):
                    week[day] = spans
        if len(zones) > 1:
            raise ValueError(f"names several time zones ({', '.join(sorted(zones))}): name one")
        return cls(tuple(week), dates, _zone(zones.pop()) if zones else UTC)

    def is_open(self, now_ms: int) -> bool:
        """Tell whether somebody is there, at a time in ms since the Unix epoch."""
        today = self._local_date(now_ms)
        # Of yesterday's hours some may go on.
        days = (today - timedelta(days=1), today)
        return any(begin <= now_ms < end for day in days for begin, end in self._openings(day))

    def next_open(self, now_ms: int) -> int | None:
        """Return when somebody is there again, in ms; now, where that is so already.

        ``None`` where that is not within a year.
        """
        if self.is_open(now_ms):
            return now_ms
        today = self._local_date(now_ms)
        for ahead in range(_LOOK_AHEAD_DAYS):
            begins = [begin for begin, _ in self._openings(today + timedelta(days=ahead))]
            if later := [begin for begin in begins if begin > now_ms]:
                return min(later)
        return None

    def _local_date(self, now_ms: int) -> date:
        return datetime.fromtimestamp(now_ms / 1000, self.zone).date()

    def _openings(self, day: date) -> Iterator[tuple[int, int]]:
        for begin, end in self.dates.get(day, self.week[day.weekday()]):
            yield self._ms(day, begin), self._ms(day, end)

    def _ms(self, day: date, minutes: int) -> int:
        """Return when the clocks of the zone show so many minutes, on days of 23 hours, too."""
        days, rest = divmod(minutes, _DAY_MIN)
        day += timedelta(days=days)
        wall = datetime(day.year, day.month, day.day, rest // 60, rest % 60, tzinfo=self.zone)
        return int(wall.timestamp()) * 1000


def _spans(text: str) -> tuple[Span, ...]:
    if text.lower() == "off":
        return ()
    return tuple(map(_span, text.split(",")))


def _span(text: str) -> Span:
    found = _is_hours(text)
    if not found:
        raise ValueError(f"has {text!r}: write hours as in 09:00-17:00, or off")
    hours_1, minutes_1, hours_2, minutes_2 = map(int, found.groups())
    begin, end = hours_1 * 60 + minutes_1, hours_2 * 60 + minutes_2
    if max(minutes_1, minutes_2) > 59 or begin >= _DAY_MIN or end > _DAY_MIN or begin == end:
        raise ValueError(f"has {text!r}, which are no hours of a day: all of it is 00:00-24:00")
    return Span(begin, end if end > begin else end + _DAY_MIN)


def _weekdays(text: str) -> Iterator[int]:
    for part in text.lower().split(","):
        found = _is_days(part)
        names = [each for each in found.groups() if each] if found else []
        if not names or not set(names) <= set(_DAYS):
            raise ValueError(f"has {part!r}: days are Mo, Tu, We, Th, Fr, Sa and Su, as in Mo-Fr")
        first, last = _DAYS.index(names[0]), _DAYS.index(names[-1])
        yield from ((first + step) % 7 for step in range((last - first) % 7 + 1))


def _dates(text: str) -> Sequence[date]:
    days: list[date] = []
    for part in text.split(","):
        begin, _, end = part.partition("/")
        try:
            first, last = date.fromisoformat(begin), date.fromisoformat(end or begin)
        except ValueError:
            raise ValueError(f"has {part!r}: write dates as in 2026-12-24/2027-01-02") from None
        if not 0 <= (last - first).days <= _MAX_DATES_DAYS:
            raise ValueError(f"has {part!r}, which ends before it begins or takes years")
        days.extend(first + timedelta(days=step) for step in range((last - first).days + 1))
    return days


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"names the time zone {name!r}, which this machine does not know: write one of the "
            "IANA database, as in Europe/Berlin"
        ) from None
