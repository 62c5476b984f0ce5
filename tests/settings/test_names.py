"""Names in files and in the environment: the misspelt, the ignored, those of others."""

import os
from pathlib import Path

import pytest

from app.settings import ROOT, load, load_all, read_environment
from tests.settings.reading import (
    GOOD_KEY,
    PRODUCTION,
    VARIABLES,
    faults,
    faults_of_file,
    read,
    write,
)


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
        ("TRUSTED_PROXIES_HOPS", "TRUSTED_PROXY_HOPS"),
        ("OPENAI_API_BASE", "OPENAI_BASE_URL"),
        ("OPENAI_KEY", "OPENAI_API_KEY"),
        ("OPENAI_MODEL_NAME", "OPENAI_MODEL"),
    ],
)
def test_a_misspelt_name_in_a_file_is_a_fault_that_names_the_meant_one(
    tmp_path: Path, written: str, meant: str
) -> None:
    assert faults_of_file(tmp_path, f"{written}=1\n") == {
        written: f"is no setting: did you mean {meant}? (in .env)"
    }


@pytest.mark.slow
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
WELL_KNOWN = (ROOT / "tests/fixtures/environment_names.txt").read_text().split()
# Which we read, too, and as all programs do: a site's address, a mail server, the proxies.
SHARED = {"ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SITE_URL", "SMTP_URL"}


@pytest.mark.slow
def test_well_known_names_of_the_environment_stop_nothing() -> None:
    others = [name for name in WELL_KNOWN if name not in SHARED]

    assert set(WELL_KNOWN) & set(VARIABLES) <= SHARED
    assert read(**{**PRODUCTION, **dict.fromkeys(others, "1")}).is_production


def test_names_of_a_file_that_do_nothing_are_told_and_those_that_libraries_read_are_not(
    tmp_path: Path,
) -> None:
    write(
        tmp_path,
        env="JWT_SECRET=x\nOTEL_SERVICE_NAME=x\nOPENAI_ORG_ID=x\nTZ=UTC\nPORT=1\n"
        "OPENAI_TEMPERATURE=0\n",
    )

    assert load(read_environment(tmp_path)).ignored == ("JWT_SECRET", "OPENAI_TEMPERATURE")


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
