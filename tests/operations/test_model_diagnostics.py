"""What ``doctor`` says of a model's server that will not answer, and how to mend it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.factory import create_app
from app.settings import Settings
from tests.data import some_settings
from tests.servers.http_proxy import HttpProxy
from tests.servers.upstream import Upstream, refused_url

pytestmark = pytest.mark.slow  # each makes an application, and asks over sockets

KEY = "sk-of-the-doctors-tests-0123456789"


@pytest.fixture(scope="module")
def module_upstream() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


@pytest.fixture
def upstream(module_upstream: Upstream) -> Upstream:
    module_upstream.reset()
    return module_upstream


def settings_of(directory: Path, **variables: str) -> Settings:
    return some_settings(
        **{
            "SQLITE_PATH": str(directory / "chat.db"),
            "OPENAI_API_KEY": KEY,
            "OPENAI_MODEL": "m-1",
            **variables,
        }
    )


def row_of(settings: Settings, what: str = "Model", code: int = 1) -> str:
    """Run ``doctor``; return what it says of one thing, its broken lines put together."""
    app = create_app(settings)
    result = app.test_cli_runner().invoke(args=["doctor"])
    assert result.exit_code == code, result.output
    head, *lines = result.stdout.splitlines()
    starts = [head.index(name) for name in ("What", "Found", "To mend it")]
    cells = ["", ""]
    name = ""
    for line in lines:
        name = line[starts[0] : starts[1]].strip() or name
        if name == what:
            cells[0] += " " + line[starts[1] : starts[2]].strip()
            cells[1] += " " + line[starts[2] :].strip()
    return " | ".join(" ".join(cell.split()) for cell in cells)


def error(message: str = "", **fields: Any) -> str:
    return json.dumps({"error": {"message": message, **fields}})


REFUSALS: list[tuple[str, dict[str, Any], str, str]] = [
    (
        "a bad key",
        {"status": 401, "body": error(f"Incorrect API key: {KEY}", code="invalid_api_key")},
        "m-1: 401, invalid_api_key: Incorrect API key",
        "Check OPENAI_API_KEY.",
    ),
    (
        "a bad key, as 400",
        {"status": 400, "body": f"[{error('API key not valid.', status='INVALID_ARGUMENT')}]"},
        "m-1: 400, INVALID_ARGUMENT: API key not valid.",
        "Check OPENAI_API_KEY.",
    ),
    (
        "a key of which nothing is told",
        {"status": 401, "body": ""},
        "m-1: 401",
        "Check OPENAI_API_KEY.",
    ),
    (
        "no quota",
        {"status": 429, "body": error("You exceeded your quota", code="insufficient_quota")},
        "insufficient_quota: You exceeded your quota",
        "Check the account at the provider, its credit and its limits.",
    ),
    (
        "no credit",
        {"status": 402, "body": error("Payment required")},
        "402: Payment required",
        "Check the account at the provider, its credit and its limits.",
    ),
    (
        "an unknown model",
        {"status": 404, "body": error("The model `m-1` does not exist", code="model_not_found")},
        "404, model_not_found",
        "Set OPENAI_MODEL to one that it has: gpt-4.1-mini",
    ),
    (
        "an unknown model, as 400",
        {"status": 400, "body": error("Model Not Exist", code="invalid_request_error")},
        "400, invalid_request_error: Model Not Exist",
        "Set OPENAI_MODEL to one that it has: gpt-4.1-mini",
    ),
    (
        "an address that has moved",
        {"status": 301, "body": "", "headers": {"Location": "https://h.example/v1/chat"}},
        "redirects to https://h.example/v1/chat",
        "Check OPENAI_BASE_URL.",
    ),
    (
        "a page of a proxy",
        {
            "status": 200,
            "body": "<!doctype html><title>Sign in</title>",
            "headers": {"Content-Type": "text/html"},
        },
        "answered 200 text/html, not an event stream",
        "Check OPENAI_BASE_URL.",
    ),
    (
        "a page of a gateway",
        {"status": 502, "body": "<html><title>502 Bad Gateway</title></html>"},
        "502: 502 Bad Gateway",
        "Check OPENAI_BASE_URL and whether its server runs",
    ),
    (
        "a forbidden country",
        {"status": 403, "body": error(code="unsupported_country_region_territory")},
        "403, unsupported_country_region_territory",
        "Check whether the provider serves the country",
    ),
]


@pytest.mark.parametrize(
    ("claim", "script", "found", "advice"), REFUSALS, ids=[row[0] for row in REFUSALS]
)
def test_what_only_the_owner_can_mend_fails_with_the_mend(
    tmp_path: Path,
    upstream: Upstream,
    claim: str,
    script: dict[str, Any],
    found: str,
    advice: str,
) -> None:
    upstream.script(**script)

    row = row_of(settings_of(tmp_path, OPENAI_BASE_URL=upstream.url))

    assert found in row.partition(" | ")[0]
    assert advice in row.partition(" | ")[2]
    assert KEY not in row


def test_wrong_address_fails_with_the_mend(tmp_path: Path, upstream: Upstream) -> None:
    upstream.script(status=404, body='{"detail": "Not Found"}')

    row = row_of(settings_of(tmp_path, OPENAI_BASE_URL=upstream.url, OPENAI_MODEL="gpt-4.1-mini"))

    assert "gpt-4.1-mini: 404: Not Found" in row
    assert "Check OPENAI_BASE_URL and OPENAI_MODEL." in row


def test_refused_connection_fails_with_the_mend(tmp_path: Path) -> None:
    with refused_url() as url:
        row = row_of(settings_of(tmp_path, OPENAI_BASE_URL=url))

    assert "Check OPENAI_BASE_URL and whether its server runs" in row


def test_proxy_that_refuses_fails_with_the_mend(tmp_path: Path) -> None:
    with HttpProxy(status="403 Forbidden") as proxy:
        settings = settings_of(
            tmp_path, OPENAI_BASE_URL="https://h.example/v1", HTTPS_PROXY=proxy.url
        )
        row = row_of(settings)

    assert "answers 403" in row
    assert "Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY." in row


def test_effort_that_is_refused_is_mended_by_itself_and_told(
    tmp_path: Path, upstream: Upstream
) -> None:
    upstream.next(
        status=400,
        body=error(
            "'reasoning_effort' does not support 'none'. Supported values are: 'low', 'high'.",
            param="reasoning_effort",
        ),
    )

    row = row_of(
        settings_of(tmp_path, OPENAI_BASE_URL=upstream.url, OPENAI_REASONING_EFFORT="none"),
        what="Request",
        code=0,
    )

    assert "effort low" in row


@pytest.mark.parametrize(
    ("variables", "field", "mend"),
    [
        (
            {"OPENAI_EXTRA_BODY": '{"reasoning_effort": "none"}'},
            "reasoning_effort",
            "reasoning_effort of OPENAI_EXTRA_BODY",
        ),
        ({"MAX_OUTPUT_TOKENS": "9000"}, "max_tokens", "MAX_OUTPUT_TOKENS"),
    ],
)
def test_setting_of_the_owners_that_is_refused_is_named(
    tmp_path: Path, upstream: Upstream, variables: dict[str, str], field: str, mend: str
) -> None:
    body = error(f"{field} is too large: at most 4096", param=field)
    upstream.script(status=400, body=body)

    row = row_of(settings_of(tmp_path, OPENAI_BASE_URL=upstream.url, **variables))

    assert f"{mend} is refused: 400" in row
    assert f"Check {mend}." in row


def test_fallback_that_will_be_switched_off_is_told(tmp_path: Path, upstream: Upstream) -> None:
    upstream.script(status=401)
    with HttpProxy(status="403 Forbidden") as proxy:  # OpenAI itself is not asked
        settings = settings_of(
            tmp_path,
            OPENAI_BASE_URL=upstream.url,
            OPENAI_FALLBACK_MODEL="gpt-4.1-mini",
            OPENAI_FALLBACK_BASE_URL="https://api.openai.com/v1",
            OPENAI_FALLBACK_API_KEY=KEY,
            HTTPS_PROXY=proxy.url,
        )
        row = row_of(settings, what="OPENAI_FALLBACK_MODEL")

    assert "switched off by its provider on 2027-01-14" in row
    assert "Set OPENAI_FALLBACK_MODEL to its successor" in row


def test_fallback_that_fails_is_told_by_its_own_settings(
    tmp_path: Path, upstream: Upstream
) -> None:
    upstream.next()  # the first model answers
    upstream.script(status=401, body=error(code="invalid_api_key"))
    settings = settings_of(tmp_path, OPENAI_BASE_URL=upstream.url, OPENAI_FALLBACK_MODEL="m-2")

    row = row_of(settings, what="Fallback")

    assert "m-2: 401, invalid_api_key" in row
    assert "Check OPENAI_FALLBACK_API_KEY." in row
