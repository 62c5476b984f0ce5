"""What production and a store need, beyond what each value must be."""

import pytest

from app.domain.opening_hours import OpeningHours
from tests.settings.reading import GOOD_KEY, PRODUCTION, faults, read


def test_production_with_what_it_needs() -> None:
    settings = read(**PRODUCTION)

    assert settings.is_production
    assert settings.assistant.widget_api_keys == (GOOD_KEY,)
    assert settings.assistant.origins == ("https://www.example.com",)


def test_production_needs_all_of_it_and_says_so_at_once() -> None:
    found = faults(APP_ENV="production")

    assert set(found) == {"CONVEX_URL", "OPENAI_API_KEY", "WIDGET_API_KEY", "CORS_ORIGIN"}
    assert "SQLITE_PATH" in found["CONVEX_URL"]
    assert "secrets.token_urlsafe" in found["WIDGET_API_KEY"]


def test_convex_needs_its_deploy_key() -> None:
    assert set(faults(CONVEX_URL="https://x.convex.cloud")) == {"CONVEX_DEPLOY_KEY"}

    settings = read(CONVEX_URL="https://x.convex.cloud/", CONVEX_DEPLOY_KEY="prod:x|y")
    assert settings.convex_url == "https://x.convex.cloud"


SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="


def test_whoever_is_told_is_told_whole() -> None:
    assert set(faults(WEBHOOK_URL="https://x.example/hook")) == {"WEBHOOK_SECRET"}
    assert set(faults(NOTIFY_EMAIL="me@example.com")) == {"SMTP_URL"}
    assert set(faults(SMTP_URL="smtp://localhost")) == {"MAIL_FROM"}


@pytest.mark.parametrize(
    ("variables", "name", "fault"),
    [
        ({"WEBHOOK_SECRET": "hunter2"}, "WEBHOOK_SECRET", "must begin with whsec_"),
        ({"WEBHOOK_SECRET": f"{SECRET},whsec_YQ=="}, "WEBHOOK_SECRET", "has 1 bytes"),
        ({"SMTP_URL": "mail.example.com", "MAIL_FROM": "a@b"}, "SMTP_URL", "is no URL of a mail"),
        ({"MAIL_FROM": "Chat"}, "MAIL_FROM", "is no address"),
        ({"NOTIFY_EMAIL": "me@b, Ada <a@b>"}, "NOTIFY_EMAIL", "has 'Ada <a@b>': write addresses"),
        ({"HUMAN_HOURS": "weekdays"}, "HUMAN_HOURS", "has 'weekdays': write days and hours"),
        ({"NOTIFY_CHAT_URL": "slack"}, "NOTIFY_CHAT_URL", "must be a URL"),
    ],
)
def test_each_target_is_looked_at_before_the_start(
    variables: dict[str, str], name: str, fault: str
) -> None:
    found = faults(**{"SMTP_URL": "smtp://localhost", "MAIL_FROM": "a@b", **variables})

    assert list(found) == [name]
    assert found[name].startswith(fault)


def test_addresses_that_are_called_stand_as_they_are_written() -> None:
    settings = read(
        WEBHOOK_URL="https://x.example/hook/",
        WEBHOOK_SECRET=SECRET,
        HUMAN_HOURS="Mo-Fr 09:00-17:00 Europe/Berlin",
    )

    assert settings.webhook_url == "https://x.example/hook/"
    assert settings.webhook_secrets == (SECRET,)
    assert settings.assistant.people.hours == OpeningHours.parse("Mo-Fr 09:00-17:00 Europe/Berlin")
