"""Quotes around values, as people and word processors write them."""

import pytest

from tests.settings.reading import GOOD_KEY, faults, read

QUOTED = {
    "APP_ENV": "production",
    "PORT": "4001",
    "TURN_TIMEOUT_S": "7",
    "OPENAI_API_KEY": "sk-live",
    "OPENAI_MODEL": "a-model",
    "OPENAI_BASE_URL": "https://models.example/v1",
    "SYSTEM_PROMPT": "Be kind.",
    "WIDGET_API_KEY": f"{GOOD_KEY},{GOOD_KEY[::-1]}",
    "ADMIN_API_KEY": GOOD_KEY,
    "SECRET_KEY": GOOD_KEY,
    "DASHBOARD_PASSWORD": "open sesame 123",
    "CORS_ORIGIN": "https://a.example,https://b.example",
    "SESSION_MODE": "strict",
    "SQLITE_PATH": "/var/lib/perch/chat.db",
    "SPOOL_PATH": "/var/lib/perch/spool",
    "WIDGET_BUNDLE_PATH": "/srv/widget.js",
    "WIDGET_STARTERS": "One|Two",
    "MODEL_PRICES": "a-model=1/2",
    "REDIS_URL": "redis://redis:6379/0",
    "CLIENT_IP_HEADER": "X-Real-IP",
    "TRUSTED_PROXIES": "203.0.113.0/24",
    "METRICS_BIND": "127.0.0.1:9091",
    "HOST": "127.0.0.1,::1",
    "PUBLIC_URL": "https://chat.example",
    "HSTS_SUBDOMAINS": "true",
}


@pytest.mark.parametrize("quote", ['"', "'", ' "'])
def test_quotes_around_a_value_are_no_part_of_it(quote: str) -> None:
    """`docker --env-file` hands them on."""
    quoted = {name: f"{quote}{value}{quote[::-1]}" for name, value in QUOTED.items()}

    assert read(**quoted) == read(**QUOTED)


@pytest.mark.parametrize("quotes", ["“”", "‘’", "„“", "«»"])
def test_quotes_of_a_word_processor_are_no_part_of_a_password(quotes: str) -> None:
    password = f"{quotes[0]}open sesame 123{quotes[1]}"

    assert list(faults(DASHBOARD_PASSWORD=password)) == ["DASHBOARD_PASSWORD"]
    assert read(DASHBOARD_PASSWORD=f"open {password} sesame").dashboard_password


def test_each_key_of_a_list_may_have_quotes_of_its_own() -> None:
    keys = f'"{GOOD_KEY}", "{GOOD_KEY[::-1]}"'

    assert read(WIDGET_API_KEY=keys).assistant.widget_api_keys == (GOOD_KEY, GOOD_KEY[::-1])


@pytest.mark.parametrize(
    "prompt", ['"Yes" and "no"', "Don't guess.", '"', "Say 'hello'", 'Say "hello"']
)
def test_quotes_of_a_text_stay(prompt: str) -> None:
    settings = read(SYSTEM_PROMPT=prompt, DASHBOARD_PASSWORD=prompt)

    assert (settings.assistant.turns.system_prompt, settings.dashboard_password) == (prompt, prompt)


@pytest.mark.parametrize(
    "name",
    [
        "WIDGET_API_KEY",
        "ADMIN_API_KEY",
        "SECRET_KEY",
        "IDENTITY_SECRET",
        "OPENAI_API_KEY",
        "SQLITE_PATH",
        "SPOOL_PATH",
        "WIDGET_BUNDLE_PATH",
        "CORS_ORIGIN",
        "CLIENT_IP_HEADER",
        "OPENAI_BASE_URL",
        "PUBLIC_URL",
        "HOST",
    ],
)
@pytest.mark.parametrize("stray", ['"{}', "{}'", '""{}""', "“{}”", 'a"{}', "‘{}’", "{},'a"])
def test_a_quote_that_is_left_is_a_fault(name: str, stray: str) -> None:
    value = {"OPENAI_BASE_URL": "https://a.example", "HOST": "::1"}.get(name, QUOTED.get(name))
    value = stray.format(value or GOOD_KEY)

    assert name in faults(**{name: value})
    if "KEY" in name or "SECRET" in name:
        assert value not in faults(**{name: value})[name]
