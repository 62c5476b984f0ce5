"""A visitor's turn over HTTP, and which of two workers takes what is asked."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGCONT, SIGSTOP
from typing import Any

from tests.live.eventually import eventually
from tests.live.exchange import Answer, Exchange
from tests.servers.perch import WIDGET_KEY, Server

TURN = "turn-0001"
STOP = ("POST", f"/v1/turns/{TURN}/stop")


@contextmanager
def asleep(process: int) -> Iterator[None]:
    """Keep a process from running, so that the other must take what comes."""
    eventually(lambda: is_stopped_without_locks(process))
    try:
        yield
    finally:
        os.kill(process, SIGCONT)


def is_stopped_without_locks(process: int) -> bool:
    """Stop a process; let it go on where it would keep all others from writing to the store."""
    os.kill(process, SIGSTOP)
    eventually(lambda: Path(f"/proc/{process}/stat").read_text().split(")")[1].split()[0] == "T")
    locks = (line.split() for line in Path("/proc/locks").read_text().splitlines())
    if any(lock[1] == "POSIX" and lock[3:5] == ["WRITE", str(process)] for lock in locks):
        os.kill(process, SIGCONT)
        return False
    return True


def open_session(server: Server) -> dict[str, str]:
    token = server.request("POST", "/v1/session", {}, x_api_key=WIDGET_KEY).json["token"]
    return {"Authorization": f"Bearer {token}"}


def stream(server: Server, session: dict[str, str], turn: str = TURN) -> Exchange:
    """Ask, and return when the first two words are there."""
    body = {"message": "Hi", "turnId": turn}
    sent = server.send("POST", "/v1/chat/stream", body, x_api_key=WIDGET_KEY, **session).begin()
    for _ in range(2):
        sent.until("token")
    return sent


def ask(server: Server, session: dict[str, str], asked: tuple[str, str]) -> Answer:
    return server.request(*asked, **session)


def history(server: Server, session: dict[str, str]) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = server.request("GET", "/v1/session/messages", **session).json[
        "messages"
    ]
    return messages
