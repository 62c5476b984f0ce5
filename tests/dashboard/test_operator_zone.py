"""One clock for all times and days: the operator's."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient

from app.factory import Parts, create_app
from app.storage.protocol import ConversationStore
from app.storage.sqlite import SqliteStore
from tests.dashboard.door import PASSWORD, SECRETS, cookie_of, sign_in
from tests.data import say, some_settings


def test_times_are_by_the_operators_clock(operator: FlaskClient, store: ConversationStore) -> None:
    conversation_id = say(store)
    at = datetime.fromtimestamp(
        store.read_thread(conversation_id).messages[0].created_at / 1000, UTC
    )
    path = f"/dashboard/conversations/{conversation_id}"

    before = operator.get(path).text
    operator.set_cookie("perch-zone", "Pacific/Auckland", path="/dashboard")
    after = operator.get(path).text

    local = at.astimezone(ZoneInfo("Pacific/Auckland"))
    assert f"{at:%d %b %Y, %H:%M} UTC" in before
    assert f"{local:%d %b %Y, %H:%M}</time>" in after
    assert "times in Pacific/Auckland" in after


@pytest.mark.parametrize(
    "zone", ["Mars/Olympus", "../../etc/passwd", "America", "", "\x00", "x" * 500]
)
def test_zone_that_nobody_knows_is_utc(operator: FlaskClient, zone: str) -> None:
    page = operator.get(
        "/dashboard/",
        headers={"Cookie": f"perch-dashboard={cookie_of(operator)}; perch-zone={zone}"},
    )

    assert page.status_code == 200
    assert "times in UTC" in page.text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("zone", "day", "fits"),
    [
        # 2023-11-14 22:13 UTC is the next day in Auckland.
        ("UTC", "2023-11-14", True),
        ("UTC", "2023-11-15", False),
        ("Pacific/Auckland", "2023-11-15", True),
        ("Pacific/Auckland", "2023-11-14", False),
        ("America/New_York", "2023-11-14", True),
        ("America/New_York", "2023-11-13", False),
    ],
)
def test_since_and_until_are_the_operators_days(
    tmp_path: Path, zone: str, day: str, fits: bool
) -> None:
    with closing(SqliteStore(tmp_path / "x.db", clock_ms=lambda: 1_700_000_000_000)) as store:
        say(store)
        settings = some_settings(DASHBOARD_PASSWORD=PASSWORD, SECRET_KEY=SECRETS[0])
        client = create_app(settings, Parts(store=store)).test_client()
        sign_in(client)
        client.set_cookie("perch-zone", zone, path="/dashboard")

        html = client.get(f"/dashboard/conversations?from={day}&to={day}").text
        csv = client.get(f"/dashboard/conversations/export?from={day}&to={day}").text

        assert ("What are your hours?" in html) is fits
        assert ("What are your hours?" in csv) is fits
        assert f'value="{day}"' in html


@pytest.mark.parametrize("zone", ["", "Pacific/Kiritimati", "Etc/GMT+12", "America/New_York"])
@pytest.mark.parametrize("day", ["0001-01-01", "1970-01-01", "9999-12-31"])
def test_the_ends_of_the_calendar_are_days_in_every_zone(
    operator: FlaskClient, day: str, zone: str
) -> None:
    operator.set_cookie("perch-zone", zone)
    for name in ("from", "to"):
        for path in ("/dashboard/conversations", "/dashboard/conversations/export"):
            assert operator.get(path, query_string={name: day}).status_code == 200
