"""``verify`` against the real server."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.perch import ADMIN_KEY, ROOT, WIDGET_KEY, Server, free_port
from tests.servers.upstream import Upstream


def verify(url: str, **keys: str) -> subprocess.CompletedProcess[str]:
    """Run the command as an operator does, with these keys in its environment."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "APP_ENV": "test", **keys}
    return subprocess.run(
        [sys.executable, "-m", "app", "verify", url],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_running_service_is_as_it_should_be(server: Server) -> None:
    tried = verify(server.url, WIDGET_API_KEY=WIDGET_KEY, ADMIN_API_KEY=f"{ADMIN_KEY}, another")

    assert tried.returncode == 0, tried.stdout
    assert "failed" not in tried.stdout
    assert "not tried" not in tried.stdout


def test_every_documented_operation_is_tried(server: Server) -> None:
    tried = verify(server.url, WIDGET_API_KEY=WIDGET_KEY, ADMIN_API_KEY=ADMIN_KEY)

    assert "unknown to this version" not in tried.stdout


def test_nothing_of_the_test_stays(upstream: Upstream) -> None:
    with Server.over(upstream) as server:
        verify(server.url, WIDGET_API_KEY=WIDGET_KEY, ADMIN_API_KEY=ADMIN_KEY)

        assert server.admin("/v1/admin/conversations").json["total"] == 0


def test_without_keys_the_rest_is_tried(server: Server) -> None:
    tried = verify(server.url)

    assert tried.returncode == 0, tried.stdout
    assert "WIDGET_API_KEY is not set" in tried.stdout
    assert "ADMIN_API_KEY is not set" in tried.stdout


def test_wrong_key_is_told(server: Server) -> None:
    tried = verify(server.url, WIDGET_API_KEY="not-the-widget-key", ADMIN_API_KEY=ADMIN_KEY)

    assert tried.returncode == 1
    assert "answered 401" in tried.stdout


def test_nobody_there_is_told() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    tried = verify(url)

    assert tried.returncode == 1
    # Once, and not of every endpoint.
    assert tried.stdout == ""
    first, reason = tried.stderr.splitlines()
    assert first == f"on {url}"
    assert reason.startswith(f"Error: {url} cannot be reached: ConnectionRefusedError")


def test_keys_are_read_as_the_server_reads_them(server: Server, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{ADMIN_KEY}\n", "utf-8-sig")
    tried = verify(
        server.url, WIDGET_API_KEY=f'"{WIDGET_KEY}"', ADMIN_API_KEY_FILE=str(tmp_path / "key")
    )

    assert tried.returncode == 0, tried.stdout
    assert "not tried" not in tried.stdout


def test_key_that_cannot_be_read_or_sent_is_told(server: Server) -> None:
    unread = verify(server.url, ADMIN_API_KEY_FILE="/nowhere/key", OPENAI_API_KEY_FILE="/nowhere")
    unsent = verify(server.url, ADMIN_API_KEY="schlüssel-€")

    assert unread.returncode == 1
    assert "ADMIN_API_KEY_FILE" in unread.stderr
    assert "OPENAI" not in unread.stderr
    assert unsent.returncode == 1
    assert "no header carries such a key" in unsent.stdout
    assert "Traceback" not in unsent.stderr


@pytest.mark.parametrize("url", ["http://[::1", "http://", "http://a:b", "ftp://a.example", "a b"])
def test_what_is_no_address_is_told(url: str) -> None:
    tried = verify(url)

    assert tried.returncode == 2
    assert "write where the service is" in tried.stderr
