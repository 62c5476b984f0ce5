"""The published clients of other front ends, as tests run them against the server."""

import json
import subprocess
from pathlib import Path
from typing import Any

from openai import OpenAI

from tests.live.exchange import Answer
from tests.servers.perch import WIDGET_KEY, Server

CLIENTS = Path(__file__).parents[1] / "clients"
TIMEOUT_S = 60


def run_node(program: str, asked: dict[str, Any]) -> dict[str, Any]:
    """Return what a program of ``tests/clients`` prints of what it is asked."""
    ran = subprocess.run(
        ["node", program], cwd=CLIENTS, input=json.dumps(asked), text=True,
        capture_output=True, check=True, timeout=TIMEOUT_S,
    )  # fmt: skip
    told: dict[str, Any] = json.loads(ran.stdout)
    return told


def openai_client(server: Server, key: str = WIDGET_KEY) -> OpenAI:
    """Return OpenAI's own client, which asks once."""
    return OpenAI(base_url=f"{server.url}/v1", api_key=key, max_retries=0)


def post(server: Server, path: str, body: Any, **headers: str) -> Answer:
    """Send what no client would, with the key where they have it."""
    return server.request("POST", path, body, authorization=f"Bearer {WIDGET_KEY}", **headers)
