"""A stand-in for Perch that says what a test wants, line by line: what no model brings it to say.

    with ScriptedAnswers() as answers:
        answers.next(sources([HOURS]), token("From ten [1]."), HOLD, done("From ten [1].", ...))
        ...                                # the widget asks, and sees the lines up to HOLD
        answers.release()                  # and then the others

It has the routes that the widget needs, one session, and its history.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

DIST = Path(__file__).parents[2] / "widget_dist"
HOLD: dict[str, Any] = {"type": "hold"}
WAIT_S = 30.0
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Allow-Methods": "*",
}
SESSION = {"sessionId": "s-1", "token": "token-1", "config": {}}


def sources(told: list[dict[str, Any]]) -> dict[str, Any]:
    """Write the line of the sources that an answer is given."""
    return {"type": "sources", "sources": told}


def token(text: str) -> dict[str, Any]:
    """Write a piece of the answer."""
    return {"type": "token", "token": text}


def done(message: str, **more: Any) -> dict[str, Any]:
    """Write the last line of an answer."""
    return {"type": "done", "message": message, **more}


class ScriptedAnswers(ThreadingHTTPServer):
    """A context manager with a ``url``; ``history`` is what is stored, oldest first."""

    daemon_threads = True

    def __init__(self, handler: "type[Handler] | None" = None) -> None:
        super().__init__(("127.0.0.1", 0), handler or Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.history: list[dict[str, Any]] = []
        self.running: str | None = None
        self._script: list[dict[str, Any]] = []
        self._lines: dict[str, list[dict[str, Any]]] = {}
        self.news = threading.Condition()

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    def next(self, *lines: dict[str, Any]) -> None:
        """Answer the next question with these lines."""
        self._script = list(lines)

    def release(self) -> None:
        """Say what stands behind the ``HOLD``, up to the next."""
        with self.news:
            lines = self._lines[self.running or ""]
            lines.remove(HOLD)
            self._store(lines)
            self.news.notify_all()

    def begin(self, turn_id: str, question: str) -> None:
        """Take a question."""
        start = {"type": "start", "conversationId": "c-1", "turnId": turn_id}
        with self.news:
            self._lines[turn_id] = [start, *self._script]
            self.running = turn_id
            self.keep("user", question)
            self._store(self._lines[turn_id])

    def line(self, turn_id: str, number: int) -> dict[str, Any] | None:
        """Return a turn's line as soon as it is said; ``None`` behind the last."""
        lines = self._lines[turn_id]
        with self.news:
            held = self.news.wait_for(lambda: lines[number : number + 1] != [HOLD], WAIT_S)
        return lines[number] if held and number < len(lines) else None

    def _store(self, lines: list[dict[str, Any]]) -> None:
        if HOLD in lines:
            return
        told = {k: v for k, v in lines[-1].items() if k in ("sources", "answeredBy")}
        self.keep("assistant", lines[-1]["message"], status="complete", **told)
        self.running = None

    def keep(self, role: str, content: str, **more: Any) -> dict[str, Any]:
        """Store a message, and return it."""
        number = len(self.history)
        stored = {"_id": f"m-{number}", "role": role, "content": content, "createdAt": number}
        self.history.append({**stored, "turnId": self.running, **more})
        return self.history[-1]


class Handler(BaseHTTPRequestHandler):
    """Serves the widget's files and its requests."""

    server: ScriptedAnswers

    def do_OPTIONS(self) -> None:
        self.send(204, b"")

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path.startswith("/widget/"):
            self.send(200, (DIST / path.removeprefix("/widget/")).read_bytes())
        elif path == "/v1/session/messages":
            running = {"runningTurnId": self.server.running} if self.server.running else {}
            self.reply({"messages": self.server.history, **running})
        else:
            self.stream(path.split("/")[3])

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
        if self.path != "/chat":
            return self.reply(SESSION)
        self.server.begin(body["turnId"], body["message"])
        return self.stream(body["turnId"])

    def stream(self, turn_id: str) -> None:
        self._head(200, "application/x-ndjson")
        number = 0
        while line := self.server.line(turn_id, number):
            self.wfile.write(json.dumps(line).encode() + b"\n")
            number += 1

    def reply(self, body: dict[str, Any], status: int = 200) -> None:
        self.send(status, json.dumps(body).encode(), "application/json")

    def send(self, status: int, body: bytes, kind: str = "text/javascript") -> None:
        self._head(status, kind)
        self.wfile.write(body)

    def _head(self, status: int, kind: str) -> None:
        self.send_response(status)
        for name, value in {**CORS, "Content-Type": kind}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""
