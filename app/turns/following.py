"""Turns for those who did not ask them: from the transcript, another process or the store."""

from collections.abc import Callable, Mapping

from app.assistants import Assistant
from app.bus.protocol import Relayed, TurnRelay
from app.storage.protocol import ConversationStore
from app.turns.admission import Admission
from app.turns.elsewhere import TurnElsewhere
from app.turns.readers import Reader
from app.turns.repeated import HeldTurn, RepeatedTurn, StoredTurn, read_turn
from app.turns.turn import RunningTurn


class Following:
    """Finds turns for their readers; ``running`` are those of this process, by session.

    ``refuse`` raises where no more is told here.
    """

    def __init__(
        self,
        store: ConversationStore,
        admission: Admission,
        running: Mapping[str, RunningTurn],
        relay: TurnRelay | None,
        refuse: Callable[[], None],
    ) -> None:
        self._store = store
        self._admission = admission
        self._running = running
        self._relay = relay
        self._refuse = refuse

    def follow(self, assistant: Assistant, client: str, session_id: str, turn_id: str) -> Reader:
        """Return a turn of a session to one who reads it again, or too.

        Raises:
            TurnNotFound, SessionExpired, StorageUnavailable: see ``read_turn``.
            Overloaded: the process goes down, or the client reads as many as it may.
        """
        free = self._admission.take_seat(assistant, client)
        try:
            found = self.join(session_id, turn_id) or self._find(assistant, session_id, turn_id)
        except BaseException:
            free()
            raise

        def leave() -> None:
            found.leave()
            free()

        return Reader(found.events(), leave)

    def join(self, session_id: str, turn_id: str) -> Reader | None:
        """Return a turn that runs in this process."""
        running = self._running.get(session_id)
        if running is None or running.turn.id != turn_id:
            return None
        running.readers.join()
        return Reader(running.read(), running.leave)

    def _find(
        self, assistant: Assistant, session_id: str, turn_id: str
    ) -> RepeatedTurn | TurnElsewhere:
        def look() -> StoredTurn:
            self._refuse()
            return read_turn(self._store, session_id, turn_id)

        def find() -> Relayed | None:
            return self._relay.find(session_id, turn_id) if self._relay else None

        stored, policy = look(), assistant.settings.turns
        if stored.is_held:
            return HeldTurn(stored.turn, assistant.settings.people.holding_message)
        if not stored.is_running:
            return RepeatedTurn(stored.turn, failure=stored.failure)
        return TurnElsewhere(stored, find, look, policy.turn_timeout_s + policy.lease_grace_s)
