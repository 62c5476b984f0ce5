"""The environment, read once: its defaults, its platforms, all faults together."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields
from pathlib import Path

import pytest

from app.settings import DEVELOPMENT_WIDGET_KEY, ROOT, Settings, SettingsFaults, load_all
from app.settings.reader import Declared
from tests.settings.reading import GOOD_KEY, PRODUCTION, VARIABLES, faults, read, write

NONSENSE = ["nonsense", "-1", "nan", "9" * 400, "http://", "http://[", "\udcff"]


def test_nothing_is_needed_in_development() -> None:
    settings = read()

    assert settings.is_development
    assert not settings.is_production
    assert settings.port == 4000
    assert settings.convex_url is None
    assert settings.sqlite_path == Path("data/chat.db")
    assert settings.assistant.model.api_key is None
    assert settings.assistant.model.name == "gpt-6-luna"
    assert settings.assistant.widget_api_keys == (DEVELOPMENT_WIDGET_KEY,)
    assert settings.admin_api_keys == ()
    assert settings.assistant.origins == ("*",)
    assert settings.assistant.turns.history_limit == 30
    assert settings.assistant.turns.max_output_tokens == 800
    limits = settings.assistant.limits
    assert (limits.window_ms, limits.max_requests) == (60_000, 30)
    assert (settings.trusted_proxy_hops, settings.client_ip_header) == (0, None)
    assert settings.widget_bundle_path == ROOT / "widget_dist" / "chat-widget.js"
    assert (settings.web_concurrency, settings.graceful_timeout_s) == (1, 25)


def test_every_kind_of_fault_is_told_at_once() -> None:
    found = faults(
        APP_ENV="staging",
        PORT="80000",
        MAX_OUTPUT_TOKENS="many",
        MAX_HISTORY_MESSAGES="0",
        TURN_TIMEOUT_S="-1",
        OPENAI_BASE_URL="localhost:8000",
        CONVEX_URL="https://x.convex.cloud",
        ADMIN_API_KEY="short",
        CORS_ORIGIN="example.com",
        SESSION_MODE="loose",
        MODEL_PRICES="free",
        REDIS_URL="localhost",
        OPENAI_API_KEY_FILE="/nowhere/key",
    )

    assert {
        "APP_ENV",
        "PORT",
        "MAX_OUTPUT_TOKENS",
        "MAX_HISTORY_MESSAGES",
        "TURN_TIMEOUT_S",
        "OPENAI_BASE_URL",
        "CONVEX_DEPLOY_KEY",
        "ADMIN_API_KEY",
        "CORS_ORIGIN",
        "SESSION_MODE",
        "MODEL_PRICES",
        "REDIS_URL",
        "OPENAI_API_KEY_FILE",
    } <= set(found)


@pytest.mark.parametrize("value", NONSENSE)
def test_no_value_of_any_variable_is_a_crash(value: str) -> None:
    for name in VARIABLES:
        with suppress(SettingsFaults):
            read(**{name: value})


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"NODE_ENV": "production", **PRODUCTION, "APP_ENV": ""}, "production"),
        ({"NODE_ENV": "production", "APP_ENV": "test"}, "test"),
        ({"NODE_ENV": "test"}, "test"),
        ({"NODE_ENV": ""}, "development"),
        ({}, "development"),
    ],
)
def test_node_env_is_an_alias(environment: dict[str, str], expected: str) -> None:
    assert read(**environment).app_env == expected


def test_wrong_environment_is_told_by_the_name_that_was_used() -> None:
    assert "NODE_ENV" in faults(NODE_ENV="prod")
    assert "APP_ENV" in faults(APP_ENV="prod", NODE_ENV="test")


def test_wrong_environment_is_never_taken_for_development() -> None:
    assert "WIDGET_API_KEY" in faults(APP_ENV="prod")


@pytest.mark.parametrize(
    ("name", "platform", "hops", "header"),
    [
        ("RENDER", "Render", 2, None),
        ("RAILWAY_ENVIRONMENT_NAME", "Railway", 0, "X-Real-IP"),
        ("FLY_APP_NAME", "Fly.io", 0, "Fly-Client-IP"),
        ("DYNO", "Heroku", 1, None),
    ],
)
def test_platform_means_production_and_how_clients_are_told(
    name: str, platform: str, hops: int, header: str | None
) -> None:
    settings = read(**{**PRODUCTION, "APP_ENV": "", name: "there"})

    assert settings.is_production
    assert settings.platform == platform
    assert (settings.trusted_proxy_hops, settings.client_ip_header) == (hops, header)


def test_owner_knows_better_than_the_platform() -> None:
    assert read(DYNO="web.1", APP_ENV="development", TRUSTED_PROXY_HOPS="3").trusted_proxy_hops == 3
    assert read(FLY_APP_NAME="x", APP_ENV="test", CLIENT_IP_HEADER="X-A").client_ip_header == "X-A"


@pytest.mark.parametrize(
    ("environment", "file", "stumbles"),
    [
        ({"WEB_CONCURRENCY": ""}, "", True),
        ({"WEB_CONCURRENCY": " "}, "WEB_CONCURRENCY=2", True),
        ({"WEB_CONCURRENCY": '"2"'}, "", True),
        ({}, 'WEB_CONCURRENCY="2"', False),
        ({"WEB_CONCURRENCY": "2"}, "", False),
        ({}, "WEB_CONCURRENCY=", False),
        ({}, "", False),
    ],
)
def test_number_of_workers_that_stops_gunicorn_is_noticed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    file: str,
    stumbles: bool,
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, env=file)
    os.environ.update(environment)

    assert load_all().gunicorn_stumbles is stumbles


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        read().port = 1  # type: ignore[misc]


def test_secrets_are_not_shown_with_the_settings() -> None:
    shown = repr(
        read(**{**PRODUCTION, "ADMIN_API_KEY": GOOD_KEY[::-1], "REDIS_URL": "redis://:pw@h"})
    )

    for secret in ("sk-live", GOOD_KEY, GOOD_KEY[::-1], ":pw@"):
        assert secret not in shown


def declarations(group: type) -> Iterator[Declared]:
    for each in fields(group):
        if "declared" in each.metadata:
            yield each.metadata["declared"]
        elif "group" in each.metadata:
            yield from declarations(each.metadata["group"])


def test_every_setting_is_declared_once_and_every_variable_is_of_one() -> None:
    declared = [each.name for each in declarations(Settings)]

    assert len(set(declared)) == len(declared)
    assert set(VARIABLES) - set(declared) == {"HTTP_PROXY", "ALL_PROXY", "NO_PROXY"}
