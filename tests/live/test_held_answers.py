"""Where a person answers, each protocol's own client gets a whole answer, and no model is asked."""

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.live.clients import openai_client, run_node
from tests.servers.perch import ADMIN_KEY, WIDGET_KEY, Server
from tests.servers.upstream import Upstream
from tests.servers.upstream_script import words

pytestmark = pytest.mark.node

HOLDING = "Your message was passed on. 👋🏽"
Ask = Callable[[Server, str, str], str]


@pytest.fixture(scope="module")
def server(session_upstream: Upstream) -> Iterator[Server]:
    with Server.over(session_upstream, HUMAN="on", HOLDING_MESSAGE=HOLDING) as server:
        yield server


def over_json(server: Server, session: str, message: str) -> str:
    return str(server.chat(message, session).json["message"])


def over_ndjson(server: Server, session: str, message: str) -> str:
    with server.stream(message, session) as stream:
        start, *tokens, done = stream.events()
    assert (start["type"], done["type"]) == ("start", "done")
    text = "".join(each["token"] for each in tokens)
    assert text == done["message"]
    return text


def over_chat_completions(server: Server, session: str, message: str) -> str:
    said = [{"role": "user", "content": message}]
    asked = {"model": "default", "messages": said, "user": session, "stream": True}
    chunks = list(openai_client(server).chat.completions.create(**asked))
    assert [each.choices[0].finish_reason for each in chunks if each.choices][-1] == "stop"
    return "".join(each.choices[0].delta.content or "" for each in chunks if each.choices)


def over_responses(server: Server, session: str, message: str) -> str:
    answer = openai_client(server).responses.create(model="default", input=message, user=session)
    assert answer.status == "completed"
    return str(answer.output_text)


def over_ai_sdk(server: Server, session: str, message: str, package: str = "ai") -> str:
    parts = [{"type": "text", "text": message}]
    asked: dict[str, Any] = {
        "package": package,
        "api": f"{server.url}/v1/ai-sdk/chat",
        "headers": {"Authorization": f"Bearer {WIDGET_KEY}"},
        "chat": session,
        "messages": [{"id": uuid.uuid4().hex, "role": "user", "parts": parts}],
    }
    told = run_node("ai_sdk.mjs", asked)
    assert told["errors"] == []
    said = told["message"]["parts"]
    return "".join(each["text"] for each in said if each["type"] == "text")


def over_oldest_ai_sdk(server: Server, session: str, message: str) -> str:
    return over_ai_sdk(server, session, message, "ai-5-0-0")


def over_ag_ui(server: Server, session: str, message: str) -> str:
    asked = {
        "url": f"{server.url}/v1/ag-ui",
        "headers": {"Authorization": f"Bearer {WIDGET_KEY}"},
        "threadId": session,
        "runId": uuid.uuid4().hex,
        "messages": [{"id": uuid.uuid4().hex, "role": "user", "content": message}],
    }
    told = run_node("ag_ui.mjs", asked)
    assert told["errors"] == []
    assert told["events"][-1] == "RUN_FINISHED"
    return str(told["messages"][-1]["content"])


@pytest.mark.parametrize(
    "ask",
    [
        over_json, over_ndjson, over_chat_completions, over_responses, over_ai_sdk,
        over_oldest_ai_sdk, over_ag_ui,
    ],
)  # fmt: skip
def test_answer_where_a_person_has_the_word_is_whole(
    server: Server, upstream: Upstream, session_name: str, ask: Ask
) -> None:
    upstream.script(tokens=2)
    assert ask(server, session_name, "Hello") == words(2)
    listed = server.admin("/v1/admin/conversations?limit=1").json["conversations"]
    path = f"/v1/admin/conversations/{listed[0]['_id']}"
    assert server.request("POST", f"{path}/take", {}, x_admin_api_key=ADMIN_KEY).status == 200

    held = [ask(server, session_name, text) for text in ("Anybody?", "Hello??")]
    server.request("POST", f"{path}/release", {}, x_admin_api_key=ADMIN_KEY)
    answered = ask(server, session_name, "And now?")

    assert held == [HOLDING, HOLDING]
    assert answered == words(2)
    assert [prompt.prompt[1:] for prompt in upstream.requests] == [
        [("user", "Hello")], [("user", "And now?")],
    ]  # fmt: skip
    assert [each for each in server.said(listed[0]["_id"]) if each[0] == "user"] == [
        ("user", text) for text in ("Hello", "Anybody?", "Hello??", "And now?")
    ]
