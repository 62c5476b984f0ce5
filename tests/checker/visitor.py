"""A visitor as a good client is: the same turn again until it is answered, or gone for good.

One who has a session token leaves as well, and comes back: to read the same turn, or by asking it
again. Some read it on two devices at once. Some want a person, in the middle of an answer or
between two, hear what is said, and go on with the assistant.
"""

import json
import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from enum import Enum

from tests.checker.ledger import Asked, Conversation
from tests.checker.people import PATIENCE_S, TROUBLE, Handoff, pause
from tests.checker.reading import note, read
from tests.live.exchange import Exchange
from tests.servers.perch import WIDGET_KEY, Server, chat_body

LEAVERS = 0.1
RETURNERS = 0.4
WITH_TOKEN = 0.7
BESIDE = 0.2  # read on a second device, too
ASK_AGAIN = 0.3  # of those who come back: by the question, not by the turn
REPEATERS = 0.05  # ask again what is answered
HANDOFFS = 0.08
WHILE_HELD = 0.5
AWAY_S = (0.0, 0.7)  # sometimes longer than the grace
LONGEST_HANDOFF_S = 3.0
# How many words, how many ms between them, and how often: the last one outlasts the grace.
PACES = {(3, 15): 0.75, (20, 15): 0.15, (40, 60): 0.1}


class Told(Enum):
    """How one look at an answer ended."""

    ALL = "all"
    PART = "part"
    LEFT = "left"


class Visitor(threading.Thread):
    """Asks in one session until told to stop, then finishes the question it is at."""

    def __init__(
        self,
        server: Server,
        session: str,
        *,
        think_s: float,
        turns: int,
        grace_s: float,
        chance: random.Random,
    ) -> None:
        super().__init__(daemon=True)
        self.conversation = Conversation(session)
        self.acknowledged = 0
        self.left = self.came_back = self.beside = self.handoffs = 0
        self._bearer: dict[str, str] | None = {}
        if chance.random() < WITH_TOKEN:
            self._bearer = None  # to be asked for
        self._server = server
        self._think_s = think_s
        self._turns = turns
        self._grace_s = grace_s
        self._chance = chance
        self._others: list[threading.Thread] = []
        self._handoff: Handoff | None = None
        # Once they have asked for one, they do not want to ask any more.
        self._wants_person = self._has_asked_for_person = False
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
            asked = self._ask(f"{number}", wants_person=self._chance.random() < HANDOFFS)
            if asked.is_held or self._has_asked_for_person:
                self._meet(f"{number}")
            self._stopped.wait(self._think_s * self._chance.uniform(0.5, 1.5))

    def _ask(self, name: str, *, wants_person: bool = False) -> Asked:
        asked = self._question(name)
        self.conversation.asked.append(asked)
        self._wants_person, self._has_asked_for_person = wants_person, False
        while not self._given_up.is_set():
            asked.attempts += 1
            with suppress(*TROUBLE):
                if self._try(asked):
                    break
            pause(self._chance)
        for other in self._others:
            other.join()
        self._others.clear()
        return asked

    def _question(self, name: str) -> Asked:
        session = self.conversation.session
        ((count, gap_ms),) = self._chance.choices(list(PACES), list(PACES.values()))
        # The model says back what makes each answer one of a kind.
        words = [f"{session} ", "answers ", name, " [1]", *(f" {each}" for each in range(4, count))]
        script = json.dumps({"tokens": words[:count], "gap_ms": gap_ms})
        content = f"Question {name} [[upstream {script}]]"
        return Asked(content, f"turn-{session}-{name}", "".join(words[:count]))

    def _try(self, asked: Asked) -> bool:
        """Send the turn once; true when nothing more is to be done."""
        if self._bearer is None:
            opened = self._server.request("POST", "/v1/session", {}, x_api_key=WIDGET_KEY)
            self._bearer = {"Authorization": f"Bearer {opened.json['token']}"}
            self._handoff = Handoff(self._server, self._bearer, self.conversation)
        asked.grace_s = self._grace_s if self._bearer else 0.0
        told = self._read(self._post, asked)
        while told is Told.LEFT:
            if not self._bearer:
                return True
            time.sleep(self._chance.uniform(*AWAY_S))
            self.came_back += 1
            asks_again = self._chance.random() < ASK_AGAIN
            told = self._read(self._post if asks_again else self._follow, asked)
        return told is Told.ALL

    def _post(self, asked: Asked) -> Exchange:
        body = chat_body(asked.content, self.conversation.session, {"turnId": asked.turn_id})
        headers = {"x_api_key": WIDGET_KEY, **(self._bearer or {})}
        asked.sent_at = time.monotonic()
        return self._server.send("POST", "/v1/chat/stream", body, PATIENCE_S, **headers)

    def _follow(self, asked: Asked) -> Exchange:
        path = f"/v1/turns/{asked.turn_id}/stream"
        return self._server.send("GET", path, None, PATIENCE_S, **(self._bearer or {}))

    def _read(self, send: Callable[[Asked], Exchange], asked: Asked) -> Told:
        """Read an answer to its end, or leave it in the middle."""
        leavers = RETURNERS if self._bearer else LEAVERS
        leaves_at = self._chance.randrange(1, 6) if self._chance.random() < leavers else 0
        sent = send(asked)
        with read(sent, asked) as reading:
            for place, line in enumerate(sent.lines()):
                if note(self.conversation, asked, reading, line):
                    break
                if place and place == leaves_at:
                    self._leave(sent)
                    return Told.LEFT
                self._do_meanwhile(asked)
        if reading.answer is None:
            return Told.PART
        self.acknowledged += not reading.is_held
        if reading.answer == asked.says and self._chance.random() < REPEATERS:
            asked.attempts += 1
            return self._read(self._post, asked)
        return Told.ALL

    def _do_meanwhile(self, asked: Asked) -> None:
        """Take a second device, or ask for a person, while the answer comes."""
        if not self._bearer or self._handoff is None:
            return
        if not self._others and self._chance.random() < BESIDE:
            self.beside += 1
            self._others.append(threading.Thread(target=self._read_beside, args=(asked,)))
            self._others[-1].start()
        if self._wants_person and self._chance.random() < 0.5:
            self._wants_person, self._has_asked_for_person = False, True
            with suppress(*TROUBLE):
                self._handoff.ask()

    def _read_beside(self, asked: Asked) -> None:
        """Read the same answer once, perhaps more slowly, and to its end."""
        pause_s = self._chance.choice((0.0, 0.05))
        with suppress(*TROUBLE):
            sent = self._follow(asked)
            with read(sent, asked) as reading:
                for line in sent.lines():
                    if note(self.conversation, asked, reading, line):
                        break
                    time.sleep(pause_s)

    def _leave(self, sent: Exchange) -> None:
        self.left += 1
        if self._chance.random() < 0.5:
            sent.reset()
        else:
            sent.leave()

    def _meet(self, name: str) -> None:
        """Speak with a person, and go back to the assistant."""
        handoff = self._handoff
        assert handoff is not None, "who has no token is not held"
        self.handoffs += 1
        handoff.begin()
        if self._has_asked_for_person:
            self._say_to_person(handoff, name)
        stays_s = self._chance.choice((0.0, LONGEST_HANDOFF_S))
        until = time.monotonic() + stays_s
        while not (handoff.is_over or self._given_up.is_set()):
            with suppress(*TROUBLE):
                if handoff.has_heard and time.monotonic() >= until:
                    handoff.give_back()
                else:
                    handoff.listen()

    def _say_to_person(self, handoff: Handoff, name: str) -> None:
        session = self.conversation.session
        asked = Asked(f"A person, please: {session}, {name}", f"ask-{session}-{name}")
        said = {"text": asked.content, "turnId": asked.turn_id}
        if self._chance.random() < 0.5:
            said = {}
        else:
            self.conversation.asked.append(asked)
        is_asked = False
        while not (is_asked or self._given_up.is_set()):
            with suppress(*TROUBLE):
                is_asked = handoff.ask(**said)
            if not is_asked:
                pause(self._chance)
        asked.stored = is_asked
        if self._chance.random() < WHILE_HELD:
            self._ask(f"{name}-held")
