"""One reader of an answer, and what is noted of each line that comes."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.checker.ledger import Asked, Conversation, Reading
from tests.live.exchange import Exchange, Line


@contextmanager
def read(sent: Exchange, asked: Asked) -> Iterator[Reading]:
    """Note from when to when an answer is read; who is refused was never there.

    Raises:
        ConnectionError: it is refused.
    """
    reading = Reading(sent.sent_at)
    asked.readings.append(reading)
    try:
        with sent.begin():
            if sent.status != 200:
                asked.readings.remove(reading)
                raise ConnectionError(f"refused with {sent.status}")
            yield reading
    finally:
        reading.left_at = time.monotonic()


def note(conversation: Conversation, asked: Asked, reading: Reading, line: Line) -> bool:
    """Note what a line tells; true where it was the last one."""
    event = line.event or {}
    if line.type == "start":
        asked.stored = True
        conversation.id = event["conversationId"]
    if line.type == "token":
        reading.seen += event["token"]
    if line.type == "done":
        reading.answer = event["message"]
        reading.sources = json.dumps(event.get("sources"))
        reading.is_cut = "finishReason" in event
        reading.is_held = event.get("answeredBy") == "person"
    return line.type in ("done", "error")
