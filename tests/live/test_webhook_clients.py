"""The published package of Standard Webhooks for JavaScript verifies what we send."""

import base64
import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from app.domain.people import Notice
from app.notifications.facts import Facts
from app.notifications.payload import to_body
from app.notifications.webhooks import sign
from tests.data import some_settings

pytestmark = pytest.mark.node

CLIENTS = Path(__file__).parents[1] / "clients"
OLD, NEW = b"o" * 32, b"n" * 32


def verify(key: bytes, headers: dict[str, str], body: str) -> dict[str, Any]:
    """Ask the package, which knows one secret."""
    secret = f"whsec_{base64.b64encode(key).decode()}"
    asked = json.dumps({"secret": secret, "headers": headers, "body": body})
    told = subprocess.run(
        ["node", "webhooks.mjs"], cwd=CLIENTS, input=asked, capture_output=True, text=True,
        timeout=60, check=True,
    )  # fmt: skip
    answer: dict[str, Any] = json.loads(told.stdout)
    return answer


def test_the_package_for_javascript_verifies_each_of_two_secrets() -> None:
    notice = Notice("n1", "budget.warning", 1_790_000_000_000, "default")
    body = to_body(Facts(notice, some_settings().assistant))
    now_s = int(time.time())
    headers = {
        "webhook-id": "n1",
        "webhook-timestamp": str(now_s),
        "webhook-signature": sign([NEW, OLD], "n1", now_s, body),
    }

    for key in (NEW, OLD):
        assert verify(key, headers, body.decode())["told"] == {
            "type": "budget.warning",
            "timestamp": "2026-09-21T14:13:20.000Z",
            "data": {"assistant": "default", "budgetTokens": 2_000_000},
        }
    assert verify(b"x" * 32, headers, body.decode()) == {"error": "No matching signature found"}
    assert "error" in verify(NEW, headers, body.decode() + " ")
