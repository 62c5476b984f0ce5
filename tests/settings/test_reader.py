"""Each value, or why it cannot serve."""

from pathlib import Path

import pytest

from app.settings import DEVELOPMENT_WIDGET_KEY
from tests.settings.reading import GOOD_KEY, PRODUCTION, VARIABLES, faults, read


def test_empty_variable_is_as_good_as_none() -> None:
    for name in VARIABLES:
        assert read(**{name: ""}) == read(**{name: " "}) == read()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WIDGET_API_KEY", "short"),
        ("WIDGET_API_KEY", DEVELOPMENT_WIDGET_KEY),
        ("WIDGET_API_KEY", "change-me-change-me-change-me"),
        ("WIDGET_API_KEY", f"{GOOD_KEY},short"),
        ("WIDGET_API_KEY", "ключ" * 10),
        ("ADMIN_API_KEY", "short"),
        ("ADMIN_API_KEY", "your-admin-key-your-admin-key"),
        ("OPENAI_API_KEY", "sk-“quoted”"),
        ("OPENAI_API_KEY", "sk-two\nlines"),
        ("CORS_ORIGIN", "*"),
        ("CORS_ORIGIN", "https://a.example,*"),
        ("CORS_ORIGIN", "https://a.example/"),
        ("CORS_ORIGIN", "https://a.example/page"),
        ("CORS_ORIGIN", "https://*.example"),
        ("CORS_ORIGIN", "https://a.example https://b.example"),
        ("CORS_ORIGIN", "a.example"),
        ("OPENAI_BASE_URL", "ftp://host"),
        ("OPENAI_BASE_URL", "https://"),
        ("OPENAI_BASE_URL", "http://host:port/v1"),
        ("OPENAI_BASE_URL", "https://host/with space"),
        ("CONVEX_URL", "convex.cloud"),
        ("PORT", "0"),
        ("PORT", "4000.5"),
        ("WEB_CONCURRENCY", "0"),
        ("GRACEFUL_TIMEOUT", "1"),
        ("TRUSTED_PROXY_HOPS", "-1"),
        ("HEARTBEAT_S", "nan"),
        ("HEARTBEAT_S", "0"),
    ],
)
def test_value_that_cannot_serve_is_refused_by_name(name: str, value: str) -> None:
    found = faults(**{**PRODUCTION, name: value})

    assert name in found
    assert "\n" not in found[name]
    if "KEY" in name:
        assert value not in found[name]


def test_several_keys_and_origins_are_separated_by_commas() -> None:
    other = GOOD_KEY[::-1]
    settings = read(
        **{
            **PRODUCTION,
            "WIDGET_API_KEY": f" {GOOD_KEY} , {other},",
            "CORS_ORIGIN": "https://a.example, http://localhost:3000",
        }
    )

    assert settings.assistant.widget_api_keys == (GOOD_KEY, other)
    assert settings.assistant.origins == ("https://a.example", "http://localhost:3000")


@pytest.mark.parametrize("name", ["SQLITE_PATH", "SPOOL_PATH", "WIDGET_BUNDLE_PATH"])
@pytest.mark.parametrize(
    "written",
    [
        "sqlite:////data/chat.db", "sqlite:chat.db", "file:chat.db?mode=ro", "File:chat.db",
        ":memory:", "https://a.example/chat.db", "$HOME/chat.db", "${DATA}/chat.db",
        "%h/chat.db", "~nobody-has-this-name/chat.db",
    ],
)  # fmt: skip
def test_what_is_no_path_is_refused(name: str, written: str) -> None:
    assert "write a path" in faults(**{name: written})[name]


def test_home_in_a_path_is_the_users() -> None:
    assert read(HOME="/srv/ada", SQLITE_PATH="~/chat.db").sqlite_path == Path("/srv/ada/chat.db")


def test_proxies_are_read_under_the_names_that_all_programs_share() -> None:
    settings = read(
        HTTPS_PROXY="http://me:secret@proxy.example:3128",
        HTTP_PROXY="http://loses.example",
        http_proxy="http://wins.example:8080",
        NO_PROXY="localhost, .internal",
        OPENAI_API_KEY="sk-x",
        CONVEX_URL="https://db.internal",
        CONVEX_DEPLOY_KEY="key",
    )

    assert str(settings.proxies.of("https://api.openai.com")) == "http://proxy.example:3128"
    assert str(settings.proxies.of("http://vllm:8000")) == "http://wins.example:8080"
    assert [(name, str(proxy)) for name, proxy in settings.used_proxies] == [
        ("Model", "http://proxy.example:3128")
    ]


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"HTTPS_PROXY": "socks5://me:secret@host"}, "HTTPS_PROXY"),
        ({"all_proxy": "socks5h://host:1080"}, "ALL_PROXY"),
        ({"HTTP_PROXY": "http://host:port"}, "HTTP_PROXY"),
    ],
)
def test_proxy_that_cannot_be_used_is_a_fault(environment: dict[str, str], named: str) -> None:
    found = faults(**environment)

    assert set(found) == {named}
    assert "secret" not in found[named]


def test_proxy_that_nobody_would_use_is_no_fault() -> None:
    socks = "socks5://127.0.0.1:7891"

    assert read(HTTPS_PROXY=socks, NO_PROXY="*").proxies.of("https://x.example") is None
    read(HTTPS_PROXY="http://host", HTTP_PROXY="http://host", ALL_PROXY=socks)


@pytest.mark.parametrize(
    "variable", [("TURN_TIMEOUT_S", "-1"), ("MAX_OUTPUT_TOKENS", "9000000"), ("PORT", "0")]
)
def test_number_that_is_out_of_bounds_is_one_fault(variable: tuple[str, str]) -> None:
    name, value = variable

    assert set(faults(**{name: value})) == {name}
