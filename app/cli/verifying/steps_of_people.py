"""What ``verify`` tries of people: it asks for nobody, for somebody might come."""

from functools import partial

from app.cli.verifying.steps import Step, as_admin
from app.cli.verifying.visit import Visit

_SESSION = "/v1/session"
_ADMIN = "/v1/admin"
_STRANGERS: tuple[tuple[str, str, object], ...] = (
    ("POST", "handoff", {}),
    ("DELETE", "handoff", None),
    ("GET", "events", None),
    ("POST", "contact", {"email": "verify@example.com", "consent": True}),
)
_OF_NOBODY: tuple[tuple[str, object], ...] = (
    ("take", {}),
    ("reply", {"text": "Test"}),
    ("release", {}),
    ("close", {}),
)


def _stranger(method: str, path: str, body: object, visit: Visit, key: str) -> str:
    visit.ask(method, f"{_SESSION}/{path}", body, {"x-api-key": key}).expect(401)
    return ""


def _made_up(visit: Visit, key: str) -> str:
    body = {"token": "verify"}
    visit.ask("POST", f"{_SESSION}/return", body, {"x-api-key": key}).expect(401)
    return ""


def _list(name: str, visit: Visit, key: str) -> str:
    visit.ask("GET", f"{_ADMIN}/{name}", headers=as_admin(key)).expect(200)
    return ""


def _of_nobody(step: str, body: object, visit: Visit, key: str) -> str:
    # 503 where HUMAN is off.
    path = f"{_ADMIN}/conversations/verify-nobody/{step}"
    answer = visit.ask("POST", path, body, as_admin(key)).expect(404, 503)
    return "is off" if answer.status == 503 else ""


STEPS = [
    *(
        Step(f"{method} {_SESSION}/{path}", "refuses a stranger",
             partial(_stranger, method, path, body), "widget")
        for method, path, body in _STRANGERS
    ),
    Step(f"POST {_SESSION}/return", "believes no made-up link", _made_up, "widget"),
    *(
        Step(f"GET {_ADMIN}/{name}", "lists", partial(_list, name), "admin")
        for name in ("inbox", "notices")
    ),
    *(
        Step(f"POST {_ADMIN}/conversations/{{conversationId}}/{step}", "changes nobody's",
             partial(_of_nobody, step, body), "admin")
        for step, body in _OF_NOBODY
    ),
]  # fmt: skip
