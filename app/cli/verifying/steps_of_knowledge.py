"""What ``verify`` tries of knowledge: it reads, and asks for changes of nobody's only."""

from functools import partial

from app.cli.verifying.steps import Step, as_admin
from app.cli.verifying.visit import Visit

_BELOW = "/v1/admin/knowledge"
# No assistant has this id: what would change something is refused, and changes nothing.
_NOBODYS = "?assistant=verify-nobody"
_TEXT = {"title": "Test", "text": "Test"}
_ANSWER = {"question": "Test?", "answer": "Test"}
_READ = ("documents", "corrections", "gaps", "gaps.csv", "report")
_REFUSED: tuple[tuple[str, str, str, object], ...] = (
    ("GET", "document", f"document{_NOBODYS}&key=verify", None),
    ("DELETE", "document", f"document{_NOBODYS}&key=verify", None),
    ("POST", "pin", f"pin{_NOBODYS}", {"key": "verify", "pinned": False}),
    ("POST", "texts", f"texts{_NOBODYS}", _TEXT),
    ("POST", "files", f"files{_NOBODYS}&name=verify.txt", b"Test"),
    ("POST", "learn", f"learn{_NOBODYS}", {"refresh": True}),
    ("POST", "cancel", f"cancel{_NOBODYS}", b""),
    ("POST", "corrections", f"corrections{_NOBODYS}", _ANSWER),
    ("GET", "corrections/{correctionId}", f"corrections/verify{_NOBODYS}", None),
    ("POST", "corrections/{correctionId}", f"corrections/verify{_NOBODYS}", _ANSWER),
    ("DELETE", "corrections/{correctionId}", f"corrections/verify{_NOBODYS}", None),
    ("DELETE", "gaps/{gapId}", f"gaps/verify{_NOBODYS}", None),
)


def _read(path: str, visit: Visit, key: str) -> str:
    visit.ask("GET", f"{_BELOW}/{path}", headers=as_admin(key)).expect(200)
    return ""


def _ask(visit: Visit, key: str) -> str:
    body = {"question": "What are your opening hours?"}
    found = visit.ask("POST", f"{_BELOW}/ask", body, as_admin(key)).expect(200).json()
    return f"{len(found['passages'])} passages"


def _refused(method: str, path: str, body: object, visit: Visit, key: str) -> str:
    visit.ask(method, f"{_BELOW}/{path}", body, as_admin(key)).expect(404)
    return ""


STEPS = [
    *(
        Step(f"GET {_BELOW}/{path}", "tells what is known", partial(_read, path), "admin")
        for path in _READ
    ),
    Step(f"POST {_BELOW}/ask", "looks into the pages", _ask, "admin"),
    *(
        Step(
            f"{method} {_BELOW}/{name}",
            "changes nothing of nobody's",
            partial(_refused, method, path, body),
            "admin",
        )
        for method, name, path, body in _REFUSED
    ),
]
