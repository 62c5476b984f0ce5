"""What tokens cost: the owner's prices, by model."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

_MILLION = 1_000_000
# In US dollars, of OpenAI's pricing page on 2026-11-25, for prompts below 272,000 tokens.
DEFAULT_PRICES = (
    "USD gpt-6-luna=0.10/0.50, gpt-6-sol=2/10, gpt-6-astra=10/50, "
    "gpt-6.1-sol=2/10, gpt-6.1-terra=1/5, "
    "gpt-5.6-luna=0.20/1.20, gpt-5.6-terra=2/12, gpt-5.6-sol=4/20, "
    "gpt-4.1-nano=0.10/0.40, gpt-4.1-mini=0.40/1.60, gpt-4.1=2/8"
)
# A sign, or a code of three letters with a blank behind it.
_CURRENCY = re.compile(r"\s*(?:([A-Z]{3})\s+|([$\u00a2-\u00a5\u20a0-\u20cf])\s*)")


@dataclass(frozen=True, slots=True)
class Price:
    """The money for a million tokens, in the owner's currency."""

    prompt: Decimal
    completion: Decimal

    def cost(self, prompt_tokens: int, completion_tokens: int) -> Decimal:
        """Return what these tokens cost."""
        return (self.prompt * prompt_tokens + self.completion * completion_tokens) / _MILLION


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices by the beginning of a model's name.

    ``currency`` is a sign (``€``), a code (``CHF``), or nothing.
    """

    by_name: Mapping[str, Price]
    currency: str = ""

    @classmethod
    def parse(cls, text: str) -> "Prices":
        """Read ``EUR gpt-4.1-mini=0.40/1.60, gpt-4.1=2/8``: prompt before completion.

        Raises:
            ValueError: with the part that cannot be read.
        """
        found = _CURRENCY.match(text)
        named = text[found.end() :] if found else text
        parts = [part.strip() for part in named.split(",") if part.strip()]
        return cls(dict(_parse(part) for part in parts), found[1] or found[2] if found else "")

    def of(self, model: str) -> Price | None:
        """Return a model's price: of the longest name that the model's begins with.

        Providers report ``gpt-4.1-mini-2025-04-14`` for ``gpt-4.1-mini``.
        """
        names = [name for name in self.by_name if model.startswith(name)]
        return self.by_name[max(names, key=len)] if names else None

    def cost(self, model: str, prompt_tokens: int, completion_tokens: int) -> Decimal | None:
        """Return what a model's tokens cost; ``None`` where the owner named no price."""
        price = self.of(model)
        return None if price is None else price.cost(prompt_tokens, completion_tokens)


def _parse(part: str) -> tuple[str, Price]:
    name, is_given, amounts = part.rpartition("=")
    prompt, _, completion = amounts.partition("/")
    try:
        price = Price(Decimal(prompt.strip()), Decimal(completion.strip()))
    except InvalidOperation:
        raise ValueError(part) from None
    amounts_ok = all(each.is_finite() and each >= 0 for each in (price.prompt, price.completion))
    # No name has one: it stands where a comma or the blank behind the currency should.
    if not (is_given and name.strip() and amounts_ok) or ";" in name:
        raise ValueError(part)
    return name.strip(), price
