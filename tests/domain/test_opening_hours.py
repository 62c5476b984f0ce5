"""Opening hours: what owners write, over midnight, holidays and the change of clocks."""

import re
from datetime import datetime

import pytest

from app.domain.opening_hours import OpeningHours

OFFICE = OpeningHours.parse("Mo-Fr 09:00-17:00 Europe/Berlin; 2026-12-24/2027-01-02 off")


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1000


@pytest.mark.parametrize(
    ("text", "is_open"),
    [
        ("2026-11-27T08:59:59+01:00", False),
        ("2026-11-27T09:00:00+01:00", True),
        ("2026-11-27T16:59:59+01:00", True),
        ("2026-11-27T17:00:00+01:00", False),
        ("2026-11-28T12:00:00+01:00", False),  # Saturday
        ("2026-12-24T12:00:00+01:00", False),
        ("2026-12-31T12:00:00+01:00", False),
        ("2027-01-04T12:00:00+01:00", True),
        ("2026-07-01T07:00:00+00:00", True),  # summer time
        ("2026-07-01T15:30:00+00:00", False),
    ],
)
def test_hours_are_those_of_the_owners_clock(text: str, is_open: bool) -> None:
    assert OFFICE.is_open(ms(text)) is is_open


@pytest.mark.parametrize(
    ("now", "then"),
    [
        ("2026-11-27T03:00+01:00", "2026-11-27T09:00+01:00"),
        ("2026-11-27T12:00+01:00", "2026-11-27T12:00+01:00"),
        ("2026-11-27T17:00+01:00", "2026-11-30T09:00+01:00"),
        ("2026-12-23T18:00+01:00", "2027-01-04T09:00+01:00"),
        # The clocks change in the night to the Sunday between.
        ("2026-03-27T18:00+01:00", "2026-03-30T09:00+02:00"),
        ("2026-10-23T18:00+02:00", "2026-10-26T09:00+01:00"),
    ],
)
def test_somebody_is_back_at_the_next_opening(now: str, then: str) -> None:
    assert OFFICE.next_open(ms(now)) == ms(then)


def test_a_day_has_several_hours_and_groups_of_days_their_own() -> None:
    hours = OpeningHours.parse("Mo-Th, Su 08:00-12:00, 13:00-18:00; Fr 08:00-12:00")

    assert [len(spans) for spans in hours.week] == [2, 2, 2, 2, 1, 0, 2]
    assert hours.next_open(ms("2026-11-26T12:30Z")) == ms("2026-11-26T13:00Z")
    assert hours.next_open(ms("2026-11-27T12:30Z")) == ms("2026-11-29T08:00Z")


def test_hours_go_on_over_midnight() -> None:
    hours = OpeningHours.parse("Fr-Sa 22:00-06:00 Europe/Berlin; 2026-10-24 off")

    assert hours.is_open(ms("2026-11-28T05:59+01:00"))
    assert not hours.is_open(ms("2026-11-28T06:00+01:00"))
    assert hours.is_open(ms("2026-11-29T05:00+01:00"))
    assert not hours.is_open(ms("2026-11-30T05:00+01:00"))
    # What began before a day off is worked to its end.
    assert hours.is_open(ms("2026-10-24T05:00+02:00"))
    assert not hours.is_open(ms("2026-10-24T23:00+02:00"))


def test_a_night_of_the_changing_clocks_ends_by_the_clock() -> None:
    hours = OpeningHours.parse("Sa 22:00-06:00 Europe/Berlin")

    assert hours.is_open(ms("2026-10-25T05:59+01:00"))  # the ninth hour
    assert not hours.is_open(ms("2026-03-29T06:00+02:00"))  # after seven


def test_a_whole_day_and_a_day_that_is_no_weekday_like_others() -> None:
    hours = OpeningHours.parse("Sa-Su 00:00-24:00; 2026-12-26 10:00-12:00")

    assert hours.is_open(ms("2026-12-19T23:59:59Z"))
    assert not hours.is_open(ms("2026-12-26T12:00Z"))
    assert hours.next_open(ms("2026-12-26T12:00Z")) == ms("2026-12-27T00:00Z")


def test_nobody_may_ever_be_back() -> None:
    assert OpeningHours.parse("Mo-Su off").next_open(ms("2026-12-26T12:00Z")) is None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("Mo-Fr", "has 'Mo-Fr': write days and hours, as in Mo-Fr 09:00-17:00 Europe/Berlin"),
        ("Mo-Fri 9:00-17:00", "has 'mo-fri': days are Mo, Tu, We, Th, Fr, Sa and Su, as in Mo-Fr"),
        ("Mo 9-17", "has '9-17': write hours as in 09:00-17:00, or off"),
        ("Mo 09:00-25:00", "has '09:00-25:00', which are no hours of a day"),
        ("Mo 09:60-10:00", "has '09:60-10:00', which are no hours of a day"),
        ("Mo 09:00-17:00 Mars/Olympus", "names the time zone 'Mars/Olympus', which this machine"),
        ("Mo 09:00-17:00 ../../etc/passwd", "names the time zone '../../etc/passwd'"),
        ("Mo 9:00-12:00 UTC; Tu 9:00-12:00 Asia/Tokyo", "names several time zones (Asia/Tokyo, UT"),
        ("2026-13-01 off", "has '2026-13-01': write dates as in 2026-12-24/2027-01-02"),
        ("2027-01-02/2026-12-24 off", "has '2027-01-02/2026-12-24', which ends before it begins"),
    ],
)
def test_faults_are_told_in_words(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(fault)}"):
        OpeningHours.parse(text)
