"""Schemathesis reads our own OpenAPI document and finds nothing to complain about.

``SCHEMATHESIS_EXAMPLES`` asks for more cases of each operation than the few of every day.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.perch import ADMIN_KEY, WIDGET_KEY, Server
from tests.servers.upstream import Upstream

pytestmark = pytest.mark.sqlite  # over Convex it finds the same, in the same time

EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "15")
# Two threads stumble over CPython's parser now and then: "AST constructor recursion depth".
WORKERS = "1"
IDENTITY = {"IDENTITY_SECRET": "identity-secret-of-the-live-tests"}
SECRET = "identity-signing-key-of-the-live-tests"
CONFIG = Path(__file__).with_name("schemathesis.toml")


def test_schemathesis_finds_nothing(upstream: Upstream, tmp_path: Path) -> None:
    upstream.script(tokens=2)
    with Server.over(upstream, APP_ENV="test", BUSY_WAIT_S="0.2", HUMAN="on", **IDENTITY) as server:
        opened = server.request("POST", "/v1/session", {}, x_api_key=WIDGET_KEY).json
        headers = {
            "x-api-key": WIDGET_KEY,
            "x-admin-api-key": ADMIN_KEY,
            "Authorization": f"Bearer {opened['token']}",
        }
        command = [
            *(
                Path(sys.executable).with_name("schemathesis"),
                "--config-file",
                CONFIG,
                "--no-color",
            ),
            *("run", f"{server.url}/v1/openapi.json", "--max-examples", EXAMPLES, "--seed", "1"),
            *(f"--header={name}: {value}" for name, value in headers.items()),
            *("--request-timeout", "10", "--workers", WORKERS),
        ]
        found = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)

        assert found.returncode == 0, found.stdout + found.stderr
        assert "Traceback" not in server.log()
