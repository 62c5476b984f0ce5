"""The ledger in memory: what it lets through, alone, beside others, and after a restart."""

import pytest
from hypothesis import settings
from hypothesis.stateful import invariant

from app.limits.ledger import AccountFull, MemoryLedger
from tests.limits.ledgers import DAY, SERVICE, Books, LedgerMachine, accounts_of


class MemoryMachine(LedgerMachine):
    """One worker that shares nothing."""

    def __init__(self) -> None:
        super().__init__(MemoryLedger(lambda _day: 0))

    @invariant()
    def the_ledger_tells_the_truth(self) -> None:
        for account, spent in self.books.spent.items():
            assert self.ledgers[0].spent(DAY, account) == spent


TestMemoryLedger = MemoryMachine.TestCase
TestMemoryLedger.settings = settings(max_examples=60, stateful_step_count=40)


def test_refusal_names_the_full_account_and_takes_nothing() -> None:
    ledger = MemoryLedger(lambda _day: 0)
    accounts = accounts_of("10.0.0.1", "s-1")
    ledger.hold(DAY, accounts, 300)

    with pytest.raises(AccountFull) as full:
        ledger.hold(DAY, accounts, 200)

    assert full.value.account == accounts[2]
    assert [ledger.spent(DAY, account) for account in accounts] == [300, 300, 300]


def test_restarted_worker_begins_with_what_the_store_recorded() -> None:
    ledger = MemoryLedger(lambda _day: 900)

    with pytest.raises(AccountFull):
        ledger.hold(DAY, accounts_of("10.0.0.1", "s-1"), 101)

    assert ledger.spent(DAY, SERVICE) == 900
    assert ledger.hold(DAY, accounts_of("10.0.0.1", "s-1"), 100).tokens == 100


def test_what_others_spent_is_learned_from_the_store() -> None:
    recorded = 0
    ledger = MemoryLedger(lambda _day: recorded)
    ledger.hold(DAY, accounts_of("10.0.0.1", "s-1"), 100)

    recorded = 850

    with pytest.raises(AccountFull):
        ledger.hold(DAY, accounts_of("10.0.0.2", "s-2"), 100)
    assert ledger.spent(DAY, SERVICE) == 950  # theirs, and ours that is not settled


def test_workers_that_share_nothing_do_not_exceed_the_budget_together() -> None:
    books = Books()
    workers = [MemoryLedger(lambda _day: 200, workers=3) for _ in range(3)]
    for number in range(60):
        books.hold(workers[number % 3], (f"10.0.1.{number}", f"s-{number}"), 30)

    assert books.refused
    assert 200 + books.spent[SERVICE] <= SERVICE.limit


def test_new_day_begins_at_nought_and_yesterdays_holds_are_over() -> None:
    ledger = MemoryLedger(lambda _day: 0)
    accounts = accounts_of("10.0.0.1", "s-1")
    yesterday = ledger.hold("2026-11-21", accounts, 400)

    today = ledger.hold(DAY, accounts, 400)
    ledger.settle(yesterday, 0)

    assert ledger.spent(DAY, SERVICE) == today.tokens
    assert ledger.extend(yesterday, 50).tokens == 450


def test_what_a_turn_took_beyond_its_hold_counts() -> None:
    ledger = MemoryLedger(lambda _day: 0)
    hold = ledger.hold(DAY, accounts_of("10.0.0.1", "s-1"), 100)

    ledger.settle(hold, 250)

    assert ledger.spent(DAY, SERVICE) == 250
