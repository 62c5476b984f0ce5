"""Where a person answers: the visitor's half of a handoff, and an operator who serves all."""

import random
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from http.client import HTTPException
from typing import Any

from tests.checker.ledger import Conversation, Happened, Reply
from tests.live.exchange import Answer
from tests.servers.perch import ADMIN_KEY, Server

TROUBLE = (OSError, HTTPException, ValueError, AssertionError)
PATIENCE_S = 8.0
RETRY_S = (0.05, 0.4)
LOOK_S = 0.05
WAIT_S = 1
TAKERS = 0.5
ENDERS = 0.2
HANDOFF = "/v1/session/handoff"


class Handoff:
    """A visitor who asks for a person, hears what happens, and gives back."""

    def __init__(
        self, server: Server, bearer: Mapping[str, str], conversation: Conversation
    ) -> None:
        self._server = server
        self._bearer = dict(bearer)
        self._conversation = conversation
        self._after = 0
        self.is_over = False
        self.has_heard = False

    def begin(self) -> None:
        """Forget how the last one went."""
        self.is_over = self.has_heard = False

    def ask(self, **said: str) -> bool:
        """Ask for a person, once; true where that was acknowledged."""
        return self._send("POST", HANDOFF, said).status == 200

    def listen(self) -> None:
        """Wait a moment for what an operator says or does."""
        answer = self._send("GET", f"/v1/session/events?after={self._after}&wait={WAIT_S}")
        if answer.status != 200:
            return
        for event in answer.json["events"]:
            kind = event["type"]
            content = event.get("message", {}).get("content", "")
            self._conversation.happened.append(Happened(event["n"], kind, content))
            self.has_heard |= kind == "message"
        self._after = answer.json["next"]
        self.is_over = answer.json["state"] == "bot"

    def give_back(self) -> None:
        """Go back to the assistant, if that is acknowledged."""
        if self._send("DELETE", HANDOFF).status == 200:
            self.is_over = True

    def _send(self, method: str, path: str, body: Any = None) -> Answer:
        return self._server.send(method, path, body, PATIENCE_S, **self._bearer).answer()


class Operator(threading.Thread):
    """Answers everybody who waits, and gives some of them back."""

    def __init__(self, server: Server, chance: random.Random) -> None:
        super().__init__(daemon=True)
        self.replies: dict[str, list[Reply]] = {}
        self._server = server
        self._chance = chance
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Go home."""
        self._stopped.set()
        self.join()

    def run(self) -> None:
        while not self._stopped.wait(LOOK_S):
            with suppress(*TROUBLE):
                listed = self._send("GET", "/v1/admin/inbox?limit=200")
                assert listed.status == 200, listed
                for each in listed.json["conversations"]:
                    self._serve(each)

    def _serve(self, listed: Mapping[str, Any]) -> None:
        conversation = listed["_id"]
        said = self.replies.setdefault(conversation, [])
        if not said or said[-1].stored:
            if listed["state"] == "human" and not listed.get("unread"):
                if self._chance.random() < ENDERS:
                    self._act(conversation, self._chance.choice(("release", "close")))
                return
            key = f"{conversation}-{len(said)}"
            said.append(Reply(f"Reply {len(said)} in {conversation}", key))
            if self._chance.random() < TAKERS:
                self._act(conversation, "take")
        # Until it is acknowledged: the same words with the same key.
        words = {"text": said[-1].text, "key": said[-1].key}
        said[-1].stored = self._act(conversation, "reply", words).status == 200

    def _act(self, conversation: str, step: str, body: Any = None) -> Answer:
        return self._send("POST", f"/v1/admin/conversations/{conversation}/{step}", body or {})

    def _send(self, method: str, path: str, body: Any = None) -> Answer:
        sent = self._server.send(method, path, body, PATIENCE_S, x_admin_api_key=ADMIN_KEY)
        return sent.answer()


def pause(chance: random.Random) -> None:
    """Wait as a client does before it tries again."""
    time.sleep(chance.uniform(*RETRY_S))
