"""The day's tokens in a Redis that all workers share.

This worker keeps a copy of what it was told. While Redis is away it goes on
from there with a small allowance; to a Redis that lost its data it tells what
it knows, and the store's figures. Counts err on the side of spent.
"""

import secrets
from collections.abc import Sequence

from app.bus.redis_connection import Argument, RedisAway, RedisLink
from app.limits.memory import Tally
from app.limits.protocol import Account, AccountFull, Hold, Recorded

# A worker without Redis may spend this part of the day's budget, once, until
# Redis is back; but always enough for one turn.
OFFLINE_SHARE = 50
_KEPT_S = 172_800

# One hash for a day; `epoch` is drawn when the hash is made, so that its loss shows.
_JOIN = """
local epoch = redis.call('HGET', KEYS[1], 'epoch')
if not epoch then
  epoch = ARGV[2]
  redis.call('HSET', KEYS[1], 'epoch', epoch)
  redis.call('EXPIRE', KEYS[1], ARGV[3])
end
for i = 4, #ARGV, 3 do
  local name, known, owed = ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
  if epoch == ARGV[1] then
    if owed ~= 0 then redis.call('HINCRBY', KEYS[1], name, owed) end
  elseif tonumber(redis.call('HGET', KEYS[1], name) or 0) < known then
    redis.call('HSET', KEYS[1], name, known)
  end
end
return epoch
"""
# With limits (0: none), all accounts or none; a settlement has no limits.
_TAKE = """
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return {'unknown'} end
local tokens, told = tonumber(ARGV[2]), {'taken'}
for i = 3, #ARGV, 2 do
  local limit = tonumber(ARGV[i + 1])
  local count = tonumber(redis.call('HGET', KEYS[1], ARGV[i]) or 0)
  if limit > 0 and count + tokens > limit then return {'full', (i - 3) / 2, count} end
end
for i = 3, #ARGV, 2 do
  local count = redis.call('HINCRBY', KEYS[1], ARGV[i], tokens)
  if count < 0 then
    count = 0
    redis.call('HSET', KEYS[1], ARGV[i], 0)
  end
  told[#told + 1] = count
end
return told
"""


class _Copy(Tally):
    """What this worker knows of a day, and what it has not told Redis yet."""

    def __init__(self, day: str) -> None:
        super().__init__(day)
        self.epoch = ""
        self.owed: dict[str, int] = {}
        # Set while Redis is away: what the service's account may reach.
        self.ceiling: int | None = None

    @property
    def is_joined(self) -> bool:
        return bool(self.epoch) and self.ceiling is None

    def owe(self, accounts: Sequence[Account], tokens: int) -> None:
        self.add(accounts, tokens)
        for account in accounts:
            self.owed[account.name] = self.owed.get(account.name, 0) + tokens


class RedisLedger:
    """A ``Ledger`` that all workers of all machines share."""

    def __init__(self, link: RedisLink, recorded: Recorded, one_turn: int) -> None:
        self._join_script = link.script(_JOIN)
        self._take_script = link.script(_TAKE)
        self._hide = link.hide
        self._recorded = recorded
        self._one_turn = one_turn
        self._copy = _Copy("")

    def hold(self, day: str, accounts: Sequence[Account], tokens: int) -> Hold:
        """Take tokens from all accounts, or from none."""
        if day != self._copy.day:
            self._copy = _Copy(day)
        self._take(self._copy, accounts, tokens)
        return Hold(day, accounts, tokens)

    def extend(self, hold: Hold, tokens: int) -> Hold:
        """Take more tokens, and return the larger hold."""
        if hold.day == self._copy.day:
            self._take(self._copy, hold.accounts, tokens)
        return Hold(hold.day, hold.accounts, hold.tokens + tokens)

    def settle(self, hold: Hold, tokens: int) -> None:
        """Replace a hold by what was spent; a day that is over stays as it was."""
        copy = self._copy
        if hold.day != copy.day or tokens == hold.tokens:
            return
        try:
            self._ask(copy, hold.accounts, tokens - hold.tokens, limited=False)
        except RedisAway:
            self._go_offline(copy, hold.accounts[0])
            copy.owe(hold.accounts, tokens - hold.tokens)

    def spent(self, day: str, account: Account) -> int:
        """Return what is held or spent, as far as this worker knows."""
        return self._copy.count(account) if day == self._copy.day else 0

    def _take(self, copy: _Copy, accounts: Sequence[Account], tokens: int) -> None:
        try:
            self._ask(copy, accounts, tokens, limited=True)
        except RedisAway:
            ceiling = self._go_offline(copy, accounts[0])
            copy.refuse(accounts, tokens, ceiling)
            copy.owe(accounts, tokens)

    def _ask(self, copy: _Copy, accounts: Sequence[Account], tokens: int, *, limited: bool) -> None:
        """Take tokens in Redis, and note what it tells.

        Raises:
            AccountFull: nothing was taken.
            RedisAway: nobody knows whether it was.
        """
        arguments: list[Argument] = []
        for account in accounts:
            arguments += (self._name(account.name), account.limit if limited else 0)
        if not copy.is_joined:
            self._join(copy, accounts[0])
        told = self._take_script([_key(copy)], [copy.epoch, tokens, *arguments])
        if told[0] == "unknown":
            self._join(copy, accounts[0])
            told = self._take_script([_key(copy)], [copy.epoch, tokens, *arguments])
        if told[0] == "unknown":  # it forgets faster than it is told
            raise RedisAway
        if told[0] == "full":
            full = accounts[told[1]]
            copy.put(full, told[2])
            raise AccountFull(full)
        for account, count in zip(accounts, told[1:], strict=True):
            copy.put(account, count)

    def _join(self, copy: _Copy, service: Account) -> None:
        """Learn the day's epoch, and tell what Redis does not know."""
        copy.raise_to(service, self._recorded(copy.day))
        owed, copy.owed = copy.owed, {}
        known = copy.counts()
        arguments: list[Argument] = [copy.epoch, secrets.token_hex(8), _KEPT_S]
        for name in known.keys() | owed.keys():
            arguments += (self._name(name), known.get(name, 0), owed.get(name, 0))
        try:
            copy.epoch = self._join_script([_key(copy)], arguments)
        except RedisAway:
            copy.owed = _sum(owed, copy.owed)
            raise
        copy.ceiling = None

    def _name(self, account: str) -> str:
        kind, _, who = account.partition(":")
        return f"{kind}:{self._hide(who)}" if who else kind

    def _go_offline(self, copy: _Copy, service: Account) -> int:
        if copy.ceiling is None:
            copy.raise_to(service, self._recorded(copy.day))
            allowance = max(service.limit // OFFLINE_SHARE, self._one_turn)
            copy.ceiling = copy.count(service) + allowance
        return copy.ceiling


def _key(copy: _Copy) -> str:
    # With a tag in braces, as all keys of ours.
    return f"{{perch}}:budget:{copy.day}"


def _sum(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in one.keys() | other.keys()}
