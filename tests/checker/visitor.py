"""A visitor as a good client is: the same turn again until it is answered, or gone for good."""

import json
import random
import threading
import time
from contextlib import suppress
from http.client import HTTPException
from typing import Any

from tests.checker.ledger import Asked, Conversation
from tests.live.exchange import Exchange
from tests.live.server import Server

LEAVERS = 0.1
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
        self.left = 0
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
        script = json.dumps({"tokens": [f"{session} ", "answers ", f"{number}"]})
        asked = Asked(f"Question {number} [[upstream {script}]]", f"turn-{session}-{number}")
        self.conversation.asked.append(asked)
        leaves = self._chance.random() < LEAVERS
        while not self._given_up.is_set():
            asked.attempts += 1
            with suppress(OSError, HTTPException, ValueError, AssertionError):
                if self._try(asked, leaves=leaves):
                    return
            time.sleep(self._chance.uniform(*RETRY_S))

    def _try(self, asked: Asked, *, leaves: bool) -> bool:
        """Send the turn once; true when nothing more is to be done."""
        fields = {"session": self.conversation.session, "turnId": asked.turn_id}
        with self._server.stream(asked.content, timeout_s=PATIENCE_S, **fields) as stream:
            if stream.status != 200:
                return False
            for line in stream.lines():
                if line.event is not None and self._note(asked, line.event, stream):
                    return True
                if leaves and asked.stored and line.type != "start":
                    self._leave(stream)
                    return True
        return False

    def _note(self, asked: Asked, event: dict[str, Any], stream: Exchange) -> bool:
        if event["type"] == "start":
            asked.stored = True
            self.conversation.id = event["conversationId"]
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
