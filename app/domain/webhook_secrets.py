"""Secrets of webhooks, as Standard Webhooks writes them: ``whsec_`` and base64."""

import binascii
from base64 import b64decode

_PREFIX = "whsec_"
# Standard Webhooks, "Signature scheme": 192 to 512 bits.
_LEAST_BYTES = 24
_MOST_BYTES = 64


def read_webhook_secret(text: str) -> bytes:
    """Return the key that a secret stands for.

    Raises:
        ValueError: what is wrong, in words that follow the variable's name.
    """
    if not text.startswith(_PREFIX):
        raise ValueError(f"must begin with {_PREFIX}")
    try:
        key = b64decode(text.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"is no base64 behind {_PREFIX}") from None
    if not _LEAST_BYTES <= len(key) <= _MOST_BYTES:
        raise ValueError(f"has {len(key)} bytes: use {_LEAST_BYTES} to {_MOST_BYTES}")
    return key
