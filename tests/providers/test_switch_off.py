"""What OpenAI's switching-off of the former default means to whoever runs a server."""

import re
from datetime import date
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.providers.conversation import serving
from tests.providers.doctor import doctor
from tests.providers.openai import OLD_MODEL, OpenAI
from tests.servers.perch import Server

pytestmark = [pytest.mark.live, pytest.mark.sqlite]

DAY_AFTER = date(2027, 1, 15)
PASSWORD = "open sesame 123"
# Whether the day has come or not: tests are run after it, too.
NOTICE = re.compile(
    rf"{re.escape(OLD_MODEL)} (?:is|was) switched off by its provider on 2027-01-14"
)


def test_only_a_key_is_answered_on_15_january_2027(certificate: Path) -> None:
    with serving(OpenAI(DAY_AFTER), certificate) as talk:
        turn = talk.ask("Are you there?")
        asked, log = talk.upstream.asked, talk.server.log()

    assert OpenAI.settings == {"OPENAI_API_KEY": "sk-…"}
    assert (turn.text, turn.end["type"], turn.tried) == ("Answer number 1.", "done", 1)
    assert (asked[0].body["model"], asked[0].body["reasoning_effort"]) == ("gpt-6-luna", "none")
    assert "switched off" not in log


def test_old_default_is_answered_until_then_and_its_owner_told_today(certificate: Path) -> None:
    more = {"OPENAI_MODEL": OLD_MODEL, "DASHBOARD_PASSWORD": PASSWORD}
    with serving(OpenAI(), certificate, **more) as talk:
        turn = talk.ask("Are you there?")
        told = (
            talk.server.log(),
            overview(talk.server),
            doctor(talk.server, code=0),
        )

    assert (turn.text, turn.tried) == ("Answer number 1.", 1)
    for text in told:
        assert NOTICE.search(text)
        assert "OPENAI_MODEL" in text
        assert "gpt-6-luna" in text


def test_old_default_after_that_day_is_its_owners_trouble(certificate: Path) -> None:
    with serving(OpenAI(DAY_AFTER), certificate, OPENAI_MODEL=OLD_MODEL) as talk:
        turn = talk.ask("Are you there?")
        told = doctor(talk.server, code=1)
        ready = talk.server.request("GET", "/ready").json

    assert (turn.end["code"], turn.charged) == ("model_misconfigured", 0)
    assert "has been deprecated" in told
    assert "Set OPENAI_MODEL to one that it has: gpt-6-luna" in told
    assert "trouble" in ready


def overview(server: Server) -> str:
    """Return the dashboard's first page, as an operator sees it."""
    door = server.request("GET", "/dashboard/login")
    token = re.search(rb'name="token" value="([0-9a-f]{64})"', door.body)
    assert token is not None
    form = urlencode({"password": PASSWORD, "token": token[1].decode()}).encode()
    headers = {
        "content_type": "application/x-www-form-urlencoded",
        "cookie": door.headers["Set-Cookie"].partition(";")[0],
    }
    opened = server.request("POST", "/dashboard/login", form, **headers)
    cookies = [each.partition(";")[0] for each in opened.headers.get_all("Set-Cookie", [])]
    return server.request("GET", "/dashboard/", cookie="; ".join(cookies)).body.decode()
