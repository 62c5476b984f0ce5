"""The environment, read once: its defaults, its files, its faults."""

import os
import platform
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields
from operator import attrgetter
from pathlib import Path
from unittest.mock import patch

import pytest

from app.settings import (
    DEVELOPMENT_WIDGET_KEY,
    ROOT,
    Settings,
    SettingsFaults,
    load,
    load_all,
    read_environment,
    variables,
)
from app.settings.reader import Declared

VARIABLES = variables()
NONSENSE = ["nonsense", "-1", "nan", "9" * 400, "http://", "http://[", "\udcff"]
GOOD_KEY = "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6"
PRODUCTION = {
    "APP_ENV": "production",
    "OPENAI_API_KEY": "sk-live",
    "WIDGET_API_KEY": GOOD_KEY,
    "CORS_ORIGIN": "https://www.example.com",
    "SQLITE_PATH": "/var/lib/perch/chat.db",
}


@pytest.fixture(autouse=True)
def empty_environment() -> Iterator[None]:
    with patch.dict(os.environ, {}, clear=True):
        yield


def read(**environment: str) -> Settings:
    os.environ.clear()
    os.environ.update(environment)
    return load()


def faults(**environment: str) -> dict[str, str]:
    with pytest.raises(SettingsFaults) as found:
        read(**environment)
    return found.value.faults


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


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        (
            "https://Shop.Example:443, HTTP://[0:0:0:0:0:0:0:1]:80",
            ("https://shop.example", "http://[::1]"),
        ),
        ("https://bücher.example", ("https://xn--bcher-kva.example",)),
        ("https://*.Example.com", ("https://*.example.com",)),
        ("https://a.example,https://A.example:443", ("https://a.example",)),
    ],
)
def test_origins_are_kept_as_browsers_write_them(written: str, normal: tuple[str, ...]) -> None:
    assert read(CORS_ORIGIN=written).assistant.origins == normal


@pytest.mark.parametrize(
    ("origin", "advice"),
    [
        ("ttps://shop.example", "https:// or http://"),
        ("https://shop.example/", "write https://shop.example"),
        ("https://shop.*", "https://*.example.com"),
        ("https://a:secret@shop.example", "names a user"),
    ],
)
def test_an_origin_that_no_browser_sends_is_refused_with_advice(origin: str, advice: str) -> None:
    fault = faults(CORS_ORIGIN=origin)["CORS_ORIGIN"]

    assert advice in fault
    assert "secret" not in fault


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("https://Chat.Example:443", "https://chat.example"),
        ("https://chat.example/", "https://chat.example"),
        ("https://host.example/perch/", "https://host.example/perch"),
        ("http://localhost:4000/a/b-c", "http://localhost:4000/a/b-c"),
    ],
)
def test_public_url_is_kept_as_browsers_write_it(written: str, normal: str) -> None:
    assert read(PUBLIC_URL=written).public_url == normal


@pytest.mark.parametrize(
    "written",
    [
        "chat.example",
        "ftp://chat.example",
        "https://chat.example/a/../b",
        "https://chat.example//a",
        "https://chat.example/a?b=c",
        "https://chat.example/a#b",
        "https://chat.example/%2e%2e/a",
        "https://user@chat.example",
        "https://*.example.com",
    ],
)
def test_public_url_that_leads_elsewhere_is_refused(written: str) -> None:
    assert "PUBLIC_URL" in faults(PUBLIC_URL=written)


@pytest.mark.parametrize(
    ("written", "addresses"),
    [
        ("", ()),
        ("127.0.0.1", ("127.0.0.1",)),
        ("::1", ("[::1]",)),
        ("[::1], 127.0.0.1", ("[::1]", "127.0.0.1")),
        ("0:0:0:0:0:0:0:0", ("[::]",)),
        ("localhost", ("127.0.0.1",)),
        ("LocalHost", ("127.0.0.1",)),
    ],
)
def test_host_names_addresses_of_both_families(written: str, addresses: tuple[str, ...]) -> None:
    assert read(HOST=written).hosts == addresses


@pytest.mark.parametrize(
    "written", ["chat.example", "127.0.0.1:4000", "[::1]:4000", "*", "256.1.1.1"]
)
def test_host_that_is_no_address_is_refused(written: str) -> None:
    assert "HOST" in faults(HOST=written)


@pytest.mark.parametrize("written", ["chat.example", "10.0.0.0/33", "10.0.0.0-10.0.0.9"])
def test_proxies_are_addresses_or_networks(written: str) -> None:
    assert "TRUSTED_PROXIES" in faults(TRUSTED_PROXIES=written)


@pytest.mark.parametrize(
    ("written", "network"),
    [
        ("10.0.0.1/8", "10.0.0.0/8"),
        ("[::1]", "::1/128"),
        ("[2001:DB8::]/32", "2001:db8::/32"),
        ("fe80::1%eth0", "fe80::1/128"),
        ("::ffff:10.1.2.3", "10.1.2.3/32"),
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
    ],
)
def test_proxies_are_kept_as_peers_are_told(written: str, network: str) -> None:
    assert [str(each) for each in read(TRUSTED_PROXIES=written).trusted_proxies] == [network]


def test_convex_needs_its_deploy_key() -> None:
    assert set(faults(CONVEX_URL="https://x.convex.cloud")) == {"CONVEX_DEPLOY_KEY"}

    settings = read(CONVEX_URL="https://x.convex.cloud/", CONVEX_DEPLOY_KEY="prod:x|y")
    assert settings.convex_url == "https://x.convex.cloud"


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


def write(directory: Path, **files: str) -> None:
    for name, text in files.items():
        (directory / f".{name.replace('_', '.')}").write_text(text)


def test_env_local_wins_over_env_and_real_variables_over_both(tmp_path: Path) -> None:
    write(
        tmp_path,
        env="PORT=1\nOPENAI_MODEL=from-env\nREFUSAL_MESSAGE=from-env\n",
        env_local="PORT=2\nOPENAI_MODEL=from-local\n",
    )
    os.environ["PORT"] = "3"

    settings = load(read_environment(tmp_path))

    assert settings.port == 3
    assert settings.assistant.model.name == "from-local"
    assert settings.assistant.turns.refusal_message == "from-env"


def test_dotenv_of_the_original_works_as_it_is(tmp_path: Path) -> None:
    write(
        tmp_path,
        env=f"""\
NODE_ENV=production
PORT=4000
# Convex
CONVEX_DEPLOYMENT=prod:happy-animal-123 # team: x
CONVEX_URL="https://happy-animal-123.convex.cloud"
OPENAI_API_KEY='sk-live'
OPENAI_MODEL=
WIDGET_API_KEY={GOOD_KEY}
ADMIN_API_KEY=
CORS_ORIGIN=https://a.example,https://b.example
MAX_HISTORY_MESSAGES=20
RATE_LIMIT_WINDOW_MS=60000
WIDGET_BUNDLE_PATH=../widget/dist/chat-widget.js
NEXT_PUBLIC_API_URL=https://a.example
export EXTRA=1
SESSION_SECRET=of-the-original
ADMIN_DASHBOARD_URL=https://a.example/admin
""",
    )
    os.environ["CONVEX_DEPLOY_KEY"] = "prod:x|y"

    settings = load(read_environment(tmp_path))

    assert settings.is_production
    assert settings.convex_url == "https://happy-animal-123.convex.cloud"
    assert settings.assistant.model.api_key == "sk-live"
    assert settings.assistant.model.name == "gpt-6-luna"
    assert settings.admin_api_keys == ()
    assert settings.assistant.origins == ("https://a.example", "https://b.example")
    assert settings.widget_bundle_path == ROOT / "widget_dist" / "chat-widget.js"
    assert settings.ignored == (
        "ADMIN_DASHBOARD_URL",
        "CONVEX_DEPLOYMENT",
        "EXTRA",
        "NEXT_PUBLIC_API_URL",
        "SESSION_SECRET",
    )


def test_no_dotenv_is_fine(tmp_path: Path) -> None:
    assert load(read_environment(tmp_path)).port == 4000


def test_dotenv_that_is_no_text_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"PORT=\xff\xfe4\x000\x00")

    with pytest.raises(SettingsFaults) as found:
        read_environment(tmp_path)

    assert list(found.value.faults) == [".env"]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("BUDGET_TOKENS_PER_DAY: 100000\n", "line 2 sets"),
        ("BUDGET_TOKENS_PER_DAY 100000\n", "line 2 sets"),
        ("BUDGET_TOKENS_PER_DAY\n", "line 2 sets"),
        ("\n\nset BUDGET_TOKENS_PER_DAY=100000\n", "line 4 sets"),
        ("- BUDGET_TOKENS_PER_DAY=100000\n\n=5\n", "lines 2, 4 set"),
        ('WIDGET_TITLE="Support\nPORT=4001\n', "line 2 sets"),
        ('WIDGET_TITLE="Support" team\n', "line 2 sets"),
        ("SYSTEM_PROMPT='Be kind.\nBe brief.\nIt's all.'", "line 2 sets"),
    ],
)
def test_a_line_of_a_file_that_sets_nothing_is_a_fault(
    tmp_path: Path, text: str, lines: str
) -> None:
    (tmp_path / ".env").write_text(f"PORT=4000\n{text}")

    with pytest.raises(SettingsFaults) as found:
        read_environment(tmp_path)

    (sentence,) = found.value.faults.values()
    assert sentence.startswith(f"{lines} nothing"), sentence
    assert "100000" not in sentence


def test_comments_blank_lines_and_what_the_environment_has_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WIDGET_TITLE", "Support")
    (tmp_path / ".env").write_text("# One\n\n; two\n  # three\nWIDGET_TITLE\nPORT = 4001 # four\n")

    settings = load(read_environment(tmp_path))

    assert (settings.port, settings.assistant.look.title) == (4001, "Support")


def test_dotenv_with_a_nul_byte_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"WIDGET_TITLE=a\0b\n")

    with pytest.raises(SettingsFaults) as found:
        read_environment(tmp_path)

    assert list(found.value.faults) == [".env"]


def test_originals_bundle_path_is_ours_where_it_is_absent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = "../widget/dist/chat-widget.js"
    (tmp_path / "server").mkdir()
    monkeypatch.chdir(tmp_path / "server")
    assert (
        read(WIDGET_BUNDLE_PATH=original).widget_bundle_path
        == ROOT / "widget_dist" / "chat-widget.js"
    )

    there = tmp_path / "widget" / "dist" / "chat-widget.js"
    there.parent.mkdir(parents=True)
    there.write_text("//")

    assert read(WIDGET_BUNDLE_PATH=original).widget_bundle_path == Path(original)
    assert read(WIDGET_BUNDLE_PATH="/own.js").widget_bundle_path == Path("/own.js")


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


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "WIDGET_API_KEY", "SYSTEM_PROMPT"])
def test_secret_is_read_from_its_file(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_text(f"  {GOOD_KEY}\n")
    fields = {
        "WIDGET_API_KEY": "widget_api_keys",
        "SYSTEM_PROMPT": "turns.system_prompt",
        "OPENAI_API_KEY": "model.api_key",
    }
    field = attrgetter(f"assistant.{fields[name]}")

    told = field(read(**{f"{name}_FILE": str(tmp_path / "secret")}))

    assert told in (GOOD_KEY, (GOOD_KEY,))


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "SECRET_KEY", "REDIS_URL"])
def test_secret_files_of_other_editors_are_read_or_named(tmp_path: Path, name: str) -> None:
    marked, wide = tmp_path / "marked", tmp_path / "wide"
    marked.write_text(GOOD_KEY * 2, "utf-8-sig")
    wide.write_bytes(GOOD_KEY.encode("utf-16-le"))

    assert read(OPENAI_API_KEY_FILE=str(marked)).assistant.model.api_key == GOOD_KEY * 2
    assert "NUL" in faults(**{f"{name}_FILE": str(wide)})[f"{name}_FILE"]


def test_file_and_its_name_may_have_quotes(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f'"{GOOD_KEY}"\n')

    settings = read(ADMIN_API_KEY_FILE=f'"{tmp_path}/secret"')

    assert settings.admin_api_keys == (GOOD_KEY,)


def test_secret_itself_wins_over_its_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from the file")

    settings = read(OPENAI_API_KEY="sk-x", OPENAI_API_KEY_FILE=str(tmp_path / "secret"))

    assert settings.assistant.model.api_key == "sk-x"


def test_file_that_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff")

    for path in (tmp_path / "absent", tmp_path, tmp_path / "binary"):
        assert str(path) in faults(OPENAI_API_KEY_FILE=str(path))["OPENAI_API_KEY_FILE"]


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        read().port = 1  # type: ignore[misc]


def test_secrets_are_not_shown_with_the_settings() -> None:
    shown = repr(
        read(**{**PRODUCTION, "ADMIN_API_KEY": GOOD_KEY[::-1], "REDIS_URL": "redis://:pw@h"})
    )

    for secret in ("sk-live", GOOD_KEY, GOOD_KEY[::-1], ":pw@"):
        assert secret not in shown


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


# Misspelt names


def faults_of_file(directory: Path, text: str, **environment: str) -> dict[str, str]:
    os.environ.clear()
    os.environ.update(environment)
    write(directory, env=text)
    try:
        load(read_environment(directory))
    except SettingsFaults as found:
        return found.faults
    return {}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("TRUSTED_PROXY_HOP", "TRUSTED_PROXY_HOPS"),
        ("DASHBOARD_PASWORD", "DASHBOARD_PASSWORD"),
        ("BUDGET_TOKEN_PER_DAY", "BUDGET_TOKENS_PER_DAY"),
        ("CORS_ORIGINS", "CORS_ORIGIN"),
        ("OPENAI_APIKEY", "OPENAI_API_KEY"),
        ("OPENAI_API_KEY_FIL", "OPENAI_API_KEY_FILE"),
        ("RATE_LIMIT_MAX_REQEUSTS", "RATE_LIMIT_MAX_REQUESTS"),
        ("redis_url", "REDIS_URL"),
        ("REDIS-URL", "REDIS_URL"),
        ("PROT", "PORT"),
        ("APP_EVN", "APP_ENV"),
        ("NODE_EVN", "NODE_ENV"),
        ("BUDGET-TOKENS-PER-DAY", "BUDGET_TOKENS_PER_DAY"),
        ("budget.tokens.per.day", "BUDGET_TOKENS_PER_DAY"),
        ("PERCH_BUDGET_TOKENS_PER_DAY", "BUDGET_TOKENS_PER_DAY"),
        ("PERCH_PORT", "PORT"),
        ("SENTRY_DNS", "SENTRY_DSN"),
    ],
)
def test_a_misspelt_name_in_a_file_is_a_fault_that_names_the_meant_one(
    tmp_path: Path, written: str, meant: str
) -> None:
    assert faults_of_file(tmp_path, f"{written}=1\n") == {
        written: f"is no setting: did you mean {meant}? (in .env)"
    }


def test_one_slip_in_any_name_is_found(tmp_path: Path) -> None:
    slips = {
        slip
        for name in VARIABLES
        for slip in (name[:-1], name + "X", name[:2] + name[3] + name[2] + name[4:])
    } - set(VARIABLES)

    assert set(faults_of_file(tmp_path, "".join(f"{slip}=1\n" for slip in slips))) == slips


def test_a_misspelt_name_of_the_environment_is_a_fault() -> None:
    assert list(faults(BUDGET_TOKEN_PER_DAY="1000")) == ["BUDGET_TOKEN_PER_DAY"]


def test_the_right_name_beside_it_shows_that_a_name_of_the_environment_is_another_programs() -> (
    None
):
    assert read(CORS_ORIGINS="other", CORS_ORIGIN="https://a.example").assistant.origins


# What stands in the environment of processes on the platforms, and what other
# programs and libraries read, without our own. None of it may keep the server from starting.
WELL_KNOWN = (Path(__file__).parent / "fixtures/environment_names.txt").read_text().split()


# Which we read, too, and as all programs do.
SHARED = {"ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"}


def test_well_known_names_of_the_environment_stop_nothing() -> None:
    others = [name for name in WELL_KNOWN if name not in SHARED]

    assert set(WELL_KNOWN) & set(VARIABLES) <= SHARED
    assert read(**{**PRODUCTION, **dict.fromkeys(others, "1")}).is_production


# A name that shells and compilers take for themselves

MACHINE = socket.gethostname()


@pytest.mark.parametrize(
    "written",
    [
        MACHINE,
        MACHINE.upper(),
        f"{MACHINE.partition('.')[0]}.fritz.box",
        f"{platform.machine()}-conda-linux-gnu",
        f"{platform.machine()}-apple-darwin20.0.0",
    ],
)
def test_host_of_a_shell_is_told_and_chooses_nothing(written: str) -> None:
    settings = read(**PRODUCTION, HOST=written)

    assert settings.hosts == ()
    assert settings.ignored == ("HOST (it names the machine, and no address to listen on)",)


@pytest.mark.parametrize("line", ["HOST=127.0.0.1", "HOST="])
def test_host_of_a_file_wins_over_a_shells(tmp_path: Path, line: str) -> None:
    os.environ["HOST"] = MACHINE
    write(tmp_path, env="HOST=::1", env_local=line)

    settings = load(read_environment(tmp_path))

    assert settings.hosts == (("127.0.0.1",) if line.endswith("1") else ())
    assert settings.ignored == ()


def test_the_machines_name_in_a_file_is_a_fault(tmp_path: Path) -> None:
    assert list(faults_of_file(tmp_path, f"HOST={MACHINE}\n")) == ["HOST"]


@pytest.mark.parametrize("written", ["another-machine.test", f"{MACHINE},127.0.0.1", "127.0.0"])
def test_host_that_nobody_can_listen_on_is_a_fault_wherever_it_stands(written: str) -> None:
    assert list(faults(HOST=written)) == ["HOST"]


def test_names_of_a_file_that_do_nothing_are_told_and_those_that_libraries_read_are_not(
    tmp_path: Path,
) -> None:
    write(tmp_path, env="JWT_SECRET=x\nOTEL_SERVICE_NAME=x\nOPENAI_ORG_ID=x\nTZ=UTC\nPORT=1\n")

    assert load(read_environment(tmp_path)).ignored == ("JWT_SECRET",)


# The file that is named


def test_named_file_takes_the_place_of_both_files(tmp_path: Path) -> None:
    write(tmp_path, env="PORT=1\nREFUSAL_MESSAGE=from-env\n", env_local="PORT=2\n")
    (tmp_path / "named").write_text("\ufeffOPENAI_MODEL=from-named\n", encoding="utf-8")
    os.environ["PERCH_ENV_FILE"] = "named"

    environment = read_environment(tmp_path)
    assert environment.in_files == {"OPENAI_MODEL": "named"}
    settings = load(environment)

    assert (settings.port, settings.assistant.model.name) == (4000, "from-named")


@pytest.mark.parametrize("name", ["absent", "."])
def test_named_file_that_cannot_be_read_is_a_fault(tmp_path: Path, name: str) -> None:
    os.environ["PERCH_ENV_FILE"] = name

    with pytest.raises(SettingsFaults) as found:
        read_environment(tmp_path)

    assert list(found.value.faults) == [name]


def test_environment_is_left_alone_but_for_what_libraries_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    os.environ["OPENAI_MODEL"] = ' "quoted" '
    (tmp_path / "key").write_text(GOOD_KEY)
    write(
        tmp_path,
        env=f"OTEL_SERVICE_NAME=chat\nPORT=4001\nOTEL_EXPORTER_OTLP_ENDPOINT=http://otel:4318\n"
        f"OPENAI_API_KEY_FILE={tmp_path}/key\n",
    )

    settings = load_all()

    assert (settings.port, settings.assistant.model.name) == (4001, "quoted")
    assert settings.assistant.model.api_key == GOOD_KEY
    names = os.environ.keys() - {"PYTEST_CURRENT_TEST"}
    assert names == {"OPENAI_MODEL", "OTEL_SERVICE_NAME"}
    assert os.environ["OPENAI_MODEL"] == ' "quoted" '


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


@pytest.mark.parametrize(
    "variable", [("TURN_TIMEOUT_S", "-1"), ("MAX_OUTPUT_TOKENS", "9000000"), ("PORT", "0")]
)
def test_number_that_is_out_of_bounds_is_one_fault(variable: tuple[str, str]) -> None:
    name, value = variable

    assert set(faults(**{name: value})) == {name}
