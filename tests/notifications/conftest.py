"""Parts of the sender, over one conversation, at a time that stands still."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.domain.people import Notice, NoticeType
from app.notifications.facts import Facts, read_facts
from app.settings import Settings
from tests.data import some_settings
from tests.notifications.outbox import MsClock, NoticesInFile, Threads
from tests.notifications.post_office import PostOffice

MakeFacts = Callable[..., Facts]


@pytest.fixture
def now() -> MsClock:
    return MsClock()


@pytest.fixture
def threads(now: MsClock) -> Threads:
    return Threads(now)


@pytest.fixture
def people(now: MsClock, threads: Threads) -> NoticesInFile:
    return NoticesInFile(":memory:", now, threads)


@pytest.fixture
def settings() -> Settings:
    return some_settings(
        NOTIFY_EMAIL="owner@example.com",
        SMTP_URL="smtp://localhost",
        MAIL_FROM="Chat <chat@example.com>",
        CORS_ORIGIN="https://www.example.com",
        WIDGET_API_KEY="widget-key-of-the-unit-tests",
    )


@pytest.fixture
def facts_of(threads: Threads, settings: Settings, now: MsClock) -> MakeFacts:
    """Reads what the targets know of a notice."""

    def read(kind: NoticeType, message_id: str | None = None, **fields: Any) -> Facts:
        notice = Notice("n1", kind, now(), "default", "c1", message_id)._replace(**fields)
        found = read_facts(threads, {"default": settings.assistant}, notice)  # type: ignore[arg-type]
        assert found
        return found

    return read


@pytest.fixture
def office() -> Iterator[PostOffice]:
    with PostOffice() as office:
        yield office
