"""The day's tokens in a Redis that all workers share, with the store's figures under them."""

from collections.abc import Sequence

from app.bus.redis_connection import RedisAway, RedisLink
from app.domain.conversation import DEFAULT_ASSISTANT
from app.limits.counters.memory import MemoryCounters
from app.limits.counters.redis import BookUnknown, RedisCounters
from app.limits.ledger import KEPT_S, Account, Hold, Ledger, Recorded, bounded, refuse

# A worker without Redis may spend this part of the day's budget, once, until
# Redis is back; but always enough for one turn.
OFFLINE_SHARE = 50


class RedisLedger(Ledger):
    """A ``Ledger`` that all workers of all machines share.

    While Redis is away this worker goes on from its copy with a small allowance.
    Counts err on the side of spent.
    """

    def __init__(
        self,
        link: RedisLink,
        recorded: Recorded,
        one_turn: int,
        assistant: str = DEFAULT_ASSISTANT,
    ) -> None:
        super().__init__(recorded)
        # The default's book has the name that it had before there were others.
        self._name = "budget" if assistant == DEFAULT_ASSISTANT else f"budget@{assistant}"
        self._link = link
        self._one_turn = one_turn
        self._book: RedisCounters
        # Set while Redis is away: what the service's account may reach.
        self._ceiling: int | None = None

    def _begin(self, day: str) -> MemoryCounters:
        self._book = RedisCounters(self._link, f"{self._name}:{day}")
        self._ceiling = None
        return self._book.copy

    def _take(self, accounts: Sequence[Account], tokens: int) -> None:
        try:
            full = self._ask(accounts, tokens)
        except RedisAway:
            alone = bounded(accounts, self._go_offline(accounts[0]))
            full = self._book.take_alone(alone, tokens, all_or_none=True)
        refuse(full)

    def _settle(self, hold: Hold, tokens: int) -> None:
        if tokens == hold.tokens:
            return
        accounts = [each._replace(limit=0) for each in hold.accounts]
        try:
            self._ask(accounts, tokens - hold.tokens)
        except RedisAway:
            self._go_offline(hold.accounts[0])
            self._book.take_alone(accounts, tokens - hold.tokens, all_or_none=True)

    def _ask(self, accounts: Sequence[Account], tokens: int) -> Account | None:
        """Take tokens in Redis.

        Raises:
            RedisAway: nobody knows whether they were taken.
        """
        for _ in range(2):
            try:
                full = self._book.take_shared(accounts, tokens, all_or_none=True)
            except BookUnknown:
                self._raise_to(accounts[0], self._recorded(self._day))
                self._book.tell(KEPT_S)
            else:
                self._ceiling = None
                return full
        raise RedisAway  # it forgets faster than it is told

    def _go_offline(self, service: Account) -> int:
        if self._ceiling is None:
            count = self._raise_to(service, self._recorded(self._day))
            self._ceiling = count + max(service.limit // OFFLINE_SHARE, self._one_turn)
        return self._ceiling
