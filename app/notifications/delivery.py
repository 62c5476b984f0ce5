"""What a target of notices is, and what a sender remembers of it between two attempts."""

import random
from collections.abc import Callable
from typing import NamedTuple, Protocol

from app.notifications.facts import Facts

# Grows over a day, as Standard Webhooks recommends; after the last pause nobody tries again.
PAUSES_S = (5, 30, 120, 600, 1800, 3600, 7200, 10_800, 14_400, 14_400, 14_400, 14_400)
_LONGEST_WAIT_S = 24 * 3600
_JITTER = 0.2


class NotYet(Exception):
    """A notice is for later: ``at`` is in ms since the Unix epoch. No attempt was made."""

    def __init__(self, at: int) -> None:
        super().__init__(f"not before {at}")
        self.at = at


class NotTaken(Exception):
    """An attempt was in vain; the text says why, for the owner, and tells no secret.

    ``problem`` is all of it that a log may have: in what the receiver ``said`` may be words and
    addresses of others. Where ``is_final``, no other attempt can be better. ``retry_after_s``
    is what the receiver asked for.
    """

    def __init__(
        self,
        problem: str,
        *,
        said: str = "",
        retry_after_s: float | None = None,
        is_final: bool = False,
    ) -> None:
        super().__init__(f"{problem} {said}".rstrip())
        self.problem = problem
        self.retry_after_s = retry_after_s
        self.is_final = is_final


class Target(Protocol):
    """Somebody who is told."""

    @property
    def name(self) -> str:
        """``webhook``, ``email``, ``chat`` or ``visitor``."""
        ...

    def is_for(self, facts: Facts) -> bool:
        """Tell whether this kind of notice is any business of the target."""
        ...

    def send(self, facts: Facts) -> None:
        """Tell; returns when the receiver has taken it, or need not be told any more.

        Raises:
            NotYet: it must wait.
            NotTaken: the receiver did not take it.
        """
        ...


class Pending(NamedTuple):
    """A target that has not taken a notice, as it stands in ``Notice.pending``.

    ``not_before`` is in ms. One that ``is_over`` is not tried again.
    """

    name: str
    failed: int = 0
    not_before: int = 0
    is_over: bool = False

    @classmethod
    def parse(cls, text: str) -> "Pending":
        """Read one back; of whatever else stands there, the name."""
        name, _, rest = text.partition(":")
        failed, _, when = rest.partition(":")
        return cls(
            name,
            int(failed) if failed.isdigit() else 0,
            int(when) if when.isdigit() else 0,
            when == "-",
        )

    def __str__(self) -> str:
        """Return what ``parse`` reads."""
        if not (self.failed or self.not_before or self.is_over):
            return self.name
        return f"{self.name}:{self.failed}:{'-' if self.is_over else self.not_before}"

    def put_off(self, at: int) -> "Pending":
        """Return the same, not to be tried before a time."""
        return self._replace(not_before=at)

    def after(
        self, failure: NotTaken, now: int, draw: Callable[[], float] = random.random
    ) -> "Pending":
        """Return what becomes of it after an attempt in vain; ``draw`` is for the jitter."""
        failed = self.failed + 1
        if failure.is_final or failed > len(PAUSES_S):
            return Pending(self.name, failed, is_over=True)
        pause_s = PAUSES_S[failed - 1] * (1 + _JITTER * (2 * draw() - 1))
        wait_s = max(pause_s, min(failure.retry_after_s or 0.0, _LONGEST_WAIT_S))
        return Pending(self.name, failed, now + int(wait_s * 1000))
