"""A visitor as a good client is: the same turn again until it is answered, or gone for good.

One who has a session token leaves as well, and comes back to read the same turn.
"""

import json
import random
import threading
import time
from contextlib import suppress
from http.client import HTTPException
from typing import Any

from tests.checker.ledger import Asked, Conversation
from tests.live.exchange import Exchange
from tests.servers.perch import WIDGET_KEY, Server, chat_body

LEAVERS = 0.1
RETURNERS = 0.4
WITH_TOKEN = 0.5
AWAY_S = (0.0, 0.7)  # sometimes longer than the grace
GAP_MS = 15
RETRY_S = (0.05, 0.4)
PATIENCE_S = 8.0


class Visitor(threading.Thread):
    """Asks in one session until told to stop, then finishes the question it is at."""

    def __init__(
        self, server: Server, session: str, *, think_s: float, turns: int, chance: random.Random
    ) -> None:
        super().__init__(daemon=True)
        self.conversation = Conversation(session)
        self.acknowledged = 0
        self.left = self.came_back = 0
        self._bearer: dict[str, str] | None = {}
        if chance.random() < WITH_TOKEN:
            self._bearer = None  # to be asked for
        self._server = server
        self._think_s = think_s
        self._turns = turns
        self._chance = chance
        self._stopped = threading.Event()
        self._given_up = threading.Event()

    def stop(self) -> None:
        """Begin no other question."""
        self._stopped.set()

    def give_up(self) -> None:
        """Do not even repeat the last one."""
        self._given_up.set()

    def run(self) -> None:
        for number in range(self._turns):
            if self._stopped.is_set():
                return
            self._ask(number)
            self._stopped.wait(self._think_s * self._chance.uniform(0.5, 1.5))

    def _ask(self, number: int) -> None:
        session = self.conversation.session
        # The model says back what makes each answer one of a kind.
        words = [f"{session} ", "answers ", f"{number}"]
        script = json.dumps({"tokens": words, "gap_ms": GAP_MS})
        asked = Asked(f"Question {number} [[upstream {script}]]", f"turn-{session}-{number}")
        self.conversation.asked.append(asked)
        while not self._given_up.is_set():
            asked.attempts += 1
            with suppress(OSError, HTTPException, ValueError, AssertionError):
                if self._try(asked):
                    return
            time.sleep(self._chance.uniform(*RETRY_S))

    def _try(self, asked: Asked) -> bool:
        """Send the turn once; true when nothing more is to be done."""
        if self._bearer is None:
            opened = self._server.request("POST", "/v1/session", {}, x_api_key=WIDGET_KEY)
            self._bearer = {"Authorization": f"Bearer {opened.json['token']}"}
        leaves = self._chance.random() < (RETURNERS if self._bearer else LEAVERS)
        body = chat_body(asked.content, self.conversation.session, {"turnId": asked.turn_id})
        headers = {"x_api_key": WIDGET_KEY, **self._bearer}
        sent = self._server.send("POST", "/v1/chat/stream", body, PATIENCE_S, **headers)
        is_done = self._read(sent, asked, leaves=leaves)
        while is_done is None:
            if not self._bearer:
                return True
            time.sleep(self._chance.uniform(*AWAY_S))
            self.came_back += 1
            path = f"/v1/turns/{asked.turn_id}/stream"
            sent = self._server.send("GET", path, None, PATIENCE_S, **self._bearer)
            is_done = self._read(sent, asked, leaves=self._chance.random() < RETURNERS)
        return is_done

    def _read(self, sent: Exchange, asked: Asked, *, leaves: bool) -> bool | None:
        """Return whether the turn is answered; nothing where the visitor left."""
        asked.seen = ""
        with sent.begin() as stream:
            if stream.status != 200:
                return False
            for line in stream.lines():
                if line.event is not None and self._note(asked, line.event):
                    return True
                if leaves and asked.stored and line.type != "start":
                    self._leave(stream)
                    return None
        return False

    def _note(self, asked: Asked, event: dict[str, Any]) -> bool:
        if event["type"] == "start":
            asked.stored = True
            self.conversation.id = event["conversationId"]
        if event["type"] == "token":
            asked.seen = (asked.seen or "") + event["token"]
        if event["type"] == "done":
            asked.answer = event["message"]
            self.acknowledged += 1
            return True
        return False

    def _leave(self, stream: Exchange) -> None:
        self.left += 1
        if self._chance.random() < 0.5:
            stream.reset()
        else:
            stream.leave()
