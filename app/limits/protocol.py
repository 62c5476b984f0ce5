"""Who keeps account of the day's tokens: the port, and its plain values."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class Kind(Enum):
    """Whose budget an account is."""

    SERVICE = "service"
    CLIENT = "client"
    SESSION = "session"


@dataclass(frozen=True, slots=True)
class Account:
    """So many tokens a UTC day, for all or for one; 0 is no limit.

    Accounts are kept under their names.
    """

    kind: Kind
    name: str
    limit: int


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


class Ledger(Protocol):
    """Accounts of one day; the first of every sequence is the service's."""

    def hold(self, day: str, accounts: Sequence[Account], tokens: int) -> Hold:
        """Take tokens from all accounts, or from none.

        Raises:
            AccountFull: an account has not that much left.
            StorageUnavailable: nobody knows what the day has cost so far.
        """
        ...

    def extend(self, hold: Hold, tokens: int) -> Hold:
        """Take more tokens, and return the larger hold.

        Raises:
            AccountFull: the hold stays as it was.
        """
        ...

    def settle(self, hold: Hold, tokens: int) -> None:
        """Replace a hold by what was spent."""
        ...

    def spent(self, day: str, account: Account) -> int:
        """Return what is held or spent, as far as this worker knows."""
        ...
