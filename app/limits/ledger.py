"""Who keeps account of the day's tokens: counters, with the store's figures under them."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.limits.counters.memory import MemoryCounters
from app.limits.counters.protocol import Counter

KEPT_S = 172_800


Account = Counter
"""So many tokens a UTC day, for all or for one."""


def account(kind: str, who: str = "", limit: int = 0) -> Account:
    """Return the account of the service, or of one of its clients or sessions; 0 is no limit."""
    return Account(f"{kind}:{who}" if who else kind, KEPT_S, limit)


@dataclass(frozen=True, slots=True)
class Hold:
    """Tokens that are taken from all accounts until they are settled.

    One that is never settled stays spent: its worker died, and nobody knows
    what the model did.
    """

    day: str
    accounts: Sequence[Account]
    tokens: int


class AccountFull(Exception):
    """An account has not that much left; nothing was taken from any."""

    def __init__(self, account: Account) -> None:
        super().__init__(account.name)
        self.account = account


Recorded = Callable[[str], int]
"""Returns what the store knows to be spent on a day, a few seconds ago."""


class Ledger(ABC):
    """Accounts of one day; the first of every sequence is the service's."""

    def __init__(self, recorded: Recorded) -> None:
        self._recorded = recorded
        self._day = ""
        self._counts = MemoryCounters()

    def hold(self, day: str, accounts: Sequence[Account], tokens: int) -> Hold:
        """Take tokens from all accounts, or from none.

        Raises:
            AccountFull: an account has not that much left.
            StorageUnavailable: nobody knows what the day has cost so far.
        """
        if day != self._day:
            self._counts = self._begin(day)
            self._day = day
        self._take(accounts, tokens)
        return Hold(day, accounts, tokens)

    def extend(self, hold: Hold, tokens: int) -> Hold:
        """Take more tokens, and return the larger hold.

        Raises:
            AccountFull: the hold stays as it was.
        """
        if hold.day == self._day:
            self._take(hold.accounts, tokens)
        return Hold(hold.day, hold.accounts, hold.tokens + tokens)

    def settle(self, hold: Hold, tokens: int) -> None:
        """Replace a hold by what was spent; a day that is over stays as it was."""
        if hold.day == self._day:
            self._settle(hold, tokens)

    def spent(self, day: str, account: Account) -> int:
        """Return what is held or spent, as far as this worker knows."""
        return self._counts.known(account)[0] if day == self._day else 0

    @abstractmethod
    def _begin(self, day: str) -> MemoryCounters:
        """Open the counts of a day."""

    @abstractmethod
    def _take(self, accounts: Sequence[Account], tokens: int) -> None:
        """Take tokens from all accounts, or raise ``AccountFull``."""

    @abstractmethod
    def _settle(self, hold: Hold, tokens: int) -> None:
        """Replace a hold of today by what was spent."""

    def _raise_to(self, service: Account, tokens: int) -> int:
        self._counts.raise_to(service, tokens)
        return self._counts.known(service)[0]


class MemoryLedger(Ledger):
    """A ``Ledger`` for workers that share nothing but the store.

    Where there are several, each may spend its share of what the store knew
    to be left, and no more until it looked again.
    """

    def __init__(self, recorded: Recorded, workers: int = 1) -> None:
        super().__init__(recorded)
        self._workers = workers
        self._held = 0
        self._known = -1
        self._ceiling = 0

    def _begin(self, day: str) -> MemoryCounters:
        self._held, self._known = 0, -1
        return MemoryCounters(most=float("inf"))

    def _take(self, accounts: Sequence[Account], tokens: int) -> None:
        self._look(accounts[0])
        if self._workers > 1:
            accounts = bounded(accounts, self._ceiling)
        refuse(self._counts.take(accounts, tokens, all_or_none=True))
        self._held += tokens

    def _settle(self, hold: Hold, tokens: int) -> None:
        self._held -= hold.tokens
        self._counts.add(hold.accounts, tokens - hold.tokens)

    def _look(self, service: Account) -> None:
        recorded = self._recorded(self._day)
        if recorded != self._known:
            self._known = recorded
            count = self._raise_to(service, recorded + self._held)
            self._ceiling = count + max(0, service.limit - count) // self._workers


def bounded(accounts: Sequence[Account], ceiling: int) -> Sequence[Account]:
    """Bound the service's account further than its own limit."""
    service, *others = accounts
    limit = max(1, min(ceiling, service.limit)) if service.limit else 0
    return [service._replace(limit=limit), *others]


def refuse(full: Account | None) -> None:
    """Raise ``AccountFull`` where there is one."""
    if full is not None:
        raise AccountFull(full)
