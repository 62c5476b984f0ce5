"""What each turn may cost and did cost: reserved before, settled after."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from app.domain.conversation import PromptMessage, Usage
from app.domain.errors import (
    BudgetExhausted,
    DailyLimitReached,
    ModelFailure,
    ModelInterrupted,
    ModelTimeout,
    ServiceError,
)
from app.domain.people import NoticeType
from app.limits.estimate import Tokenizer, estimate_prompt, estimate_text
from app.limits.ledger import Account, AccountFull, Hold, Ledger, account
from app.limits.prompts import Join, Prompt, PromptSizes, SentPrompt
from app.settings import Budgets

log = logging.getLogger(__name__)

WARN_SHARE = 0.8
_DAY_S = 86_400


@dataclass(slots=True)
class Spending:
    """What a turn did, as far as it concerns its price.

    ``was_cut`` tells that the model was left while it may have been speaking.
    """

    was_asked: bool
    usage: Usage | None
    said: str
    delta_count: int
    failure: ServiceError | None
    was_cut: bool = False
    earlier_tokens: int = 0
    """Of a first attempt that came to no word."""
    has_thought: bool = False
    first_failure: ModelFailure | None = None
    """Of the model that was asked before the one that answered."""


def _tell_nobody(_kind: NoticeType) -> None: ...


class Meter:
    """Lets turns begin while there is budget for them.

    ``counters`` are for metrics: ``near`` and ``exhausted`` count the days
    on which the service passed 80 and 100 %, ``refused`` the turns refused;
    ``estimated`` and ``recorded`` are prompt tokens of the same turns. ``tell``
    hears of 80 and 100 %, once a day in each process; it must not wait.
    """

    def __init__(
        self,
        ledger: Ledger,
        budgets: Budgets,
        max_output_tokens: int,
        clock: Callable[[], float] = time.time,
        tokenizer: Tokenizer = Tokenizer.OPENAI,
        *,
        counts_alike: bool = True,
        tell: Callable[[NoticeType], object] = _tell_nobody,
    ) -> None:
        self.tokenizer = tokenizer
        self.sizes = PromptSizes(tokenizer, counts_alike=counts_alike)
        self._ledger = ledger
        self._budgets = budgets
        self.max_output_tokens = max_output_tokens
        self._clock = clock
        self._service = account("service", limit=budgets.service)
        self._notify = tell
        self._told: set[tuple[str, str]] = set()
        self.counters: Counter[str] = Counter()

    @property
    def budget(self) -> int:
        """The whole service's tokens a day; 0 is no limit."""
        return self._budgets.service

    @property
    def spent_today(self) -> int:
        """What is held or spent of them, as far as this worker knows."""
        return self._ledger.spent(self._today(), self._service)

    def reserve(
        self, client: str, session_id: str, prompt: Sequence[PromptMessage]
    ) -> "Reservation":
        """Take what a prompt and the longest answer to it may cost.

        Raises:
            BudgetExhausted: the service has spent its day's budget.
            DailyLimitReached: the client or the session has.
            StorageUnavailable: nobody knows what the day has cost so far.
        """
        accounts = [self._service]
        if self._budgets.client:
            accounts.append(account("client", client, self._budgets.client))
        if self._budgets.session:
            accounts.append(account("session", session_id, self._budgets.session))
        prompt_tokens = estimate_prompt(prompt, self.tokenizer)
        day = self._today()
        try:
            hold = self._ledger.hold(day, accounts, prompt_tokens + self.max_output_tokens)
        except AccountFull as full:
            raise self._refusal(full.account) from full
        self._watch(day)
        return Reservation(self, hold, session_id, prompt_tokens)

    def extend(self, hold: Hold, tokens: int) -> Hold:
        """Take more for the same turn.

        Raises:
            BudgetExhausted, DailyLimitReached: see ``reserve``.
        """
        try:
            return self._ledger.extend(hold, tokens)
        except AccountFull as full:
            raise self._refusal(full.account) from full

    def try_extend(self, hold: Hold, tokens: int) -> Hold | None:
        """Take more for the same turn, if there is that much: nobody is refused for it."""
        try:
            return self._ledger.extend(hold, tokens)
        except AccountFull:
            return None

    def settle(self, hold: Hold, tokens: int) -> None:
        """Replace what was taken by what was spent."""
        self._ledger.settle(hold, tokens)
        self._watch(hold.day)

    def _today(self) -> str:
        return datetime.fromtimestamp(self._clock(), UTC).date().isoformat()

    def _refusal(self, full: Account) -> ServiceError:
        self.counters["refused"] += 1
        until_midnight_s = _DAY_S - self._clock() % _DAY_S
        if full.name != self._service.name:
            return DailyLimitReached(retry_after_s=until_midnight_s)
        self._tell("exhausted", "The day's budget of %d tokens is spent", self.budget)
        return BudgetExhausted(self._budgets.exhausted_message, retry_after_s=until_midnight_s)

    def _watch(self, day: str) -> None:
        budget = self.budget
        if budget and self._ledger.spent(day, self._service) >= WARN_SHARE * budget:
            self._tell("near", "80 %% of the day's budget of %d tokens is spent", budget)

    def _tell(self, what: str, sentence: str, budget: int) -> None:
        day = self._today()
        if (day, what) not in self._told:
            self._told = {told for told in self._told if told[0] == day} | {(day, what)}
            self.counters[what] += 1
            log.warning(sentence, budget)
            self._notify("budget.warning" if what == "near" else "budget.exhausted")


class Reservation:
    """What one turn was let in with: settle it, and give it back when the turn has ended.

    ``on_return`` hears of that once.
    """

    __slots__ = (
        "_hold",
        "_is_returned",
        "_is_settled",
        "_meter",
        "_prompt_tokens",
        "_sent",
        "_session_id",
        "on_return",
    )

    def __init__(self, meter: Meter, hold: Hold, session_id: str, prompt_tokens: int) -> None:
        self.on_return: Callable[[], None] = _nothing
        self._meter = meter
        self._hold = hold
        self._session_id = session_id
        self._prompt_tokens = prompt_tokens
        self._sent: SentPrompt | None = None
        self._is_settled = False
        self._is_returned = False

    def fit(self, said: Prompt, max_tokens: int, join: Join) -> tuple[Prompt, int]:
        """Return the prompt of a conversation, and how many tokens it has at most."""
        prompt, self._sent = self._meter.sizes.fit(self._session_id, said, max_tokens, join)
        return prompt, self._sent.tokens

    def cover(self, prompt_tokens: int) -> None:
        """Take more where the prompt is longer than what was reserved for.

        Raises:
            BudgetExhausted, DailyLimitReached: the former reservation stands.
        """
        if prompt_tokens > self._prompt_tokens:
            more = prompt_tokens - self._prompt_tokens
            self._hold = self._meter.extend(self._hold, more)
            self._prompt_tokens = prompt_tokens

    def cover_again(self, answer_tokens: int) -> bool:
        """Take what the same prompt costs once more, with an answer of so many tokens.

        Answers whether the budget has that much left.
        """
        hold = self._meter.try_extend(self._hold, self._prompt_tokens + answer_tokens)
        self._hold = hold or self._hold
        return hold is not None

    def estimate(
        self, usage: Usage | None, answer_tokens: int, first_failure: ModelFailure | None = None
    ) -> int:
        """Return what an attempt cost that took all of its ``answer_tokens``.

        ``first_failure`` is of the model that was asked before, in vain.
        """
        first = self._price_of_nothing(first_failure) if first_failure else 0
        if usage is not None and usage.prompt_tokens > 0:
            return first + usage.prompt_tokens + usage.completion_tokens
        return first + self._prompt_tokens + answer_tokens

    def price(self, spending: Spending) -> int:
        """Return what a turn is charged with: never less than what the provider counts.

        That is what it told. Where it told nothing, it is the most that the
        prompt and what was said can be; and where nobody knows what else the
        model said or thought, because it was left or broke off or its thoughts were
        not counted, all that was taken. A model that was asked first and in vain is
        paid for, too.
        Nothing where the provider charges for nothing: the model was not
        asked, not reached, or refused.
        """
        usage, failure = spending.usage, spending.failure
        earlier = spending.earlier_tokens
        attempts = failure.attempts if isinstance(failure, ModelFailure) else ()
        if attempts:
            failure = attempts[-1]
            earlier += sum(map(self._price_of_nothing, attempts[:-1]))
        elif spending.first_failure is not None:
            earlier += self._price_of_nothing(spending.first_failure)
        is_unknown = spending.was_cut or _may_have_said_more(failure)
        # Some servers send a usage of nought.
        if usage is not None and usage.prompt_tokens > 0:
            return earlier + self._recorded(usage, spending, is_unknown=is_unknown)
        is_free = isinstance(failure, ModelFailure) and failure.is_free
        has_nothing = not (spending.said or spending.has_thought)
        if not spending.was_asked or (is_free and has_nothing):
            return earlier
        said = max(estimate_text(spending.said, self._meter.tokenizer), spending.delta_count)
        if is_unknown or spending.has_thought or isinstance(failure, ModelInterrupted):
            said = max(said, self._answer_tokens_left(spending))
        return earlier + self._prompt_tokens + said

    def _answer_tokens_left(self, spending: Spending) -> int:
        """Return what was taken for the answer, beside the prompt and a first attempt."""
        return self._hold.tokens - spending.earlier_tokens - self._prompt_tokens

    def _price_of_nothing(self, failure: ModelFailure) -> int:
        """Return what a model cost at most that failed before its first word."""
        if failure.is_free:
            return 0
        if _may_have_said_more(failure):
            return self._prompt_tokens + self._meter.max_output_tokens
        return self._prompt_tokens

    def _recorded(self, usage: Usage, spending: Spending, *, is_unknown: bool) -> int:
        self._meter.counters["estimated"] += self._prompt_tokens
        self._meter.counters["recorded"] += usage.prompt_tokens
        if self._sent is not None:
            self._meter.sizes.learn(self._session_id, self._sent, usage.prompt_tokens)
        # Some servers tell the usage as they go: a count below that of the deltas is an early one.
        said = usage.completion_tokens
        if is_unknown:
            said = max(said, self._answer_tokens_left(spending))
        if said < spending.delta_count:
            said = max(estimate_text(spending.said, self._meter.tokenizer), spending.delta_count)
        return usage.prompt_tokens + said

    def settle(self, spending: Spending) -> int:
        """Pay for what the turn did, and return how many tokens that was."""
        tokens = self.price(spending)
        self._pay(tokens)
        return tokens

    def give_back(self) -> None:
        """Give back all that was taken and not paid for. Again, it does nothing."""
        if not self._is_returned:
            self._is_returned = True
            self._pay(0)
            self.on_return()

    def _pay(self, tokens: int) -> None:
        if not self._is_settled:
            self._is_settled = True
            self._meter.settle(self._hold, tokens)


def _nothing() -> None: ...


def _may_have_said_more(failure: ServiceError | None) -> bool:
    """Tell whether a model that failed may have said, or thought, more than came."""
    if isinstance(failure, ModelInterrupted) and failure.ran_out:
        return False  # it said all that it might
    broke = isinstance(failure, ModelTimeout | ModelInterrupted)
    return broke or (isinstance(failure, ModelFailure) and failure.has_spoken)
