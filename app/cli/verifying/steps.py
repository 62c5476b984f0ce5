"""What ``verify`` tries, step by step; later steps use what earlier ones learned."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, urlencode

from app.cli.verifying.visit import Failed, Visit

Key = Literal["widget", "admin"]

_QUESTION = "This is a test of the deployment. Please answer with one word."


@dataclass(frozen=True, slots=True)
class Step:
    """One claim about one endpoint; ``run`` returns what is worth telling."""

    operation: str
    claim: str
    run: Callable[[Visit, str], str]
    key: Key | None = None


STEPS: list[Step] = []


def _step(
    operation: str, claim: str, key: Key | None = None
) -> Callable[[Callable[[Visit, str], str]], Callable[[Visit, str], str]]:
    def add(run: Callable[[Visit, str], str]) -> Callable[[Visit, str], str]:
        STEPS.append(Step(operation, claim, run, key))
        return run

    return add


@_step("GET /health", "is alive")
def _health(visit: Visit, _key: str) -> str:
    if visit.ask("GET", "/health").expect(200).json() != {"status": "ok"}:
        raise Failed("answered something else than ok")
    return ""


@_step("GET /", "says what it is")
def _root(visit: Visit, _key: str) -> str:
    return str(visit.ask("GET", "/").expect(200).json().get("service", ""))


@_step("GET /ready", "can serve")
def _ready(visit: Visit, _key: str) -> str:
    answer = visit.ask("GET", "/ready")
    told = answer.json()
    if answer.status != 200:
        raise Failed(f"store: {told.get('store')}, model: {told.get('model')}")
    return f"model {told['model']}"


@_step("GET /widget/chat-widget.js", "any page can load the widget")
def _widget(visit: Visit, _key: str) -> str:
    script = visit.ask("GET", "/widget/chat-widget.js").expect(200)
    if script.headers.get("cross-origin-resource-policy") != "cross-origin":
        raise Failed("other origins may not load it")
    known = {"If-None-Match": script.headers.get("etag", "")}
    visit.ask("GET", "/widget/chat-widget.js", headers=known).expect(304)
    return f"{len(script.body):,} bytes"


@_step("GET /widget/{name}", "has no other file for everybody")
def _part(visit: Visit, _key: str) -> str:
    visit.ask("GET", "/widget/no-such-file.js").expect(404)
    return ""


@_step("GET /v1/openapi.json", "describes itself")
def _openapi(visit: Visit, _key: str) -> str:
    paths = visit.ask("GET", "/v1/openapi.json").expect(200).json()["paths"]
    visit.documented = {
        f"{method.upper()} {path}" for path, methods in paths.items() for method in methods
    }
    return f"{len(visit.documented)} operations"


@_step("GET /docs", "shows its description")
def _docs(visit: Visit, _key: str) -> str:
    if "text/html" not in visit.ask("GET", "/docs").expect(200).headers.get("content-type", ""):
        raise Failed("is no page")
    return ""


@_step("POST /v1/chat", "refuses a stranger")
def _stranger(visit: Visit, _key: str) -> str:
    visit.ask("POST", "/v1/chat", {"sessionId": "stranger", "message": "Hi"}).expect(401)
    return ""


@_step("POST /v1/session", "opens a session", "widget")
def _session(visit: Visit, key: str) -> str:
    opened = visit.ask("POST", "/v1/session", {}, {"x-api-key": key}).expect(200).json()
    visit.known["session"], visit.known["token"] = opened["sessionId"], opened["token"]
    return f"for {opened['expiresIn']} s"


@_step("POST /v1/chat", "answers in one body", "widget")
def _chat(visit: Visit, key: str) -> str:
    body = {"sessionId": visit.known["session"], "message": _QUESTION}
    told = visit.ask("POST", "/v1/chat", body, _as_visitor(visit, key)).expect(200).json()
    visit.known["turn"] = told["turnId"]
    visit.known["message"] = told.get("messageId", "")
    return f"{len(told['message'])} characters"


@_step("POST /v1/chat/stream", "streams an answer", "widget")
def _stream(visit: Visit, key: str) -> str:
    body = {"sessionId": visit.known["session"], "message": _QUESTION}
    answer = visit.ask("POST", "/v1/chat/stream", body, _as_visitor(visit, key)).expect(200)
    tokens = [event for event in answer.events() if event["type"] == "token"]
    return f"{len(tokens)} tokens"


@_step("POST /chat", "answers the original's embeds", "widget")
def _original(visit: Visit, key: str) -> str:
    visit.known["original"] = f"verify-{secrets.token_hex(8)}"
    body = {"sessionId": visit.known["original"], "message": _QUESTION}
    answer = visit.ask("POST", "/chat", body, {"x-api-key": key})
    if answer.status in (401, 403) and answer.json().get("code") == "session_required":
        return "refused: SESSION_MODE is strict"
    visit.known["conversation"] = answer.expect(200).events()[-1]["conversationId"]
    return ""


@_step("GET /v1/session/messages", "shows the visitor's history", "widget")
def _history(visit: Visit, key: str) -> str:
    answer = visit.ask("GET", "/v1/session/messages", headers=_as_visitor(visit, key))
    messages = answer.expect(200).json()["messages"]
    if [message["role"] for message in messages] != ["user", "assistant"] * 2:
        raise Failed(f"has {len(messages)} messages, not 4")
    visit.known.setdefault("message", messages[1]["_id"])
    return f"{len(messages)} messages"


@_step("POST /v1/messages/{messageId}/feedback", "takes an opinion", "widget")
def _feedback(visit: Visit, key: str) -> str:
    path = f"/v1/messages/{quote(visit.known['message'])}/feedback"
    visit.ask("POST", path, {"rating": "up"}, _as_visitor(visit, key)).expect(204)
    return ""


@_step("GET /v1/turns/{turnId}/stream", "tells an answer again", "widget")
def _follow(visit: Visit, key: str) -> str:
    path = f"/v1/turns/{quote(visit.known['turn'])}/stream"
    answer = visit.ask("GET", path, headers=_as_visitor(visit, key)).expect(200)
    return str(answer.events()[-1]["type"])


@_step("POST /v1/ai-sdk/chat", "speaks as the AI SDK does", "widget")
def _ai_sdk(visit: Visit, key: str) -> str:
    # A turn that is answered already: the model is not asked again.
    said = {
        "role": "user",
        "id": visit.known["turn"],
        "parts": [{"type": "text", "text": _QUESTION}],
    }
    body = {"id": "verify", "messages": [said]}
    visit.ask("POST", "/v1/ai-sdk/chat", body, _as_visitor(visit, key)).expect(200)
    return ""


@_step("GET /v1/ai-sdk/chat/{chatId}/stream", "has nothing to resume", "widget")
def _resume(visit: Visit, key: str) -> str:
    visit.ask("GET", "/v1/ai-sdk/chat/verify/stream", headers=_as_visitor(visit, key)).expect(204)
    return ""


@_step("POST /v1/ag-ui", "speaks AG-UI", "widget")
def _ag_ui(visit: Visit, key: str) -> str:
    said = {"role": "user", "content": _QUESTION}
    body = {"threadId": "verify", "runId": visit.known["turn"], "messages": [said]}
    visit.ask("POST", "/v1/ag-ui", body, _as_visitor(visit, key)).expect(200)
    return ""


@_step("POST /v1/n8n", "tells n8n's chat what was said", "widget")
def _n8n(visit: Visit, key: str) -> str:
    body = {"action": "loadPreviousSession", "sessionId": "verify"}
    told = visit.ask("POST", "/v1/n8n", body, _as_visitor(visit, key)).expect(200).json()
    return f"{len(told['data'])} messages"


@_step("POST /v1/deep-chat", "speaks as deep-chat does", "widget")
def _deep_chat(visit: Visit, key: str) -> str:
    body = {
        "messages": [{"role": "user", "text": _QUESTION}],
        "turnId": visit.known["turn"],
    }
    told = visit.ask("POST", "/v1/deep-chat", body, _as_visitor(visit, key)).expect(200).json()
    return f"{len(told['text'])} characters"


@_step("GET /v1/models", "lists its model as OpenAI does", "widget")
def _models(visit: Visit, key: str) -> str:
    told = visit.ask("GET", "/v1/models", headers={"Authorization": f"Bearer {key}"})
    return str(told.expect(200).json()["data"][0]["id"])


@_step("POST /v1/chat/completions", "refuses as OpenAI does", "widget")
def _completions(visit: Visit, key: str) -> str:
    return _refused_as_openai(visit, key, "/v1/chat/completions", {"messages": []})


@_step("POST /v1/responses", "refuses as OpenAI does", "widget")
def _responses(visit: Visit, key: str) -> str:
    return _refused_as_openai(visit, key, "/v1/responses", {"input": []})


def _refused_as_openai(visit: Visit, key: str, path: str, body: dict[str, object]) -> str:
    headers = {"Authorization": f"Bearer {key}"}
    told = visit.ask("POST", path, {"model": "verify", **body}, headers).expect(400).json()
    return str(told["error"]["type"])


@_step("POST /v1/turns/{turnId}/stop", "takes a stop", "widget")
def _stop(visit: Visit, key: str) -> str:
    path = f"/v1/turns/{quote(visit.known['turn'])}/stop"
    visit.ask("POST", path, b"", _as_visitor(visit, key)).expect(202)
    return ""


@_step("POST /v1/session/identity", "believes no made-up identity", "widget")
def _identity(visit: Visit, key: str) -> str:
    answer = visit.ask("POST", "/v1/session/identity", {"jwt": "a.b.c"}, _as_visitor(visit, key))
    told = answer.expect(400, 401, 403, 503).json()
    return "is off" if told["code"] == "not_configured" else ""


@_step("GET /v1/admin/conversations", "refuses a wrong admin key")
def _wrong_key(visit: Visit, _key: str) -> str:
    headers = {"x-admin-api-key": "not-the-key"}
    answer = visit.ask("GET", "/v1/admin/conversations", headers=headers).expect(401, 503)
    return "is off" if answer.status == 503 else ""


@_step("GET /v1/admin/conversations", "lists conversations", "admin")
def _list(visit: Visit, key: str) -> str:
    answer = visit.ask("GET", "/v1/admin/conversations?limit=1", headers=as_admin(key))
    return f"{answer.expect(200).json()['total']:,} in all"


@_step("GET /v1/admin/conversations/{conversationId}", "shows a conversation", "admin")
def _thread(visit: Visit, key: str) -> str:
    path = f"/v1/admin/conversations/{quote(visit.known.get('conversation', 'unknown'))}"
    answer = visit.ask("GET", path, headers=as_admin(key))
    answer.expect(200 if "conversation" in visit.known else 404)
    return ""


@_step("GET /v1/admin/stats", "tells its figures", "admin")
def _stats(visit: Visit, key: str) -> str:
    answer = visit.ask("GET", "/v1/admin/stats", headers=as_admin(key)).expect(200)
    return f"{answer.json()['total']['turns']:,} turns in 30 days"


@_step("GET /v1/admin/export", "exports", "admin")
def _export(visit: Visit, key: str) -> str:
    # Nothing is that old: what is tried is the way, not the whole store.
    visit.ask("GET", "/v1/admin/export?to=1971-01-01", headers=as_admin(key)).expect(200)
    return ""


@_step("GET /metrics", "tells Prometheus", "admin")
def _metrics(visit: Visit, key: str) -> str:
    visit.ask("GET", "/metrics", headers=as_admin(key)).expect(200)
    return ""


@_step("DELETE /v1/session", "forgets a visitor", "widget")
def _forget(visit: Visit, key: str) -> str:
    visit.ask("DELETE", "/v1/session", headers=_as_visitor(visit, key)).expect(204)
    return "the test's own"


@_step("DELETE /v1/admin/conversations/{conversationId}", "deletes a conversation", "admin")
def _delete(visit: Visit, key: str) -> str:
    path = f"/v1/admin/conversations/{quote(visit.known.get('conversation', 'unknown'))}"
    answer = visit.ask("DELETE", path, headers=as_admin(key))
    answer.expect(200 if "conversation" in visit.known else 404)
    return "the test's own"


@_step("DELETE /v1/admin/conversations", "deletes a session's conversations", "admin")
def _delete_session(visit: Visit, key: str) -> str:
    session = visit.known.get("original", "verify-nobody")
    query = urlencode({"sessionId": session})
    visit.ask("DELETE", f"/v1/admin/conversations?{query}", headers=as_admin(key)).expect(200)
    return "the test's own"


@_step("GET /dashboard/login", "asks the operator in")
def _door(visit: Visit, _key: str) -> str:
    answer = visit.ask("GET", "/dashboard/login").expect(200, 503)
    return "is off" if answer.status == 503 else ""


def _as_visitor(visit: Visit, key: str) -> dict[str, str]:
    return {"x-api-key": key, "Authorization": f"Bearer {visit.known['token']}"}


def as_admin(key: str) -> dict[str, str]:
    """Return the header that opens the admin API."""
    return {"x-admin-api-key": key}
