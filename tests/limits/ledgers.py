"""Accounts and a model of the truth, for the tests of every ledger."""

from collections import Counter
from collections.abc import Sequence

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from app.limits.ledger import Account, AccountFull, Hold, Ledger, account

DAY = "2026-11-22"
LIMITS = {"service": 1000, "client": 600, "session": 400}
CLIENTS = ("10.0.0.1", "10.0.0.2")
SESSIONS = ("s-1", "s-2", "s-3")

TOKENS = st.integers(1, 300)
PEOPLE = st.tuples(st.sampled_from(CLIENTS), st.sampled_from(SESSIONS))


def accounts_of(client: str, session: str) -> Sequence[Account]:
    return (
        account("service", limit=LIMITS["service"]),
        account("client", client, LIMITS["client"]),
        account("session", session, LIMITS["session"]),
    )


SERVICE = accounts_of("", "")[0]


class Books:
    """What was really held and spent, whatever a ledger believes."""

    def __init__(self) -> None:
        self.spent: Counter[Account] = Counter()
        self.holds: list[tuple[Ledger, Hold]] = []
        self.refused = 0

    def hold(self, ledger: Ledger, people: tuple[str, str], tokens: int) -> None:
        accounts = accounts_of(*people)
        try:
            hold = ledger.hold(DAY, accounts, tokens)
        except AccountFull:
            self.refused += 1
            return
        self.spent.update(dict.fromkeys(accounts, tokens))
        self.holds.append((ledger, hold))

    def extend(self, number: int, tokens: int) -> None:
        if not self.holds:
            return
        number %= len(self.holds)
        ledger, hold = self.holds[number]
        try:
            larger = ledger.extend(hold, tokens)
        except AccountFull:
            self.refused += 1
            return
        self.spent.update(dict.fromkeys(hold.accounts, tokens))
        self.holds[number] = (ledger, larger)

    def settle(self, number: int, share: float) -> None:
        """Spend a part of a hold, and give the rest back."""
        if not self.holds:
            return
        ledger, hold = self.holds.pop(number % len(self.holds))
        tokens = int(hold.tokens * share)
        ledger.settle(hold, tokens)
        self.spent.update(dict.fromkeys(hold.accounts, tokens - hold.tokens))


class LedgerMachine(RuleBasedStateMachine):
    """Any order of holds, extensions and settlements, by one ledger or by several at once."""

    def __init__(self, *ledgers: Ledger) -> None:
        super().__init__()
        self.ledgers = ledgers
        self.books = Books()

    @rule(number=st.integers(0, 9), people=PEOPLE, tokens=TOKENS)
    def hold(self, number: int, people: tuple[str, str], tokens: int) -> None:
        self.books.hold(self.ledgers[number % len(self.ledgers)], people, tokens)

    @rule(number=st.integers(0, 9), tokens=TOKENS)
    def extend(self, number: int, tokens: int) -> None:
        self.books.extend(number, tokens)

    @rule(number=st.integers(0, 9), share=st.floats(0, 1))
    def settle(self, number: int, share: float) -> None:
        self.books.settle(number, share)

    @invariant()
    def nothing_exceeds_its_limit(self) -> None:
        for each, spent in self.books.spent.items():
            assert spent <= each.limit
