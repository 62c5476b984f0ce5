"""An original's environment and embeds, unchanged but for the deploy key."""

import json
from collections.abc import Iterator

import pytest

from tests.convex_server import convex_server
from tests.deploy.deployment import VENV
from tests.docs.blocks import blocks_of
from tests.servers.perch import WIDGET_KEY, Server
from tests.servers.upstream import Upstream
from tests.servers.upstream_script import words

pytestmark = pytest.mark.live

# What projects of the original keep in the same file for its other parts.
LEFT_OVER = {"CONVEX_DEPLOYMENT": "dev:happy-animal-123", "NEXT_PUBLIC_CONVEX_URL": "https://a.b"}
TOKENS = 4


def the_documents_env(upstream: Upstream, port: int) -> str:
    """Return the ``.env`` of docs/migration.md, with this machine's values in it."""
    (block,) = [each for each in blocks_of("docs/migration.md") if each.language == "dotenv"]
    lines = [line for line in block.text.splitlines() if not line.startswith("#")]
    values = dict(line.split("=", 1) for line in lines)
    convex = convex_server()
    values |= {
        "PORT": str(port),
        "CONVEX_URL": convex.url,
        "CONVEX_DEPLOY_KEY": convex.deploy_key,
        "OPENAI_API_KEY": "sk-of-the-original",
        "WIDGET_API_KEY": WIDGET_KEY,
        "ADMIN_API_KEY": "admin-key-of-the-original",
    }
    return "\n".join(f"{name}={value}" for name, value in {**values, **LEFT_OVER}.items())


@pytest.fixture(scope="module")
def migrated(
    session_upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server that knows nothing but an original's ``.env``, and where the scripted model is."""
    session_upstream.script(tokens=TOKENS)
    folder = tmp_path_factory.mktemp("original")
    server = Server(folder)
    (folder / ".env").write_text(the_documents_env(session_upstream, server.port))
    server.environment = {
        "HOME": str(folder),
        "PATH": f"{VENV}:/usr/bin:/bin",
        "PYTHONPATH": server.environment["PYTHONPATH"],
        "OPENAI_BASE_URL": session_upstream.url,
    }
    with server:
        yield server


def test_the_original_embeds_chat(migrated: Server) -> None:
    with migrated.stream("Hi", session="os-chatbot-visitor", path="/chat") as stream:
        *_, last = stream.events()

    assert (last["type"], last["message"]) == ("done", words(TOKENS))
    assert migrated.request("GET", "/widget/chat-widget.js").status == 200


def test_what_is_not_needed_is_named_in_one_json_line(migrated: Server) -> None:
    named = [line for line in migrated.log_lines() if "Ignored variables" in line["event"]]

    said = "Ignored variables that this server does not need: "
    assert [(line["level"], line["event"]) for line in named] == [
        ("info", f"{said}CONVEX_DEPLOYMENT, NEXT_PUBLIC_CONVEX_URL")
    ]


def test_every_line_of_the_log_is_json(migrated: Server) -> None:
    lines = migrated.log().splitlines()

    assert lines
    for line in lines:
        assert "event" in json.loads(line), line


def test_one_id_finds_a_request_everywhere(migrated: Server, session_upstream: Upstream) -> None:
    session_upstream.reset()
    session_upstream.script(status=400)
    body = {"sessionId": "os-chatbot-traced", "message": "Hi"}
    headers = {"x_api_key": WIDGET_KEY, "x_request_id": "request-0001"}

    answer = migrated.request("POST", "/v1/chat", body, **headers)

    (asked,) = session_upstream.requests
    logged = [line for line in migrated.log_lines() if line.get("id") == "request-0001"]
    assert answer.headers["X-Request-Id"] == answer.json["requestId"] == "request-0001"
    assert asked.headers["x-client-request-id"] == "request-0001"
    assert {line["event"] for line in logged} == {"request", "stream"}
    assert (
        next(line["code"] for line in logged if line["event"] == "request") == (answer.json["code"])
    )
