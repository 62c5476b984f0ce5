"""Groups of settings, as the parts of the service take them."""

from dataclasses import dataclass

from app.settings.addresses import Reader
from app.settings.reader import secret, variable

DEFAULT_SYSTEM_PROMPT = (
    "You are a concise, helpful assistant in the support chat of a website. "
    "Answer in the language of the question, in Markdown where it helps."
)
TURN_TIMEOUT_S = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnPolicy:
    """What every turn is held to, and the owner's words.

    ``lease_grace_s`` is how long after its deadline a turn still owns its session, so
    that a slow write is not overtaken; ``refusal_message`` stands in where the model
    refuses without a word.
    """

    system_prompt: str = secret(Reader.text_or, "SYSTEM_PROMPT", DEFAULT_SYSTEM_PROMPT)
    max_output_tokens: int = variable(Reader.whole, "MAX_OUTPUT_TOKENS", 800, 1, 1_000_000)
    history_limit: int = variable(Reader.whole, "MAX_HISTORY_MESSAGES", 30, 1, 1000)
    max_prompt_tokens: int = variable(Reader.whole, "MAX_PROMPT_TOKENS", 8000, 100, 10_000_000)
    refusal_message: str = variable(Reader.text_or, "REFUSAL_MESSAGE", "I can't help with that.")
    turn_timeout_s: float = variable(Reader.seconds, "TURN_TIMEOUT_S", TURN_TIMEOUT_S)
    busy_wait_s: float = variable(Reader.seconds, "BUSY_WAIT_S", 5, 0.0)
    heartbeat_s: float = variable(Reader.seconds, "HEARTBEAT_S", 12)
    lease_grace_s: float = variable(Reader.seconds, "LEASE_GRACE_S", 10)
    max_running: int = variable(Reader.whole, "MAX_STREAMS", 1500, 1, 100_000)
    # At most 800 KB: a message must fit into one document of Convex (1 MiB).
    max_answer_chars: int = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerPolicy:
    """After how many failures in a row a breaker opens (0: never), and for how long.

    ``owner_pause_s`` is for what only the owner can mend: key, quota, name. A
    probe that never ends, for a visitor who holds it, keeps others out for
    ``probe_patience_s``: as long as a model may take for its first word.
    """

    failures: int = variable(Reader.limit, "BREAKER_FAILURES", 5)
    pause_s: float = variable(Reader.seconds, "BREAKER_PAUSE_S", 10)
    owner_pause_s: float = variable(Reader.seconds, "BREAKER_OWNER_PAUSE_S", 120)
    probe_patience_s: float = 30.0
