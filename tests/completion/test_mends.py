"""What an owner is told to look at, by what a provider refuses with."""

import pytest

from app.completion.mends import mend_of, of_fallback
from app.completion.openai.refusals import failure_of, read_error
from app.domain.errors import ModelMisconfigured, ModelRefused

ACCOUNT = "the account at the provider, its credit and its limits"


@pytest.mark.parametrize(
    ("status", "body", "mend"),
    [
        (401, "", "OPENAI_API_KEY"),
        (401, '{"error":{"message":"User not found."}}', "OPENAI_API_KEY"),
        (401, '{"type":"error","error":{"type":"authentication_error"}}', "OPENAI_API_KEY"),
        (400, '[{"error":{"details":[{"reason":"API_KEY_INVALID"}]}}]', "OPENAI_API_KEY"),
        (403, '{"error":{"code":"permission_denied"}}', "OPENAI_API_KEY"),
        (402, '{"error":{"message":"Insufficient credits"}}', ACCOUNT),
        (429, '{"error":{"code":"insufficient_quota"}}', ACCOUNT),
        (400, '{"error":{"message":"Your credit balance is too low"}}', ACCOUNT),
        (403, '{"error":{"code":"account_suspended","message":"no key"}}', ACCOUNT),
        (404, '{"error":{"code":"model_not_found","message":"check your key"}}', "OPENAI_MODEL"),
        (404, '{"error":{"code":"DeploymentNotFound"}}', "OPENAI_MODEL"),
        (404, '{"error":{"type":"not_found_error","message":"model: claude-9"}}', "OPENAI_MODEL"),
        (400, '{"error":{"message":"Model Not Exist"}}', "OPENAI_MODEL"),
        (404, "<html><title>404 Not Found</title></html>", "OPENAI_BASE_URL and OPENAI_MODEL"),
        (405, '{"detail":"Method Not Allowed"}', "OPENAI_BASE_URL"),
        (308, "", "OPENAI_BASE_URL"),
        (
            403,
            '{"error":{"code":"unsupported_country_region_territory"}}',
            "whether the provider serves the country and the address that this server asks from",
        ),
    ],
)
def test_what_the_owner_may_look_at(status: int, body: str, mend: str) -> None:
    failure = failure_of(read_error(status, body.encode()), str)

    assert (type(failure), failure.mend) == (ModelMisconfigured, mend)


def test_what_is_not_the_owners_has_no_mend() -> None:
    failure = failure_of(read_error(400, b'{"error":{"code":"context_length_exceeded"}}'), str)

    assert (type(failure), failure.mend) == (ModelRefused, "")


def test_unknown_trouble_may_be_any_of_three() -> None:
    assert mend_of(read_error(0, b'{"error":{"code":"x"}}')) == (
        "OPENAI_API_KEY, OPENAI_MODEL and OPENAI_BASE_URL"
    )


def test_fallback_has_settings_of_its_own() -> None:
    told = "OPENAI_BASE_URL, OPENAI_MODEL, OPENAI_EXTRA_BODY and OPENAI_FALLBACK_MODEL"

    assert of_fallback(told) == (
        "OPENAI_FALLBACK_BASE_URL, OPENAI_FALLBACK_MODEL, OPENAI_EXTRA_BODY and "
        "OPENAI_FALLBACK_MODEL"
    )
