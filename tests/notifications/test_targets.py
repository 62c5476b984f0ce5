"""Whom the settings name, and the tries that ``doctor`` makes."""

import pytest

from app.factory.notifications import make_notifications
from app.notifications.delivery import NotTaken
from app.notifications.targets import checks_of, make_targets, may_tell_password
from app.settings import Settings
from tests.data import some_settings
from tests.notifications.outbox import NoticesInFile, Threads
from tests.notifications.post_office import PostOffice

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="


def targets_of(settings: Settings, threads: Threads, people: NoticesInFile) -> list[str]:
    made = make_notifications(settings, threads, people, [b"secret"])  # type: ignore[arg-type]
    names = [each.name for each in made.sender.targets]
    again = make_targets(settings, threads, people, made.links)  # type: ignore[arg-type]
    assert names == [each.name for each in again]
    return names


def test_nobody_is_told_by_default(threads: Threads, people: NoticesInFile) -> None:
    assert targets_of(some_settings(), threads, people) == []


def test_a_program_that_may_hang_comes_last(threads: Threads, people: NoticesInFile) -> None:
    settings = some_settings(
        WEBHOOK_URL="https://x.example/hook",
        WEBHOOK_SECRET=SECRET,
        SMTP_URL="smtp://localhost",
        MAIL_FROM="chat@example.com",
        NOTIFY_CHAT_URL="https://hooks.slack.com/services/x",
    )

    assert targets_of(settings, threads, people) == ["chat", "email", "visitor", "webhook"]


def test_each_target_is_tried_without_telling_anything(office: PostOffice) -> None:
    settings = some_settings(
        SMTP_URL=f"smtp://127.0.0.1:{office.port}",
        MAIL_FROM="chat@example.com",
        WEBHOOK_URL="http://127.0.0.1:9/hook",
        WEBHOOK_SECRET=SECRET,
        NOTIFY_CHAT_URL="http://10.0.0.1/hook",
    )
    checks = dict(checks_of(settings))

    assert list(checks) == ["SMTP_URL", "WEBHOOK_URL", "NOTIFY_CHAT_URL"]
    assert checks["SMTP_URL"]() == f"127.0.0.1:{office.port} takes mails, not encrypted"
    for name in ("WEBHOOK_URL", "NOTIFY_CHAT_URL"):
        with pytest.raises(NotTaken, match="is at a private address"):
            checks[name]()
    assert office.mails == []


@pytest.mark.parametrize(
    ("url", "may"),
    [
        ("smtp://me:x@mail.example.com", True),
        ("smtp://me:x@mail.example.com?starttls", False),
        ("smtps://me:x@mail.example.com", False),
        ("smtp://me:x@localhost", False),
        ("smtp://mail.example.com", False),
    ],
)
def test_a_password_that_goes_unencrypted_is_pointed_at(url: str, may: bool) -> None:
    assert may_tell_password(some_settings(SMTP_URL=url, MAIL_FROM="a@b.example")) is may
