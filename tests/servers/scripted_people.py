"""A stand-in for Perch where a person answers: sessions, events, contact and return link.

    with ScriptedPeople() as people:
        ...                       # the visitor asks for a person
        people.say("Hello", "Ada")   # the visitor's panel shows it

There is one conversation, of the session that chats first or asks for a person first.
"""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.servers.scripted_answers import Handler, ScriptedAnswers, done, token

HOLDING = "Thank you. We answer within a day."
RETURN_TOKEN = "return.token-1"
State = dict[str, Any]


class ScriptedPeople(ScriptedAnswers):
    """A context manager with a ``url``; ``asked`` are the requests so far, ``GET /path?query``."""

    def __init__(self) -> None:
        super().__init__(_PeopleHandler)
        self.can_ask = True
        self.state = "bot"
        self.back_at: int | None = None
        self.contact: dict[str, Any] | None = None
        self.owner: str | None = None
        self.asked: list[str] = []
        self.failing = 0
        self.sessions = 0
        self._events: list[dict[str, Any]] = []
        self._has_held = False

    @property
    def polls(self) -> list[str]:
        """Return the questions for events so far."""
        return [line for line in self.asked if "/v1/session/events" in line]

    @property
    def newest(self) -> int:
        """Return the number of the newest event."""
        return len(self._events)

    def session(self, former: str | None = None) -> dict[str, Any]:
        """Open a session, or renew one."""
        if not former:
            self.sessions += 1
        config = {"people": {"canAsk": self.can_ask}}
        name = former or f"token-{self.sessions}"
        return {"sessionId": name.replace("token", "s"), "token": name, "config": config}

    def step(self, event: str, state: str, author: str | None = None) -> None:
        """Change who answers, and tell of it in the thread."""
        with self.news:
            self._step(event, state, author)

    def say(self, text: str, name: str = "Ada", **more: Any) -> None:
        """Let an operator speak, who takes the conversation over with the first word."""
        with self.news:
            if self.state != "human":
                self._step("taken", "human", name)
            self._add("message", self.keep("operator", text, author=name, turnId=None, **more))

    def hand_over(self) -> dict[str, Any]:
        """Ask for a person; twice is once."""
        with self.news:
            if self.state == "bot":
                self._step("asked", "waiting")
        back = {"backAt": self.back_at} if self.back_at else {}
        return {"state": self.state, "isOpen": not back, **back}

    def reach(self, contact: dict[str, Any]) -> None:
        """Store where the visitor can be answered."""
        with self.news:
            self.contact = contact
            if self.history:
                self._add("contact", self.keep("system", "", event="contact", turnId=None))

    def forget(self) -> None:
        """Delete the conversation, as an owner may."""
        with self.news:
            self.history, self._events, self.state = [], [], "bot"

    def events(self, after: int, wait_s: float) -> dict[str, Any] | None:
        """Return what came after a number, as soon as it came."""
        with self.news:
            self.news.wait_for(lambda: self._events[after:], wait_s)
            events = self._events[after:]
            return (
                {"state": self.state, "events": events, "next": len(self._events)}
                if events
                else None
            )

    def thread(self) -> dict[str, Any]:
        """Return what a history tells of the handoff."""
        reachable = self.contact is not None
        return {"state": self.state, "nextEvent": len(self._events), "isReachable": reachable}

    def begin(self, turn_id: str, question: str) -> None:
        """Take a question: the assistant's, or a person's."""
        if self.state == "bot":
            return super().begin(turn_id, question)
        held, self._has_held = self._has_held, True
        text = "" if held else HOLDING
        start = {"type": "start", "conversationId": "c-1", "turnId": turn_id}
        with self.news:
            self.keep("user", question, turnId=turn_id)
            self._lines[turn_id] = [start, token(text), done(text, answeredBy="person")]
        return None

    def _step(self, event: str, state: str, author: str | None = None) -> None:
        self.state = state
        self._has_held &= state != "bot"
        told = {"author": author} if author else {}
        self._add(event, self.keep("system", "", event=event, turnId=None, **told))

    def _add(self, kind: str, message: dict[str, Any]) -> None:
        wire = {k: v for k, v in message.items() if k not in ("turnId", "event")}
        self._events.append({"n": len(self._events) + 1, "type": kind, "message": wire})
        self.news.notify_all()


class _PeopleHandler(Handler):
    server: ScriptedPeople

    @property
    def _bearer(self) -> str | None:
        return str(self.headers["Authorization"] or "").removeprefix("Bearer ") or None

    def do_GET(self) -> None:  # noqa: N802 - the handler's own name
        people, address = self.server, urlsplit(self.path)
        if not address.path.startswith("/widget/"):
            people.asked.append(f"GET {self.path}")
        if address.path == "/v1/session/events":
            return self._tell({k: v[0] for k, v in parse_qs(address.query).items()})
        if address.path == "/v1/session/messages":
            if self._bearer != people.owner:
                return self.reply({"messages": []})
            running = {"runningTurnId": people.running} if people.running else {}
            return self.reply({"messages": people.history, **running, **people.thread()})
        return super().do_GET()

    def do_POST(self) -> None:  # noqa: N802 - the handler's own name
        people, bearer = self.server, self._bearer
        people.asked.append(f"POST {self.path}")
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
        if self.path in ("/chat", "/v1/session/handoff"):
            people.owner = people.owner or bearer
        if self.path == "/v1/session/return":
            if body != {"token": RETURN_TOKEN}:
                return self.reply({"error": "No such link", "code": "unauthorized"}, 401)
            return self.reply(people.session(people.owner))
        if self.path == "/v1/session/handoff":
            return self.reply(people.hand_over())
        if self.path == "/v1/session/contact":
            return self._reach(body)
        if self.path == "/chat":
            people.begin(body["turnId"], body["message"])
            return self.stream(body["turnId"])
        if self.path == "/v1/session":
            return self.reply(people.session(body.get("token")))
        return self.send(204, b"")

    def do_DELETE(self) -> None:  # noqa: N802 - the handler's own name
        self.server.asked.append(f"DELETE {self.path}")
        if self.path != "/v1/session/handoff":
            return self.send(204, b"")
        self.server.step("released", "bot")
        return self.reply({"state": "bot"})

    def _tell(self, query: dict[str, str]) -> None:
        people = self.server
        if people.failing:
            people.failing -= 1
            return self.reply({"error": "Busy", "code": "overloaded"}, 503)
        found = people.events(int(query["after"]), float(query.get("wait", 0)))
        return self.reply(found) if found else self.send(204, b"")

    def _reach(self, body: dict[str, Any]) -> None:
        if not body["email"].partition("@")[2].count("."):
            return self.reply({"error": "Not an address", "code": "invalid_request"}, 400)
        self.server.reach(body)
        return self.send(204, b"")
