"""What ``doctor`` says of a configuration; of models, see tests/operations."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.domain.errors import ModelMisconfigured
from app.factory import Parts, create_app
from app.storage.protocol import ConversationStore
from tests.cli.running import run
from tests.data import ADMIN_KEY, some_settings
from tests.fakes import ScriptedModel
from tests.notifications.post_office import PostOffice

if TYPE_CHECKING:
    from tests.conftest import MakeApp


def doctor(make_app: "MakeApp", code: int, **variables: str) -> str:
    return run(make_app(**variables).test_cli_runner(), "doctor", code=code).output


def test_doctor_finds_nothing_wrong(make_app: "MakeApp") -> None:
    output = doctor(make_app, 0, OPENAI_API_KEY="sk-something", CORS_ORIGIN="https://a.example")

    assert "wrong" not in output
    assert "scripted says its first word" in output


def test_doctor_asks_for_no_more_than_a_word(make_app: "MakeApp", model: ScriptedModel) -> None:
    doctor(make_app, 0, OPENAI_API_KEY="sk-something")

    assert len(model.prompts) == 1
    assert model.open_count == 0


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, "the built-in demo answers"),
        ({"WEB_CONCURRENCY": "2"}, "2 workers count limits and budgets each for itself"),
        ({"CORS_ORIGIN": "*"}, "allows any page"),
        ({"BUDGET_TOKENS_PER_DAY": "0"}, "there is no budget"),
        ({"DASHBOARD_PASSWORD": ""}, "there is no dashboard"),
        ({"DASHBOARD_PASSWORD": "short"}, "has 5 characters: production refuses it"),
        ({"DASHBOARD_PASSWORD": "long enough for it"}, "the dashboard is at /dashboard"),
        ({"TRUSTED_PROXY_HOPS": "2"}, "the client is number 2 from the end"),
        ({"CLIENT_IP_HEADER": "X-Real-IP"}, "X-Real-IP names the client"),
        ({}, "0: the client is whoever connects"),
        ({}, "is not set, and one worker needs none"),
        ({"CORS_ORIGIN": "https://a.example,https://b.example"}, "allows https://a.example, https"),
        ({"RENDER": "true", "APP_ENV": "test"}, "Render may throw its disk away"),
    ],
)
def test_doctor_points_at_what_may_be_meant(
    make_app: "MakeApp", variables: dict[str, str], said: str
) -> None:
    assert said in doctor(make_app, 0, **variables)


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"ADMIN_API_KEY": "a" * 30}, "has only 1 different characters"),
        ({"WIDGET_BUNDLE_PATH": "nowhere.js"}, "nowhere.js is not there"),
        ({"REDIS_URL": "redis://127.0.0.1:9"}, "does not answer"),
    ],
)
def test_doctor_tells_what_is_wrong(
    make_app: "MakeApp", variables: dict[str, str], said: str
) -> None:
    assert said in doctor(make_app, 1, **variables)


def test_doctor_tells_what_stops_gunicorn(store: ConversationStore) -> None:
    settings = replace(some_settings(ADMIN_API_KEY=ADMIN_KEY), gunicorn_stumbles=True)
    app = create_app(settings, Parts(store=store, model=ScriptedModel()))

    output = run(app.test_cli_runner(), "doctor", code=1).output

    assert "WEB_CONCURRENCY" in output
    assert "gunicorn ends on that" in output


def test_doctor_tells_that_the_model_refuses(make_app: "MakeApp", model: ScriptedModel) -> None:
    model.script(start=ModelMisconfigured())

    output = doctor(make_app, 1, OPENAI_API_KEY="sk-something", OPENAI_MODEL="gpt-9")

    assert "gpt-9: The assistant is not set up correctly" in output


def test_doctor_tells_what_the_store_says(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    path.write_bytes(b"this is no database, whatever its name may say" * 100)
    settings = some_settings(SQLITE_PATH=str(path), ADMIN_API_KEY=ADMIN_KEY)

    result = run(create_app(settings).test_cli_runner(), "doctor", code=1)

    assert "is not a SQLite database" in result.output


def test_doctor_tries_whom_it_would_tell(make_app: "MakeApp") -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="

    with PostOffice() as office:
        server = f"127.0.0.1:{office.port}"
        output = doctor(
            make_app,
            1,
            SMTP_URL=f"smtp://{server}",
            MAIL_FROM="chat@example.com",
            WEBHOOK_URL="http://10.0.0.1/hook",
            WEBHOOK_SECRET=secret,
        )

    assert f"{server} takes mails, not encrypted" in output
    assert "10.0.0.1 is at a private address, which is refused" in output
    assert office.mails == []
