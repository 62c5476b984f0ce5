"""Webhooks as Standard Webhooks has them: signed, and known again by their id."""

import hashlib
import hmac
import time
from base64 import b64encode
from collections.abc import Callable, Sequence

from app.domain.webhook_secrets import read_webhook_secret
from app.notifications.endpoint import Endpoint
from app.notifications.facts import Facts
from app.notifications.payload import to_body


def sign(keys: Sequence[bytes], notice_id: str, timestamp_s: int, body: bytes) -> str:
    """Return ``webhook-signature``: one of each key, while they are rotated."""
    signed = f"{notice_id}.{timestamp_s}.".encode() + body
    digests = (hmac.digest(key, signed, hashlib.sha256) for key in keys)
    return " ".join(f"v1,{b64encode(digest).decode()}" for digest in digests)


class Webhook:
    """The owner's program, which hears of everything."""

    name = "webhook"

    def __init__(
        self, endpoint: Endpoint, secrets: Sequence[str], clock: Callable[[], float] = time.time
    ) -> None:
        self._endpoint = endpoint
        self._keys = [read_webhook_secret(each) for each in secrets]
        self._clock = clock

    def is_for(self, facts: Facts) -> bool:
        """Tell that it is."""
        return True

    def send(self, facts: Facts) -> None:
        """Post a notice, see ``Target``."""
        body, now_s = to_body(facts), int(self._clock())
        self._endpoint.post(
            body,
            (
                ("webhook-id", facts.notice.id),
                ("webhook-timestamp", str(now_s)),
                ("webhook-signature", sign(self._keys, facts.notice.id, now_s, body)),
            ),
        )
