"""``doctor``: does this configuration work with the real services?"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import click
from flask.cli import with_appcontext
from rich.text import Text

from app.assistants import Assistant
from app.bus.redis_connection import why_redis_is_away
from app.cli.printing import print_table
from app.cli.store import tell_store
from app.notifications.delivery import NotTaken
from app.notifications.targets import checks_of, may_tell_password
from app.operations.diagnostics import (
    Finding,
    check_assistant,
    check_host,
    check_keys,
    check_outgoing_proxies,
    check_proxies,
    check_redis,
    check_start,
    check_store,
    check_widget,
)
from app.operations.model_diagnostics import check_fallback, check_model
from app.operations.statistics import utc_now
from app.settings import Settings
from app.web.services import services

_MARKS = {
    "good": Text("ok", "green"),
    "warning": Text("look", "yellow"),
    "bad": Text("wrong", "bold red"),
}


@click.command()
@with_appcontext
def doctor() -> None:
    """Check the configuration against the real services, and say how to mend it.

    Ends with 1 where something is wrong. Asks the model one short question.
    """
    tell_store(services().settings)
    found = list(_look())
    print_table(
        ("", "What", "Found", "To mend it"),
        [(_MARKS[each.level], each.what, each.said, each.advice) for each in found],
        whole=("", "What"),
    )
    if any(each.level == "bad" for each in found):
        raise SystemExit(1)


def _look() -> Iterator[Finding]:
    parts = services()
    settings = parts.settings
    yield from check_start(settings)
    yield from check_host(settings)
    yield from check_store(parts.store, settings)
    yield from check_outgoing_proxies(settings)
    for assistant in parts.assistants:
        for found in _look_at(assistant, settings):
            is_default = assistant is parts.assistants.default
            yield found if is_default else replace(found, what=f"[{assistant.id}] {found.what}")
    yield from _look_at_targets(settings)
    yield from check_redis(settings, _redis_script(settings))
    yield from check_proxies(settings)
    yield from check_keys(settings)
    yield from check_widget(settings)


def _look_at(assistant: Assistant, settings: Settings) -> Iterator[Finding]:
    today = utc_now().date()
    yield from check_model(assistant.model, assistant.settings, today)
    if assistant.fallback:
        yield from check_fallback(assistant.fallback, assistant.settings, today)
    yield from check_assistant(assistant.settings, settings)


def _look_at_targets(settings: Settings) -> Iterator[Finding]:
    for variable, check in checks_of(settings):
        try:
            yield Finding("good", variable, check())
        except NotTaken as failure:
            yield Finding("bad", variable, str(failure), "Nobody is told until this is mended.")
    if may_tell_password(settings):
        yield Finding(
            "warning",
            "SMTP_URL",
            "sends its password unencrypted",
            "Write smtps://, or ?starttls at its end.",
        )


def _redis_script(settings: Settings) -> Callable[[], None] | None:
    url = settings.redis_url
    if url is None:
        return None

    def ask() -> None:
        from redis import Redis
        from redis.exceptions import RedisError

        # Not a ping, which a node of a cluster answers as well.
        try:
            with Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2) as redis:
                redis.eval("return redis.call('EXISTS', KEYS[1])", 1, "{perch}doctor")
        except RedisError as error:
            raise OSError(why_redis_is_away(error)) from error

    return ask
