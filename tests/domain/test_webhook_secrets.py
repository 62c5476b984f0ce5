"""Secrets of webhooks: their form, and their length."""

from base64 import b64encode

import pytest

from app.domain.webhook_secrets import read_webhook_secret


def test_a_secret_is_base64_behind_its_prefix() -> None:
    assert read_webhook_secret(f"whsec_{b64encode(bytes(range(24))).decode()}") == bytes(range(24))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "must begin with whsec_"),
        ("whsec_MfKQ9r8GKYqrTwj!", "is no base64 behind whsec_"),
        ("whsec_ü", "is no base64 behind whsec_"),
        (f"whsec_{b64encode(bytes(23)).decode()}", "has 23 bytes: use 24 to 64"),
        (f"whsec_{b64encode(bytes(65)).decode()}", "has 65 bytes: use 24 to 64"),
    ],
)
def test_other_texts_are_faults(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        read_webhook_secret(text)
