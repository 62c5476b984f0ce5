"""The day's tokens in this process, with the store's figures under them."""

from collections.abc import Sequence

from app.limits.protocol import Account, AccountFull, Hold, Kind, Recorded


class Tally:
    """One day's tokens by account. It only counts: who may take how much is the caller's."""

    def __init__(self, day: str) -> None:
        self.day = day
        self.held = 0
        self._counts: dict[str, int] = {}

    def count(self, account: Account) -> int:
        """Return what is held or spent."""
        return self._counts.get(account.name, 0)

    def refuse(self, accounts: Sequence[Account], tokens: int, ceiling: int) -> None:
        """Raise ``AccountFull`` where an account, or all together, would pass its limit.

        ``ceiling`` bounds the service's account further than its own limit.
        """
        for account in accounts:
            limit = account.limit
            if account.kind is Kind.SERVICE and limit:
                limit = min(limit, ceiling)
            if limit and self.count(account) + tokens > limit:
                raise AccountFull(account)

    def add(self, accounts: Sequence[Account], tokens: int) -> None:
        """Count tokens; fewer than none where a hold was larger than its turn."""
        counts = self._counts
        for account in accounts:
            count = counts.get(account.name, 0) + tokens
            if count > 0:
                counts[account.name] = count
            else:
                counts.pop(account.name, None)

    def put(self, account: Account, tokens: int) -> None:
        """Take over a count."""
        if tokens:
            self._counts[account.name] = tokens
        else:
            self._counts.pop(account.name, None)

    def raise_to(self, account: Account, tokens: int) -> None:
        """Count at least so many."""
        self.put(account, max(tokens, self.count(account)))

    def counts(self) -> dict[str, int]:
        """Return every count, by the account's name."""
        return dict(self._counts)


class MemoryLedger:
    """A ``Ledger`` for workers that share nothing but the store.

    Where there are several, each may spend its share of what the store knew
    to be left, and no more until it looked again.
    """

    def __init__(self, recorded: Recorded, workers: int = 1) -> None:
        self._recorded = recorded
        self._workers = workers
        self._tally = Tally("")
        self._known = -1
        self._ceiling = 0

    def hold(self, day: str, accounts: Sequence[Account], tokens: int) -> Hold:
        """Take tokens from all accounts, or from none."""
        tally = self._of(day)
        self._look(tally, accounts[0])
        self._take(tally, accounts, tokens)
        return Hold(day, accounts, tokens)

    def extend(self, hold: Hold, tokens: int) -> Hold:
        """Take more tokens, and return the larger hold."""
        if hold.day == self._tally.day:
            self._take(self._tally, hold.accounts, tokens)
        return Hold(hold.day, hold.accounts, hold.tokens + tokens)

    def settle(self, hold: Hold, tokens: int) -> None:
        """Replace a hold by what was spent; a day that is over stays as it was."""
        if hold.day == self._tally.day:
            self._tally.held -= hold.tokens
            self._tally.add(hold.accounts, tokens - hold.tokens)

    def spent(self, day: str, account: Account) -> int:
        """Return what is held or spent, as far as this worker knows."""
        return self._tally.count(account) if day == self._tally.day else 0

    def _take(self, tally: Tally, accounts: Sequence[Account], tokens: int) -> None:
        tally.refuse(accounts, tokens, self._ceiling)
        tally.add(accounts, tokens)
        tally.held += tokens

    def _of(self, day: str) -> Tally:
        if day != self._tally.day:
            self._tally = Tally(day)
            self._known = -1
        return self._tally

    def _look(self, tally: Tally, service: Account) -> None:
        recorded = self._recorded(tally.day)
        if recorded == self._known:
            return
        self._known = recorded
        tally.raise_to(service, recorded + tally.held)
        count = tally.count(service)
        self._ceiling = count + max(0, service.limit - count) // self._workers
