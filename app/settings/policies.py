"""Groups of settings, as the parts of the service take them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from ipaddress import IPv4Network, IPv6Network
from typing import Any

from app.domain.opening_hours import OpeningHours
from app.domain.shutdowns import describe_shutdown, known_shutdown
from app.settings.addresses import Reader
from app.settings.contradictions import DEVELOPMENT_WIDGET_KEY
from app.settings.declaring import group, secret, variable

DEFAULT_SYSTEM_PROMPT = (
    "You are a concise, helpful assistant in the support chat of a website. "
    "Answer in the language of the question, in Markdown where it helps."
)
OPENAI_URL = "https://api.openai.com/v1"
DEFAULT_MODEL = "gpt-6-luna"
TURN_TIMEOUT_S = 120
_READ_TIMEOUT_S = 30
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


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
    leave_grace_s: float = variable(Reader.seconds, "LEAVE_GRACE_S", 15, 0.0)
    lease_grace_s: float = variable(Reader.seconds, "LEASE_GRACE_S", 10)
    # At most 800 KB: a message must fit into one document of Convex (1 MiB).
    max_answer_chars: int = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerPolicy:
    """After how many failures in a row a breaker opens (0: never), and for how long.

    ``owner_pause_s`` is for what only the owner can mend: key, quota, name. While an
    open breaker lets one turn try the model, others are refused, for ``probe_patience_s``
    at most: as long as a model may take for its first word.
    """

    failures: int = variable(Reader.limit, "BREAKER_FAILURES", 5)
    pause_s: float = variable(Reader.seconds, "BREAKER_PAUSE_S", 10)
    owner_pause_s: float = variable(Reader.seconds, "BREAKER_OWNER_PAUSE_S", 120)
    probe_patience_s: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """Which model answers, where, how it is asked, and which one where it does not answer."""

    api_key: str | None = secret(Reader.vendor_key, "OPENAI_API_KEY")
    name: str = variable(Reader.text_or, "OPENAI_MODEL", DEFAULT_MODEL)
    base_url: str | None = variable(Reader.url, "OPENAI_BASE_URL")
    reasoning_effort: str | None = variable(Reader.word_of, "OPENAI_REASONING_EFFORT", *_EFFORTS)
    extra_body: Mapping[str, Any] = variable(Reader.extra_body, "OPENAI_EXTRA_BODY")
    extra_headers: Mapping[str, str] = secret(Reader.extra_headers, "OPENAI_EXTRA_HEADERS")
    fallback_name: str | None = variable(Reader.text, "OPENAI_FALLBACK_MODEL")
    fallback_base_url: str | None = variable(Reader.url, "OPENAI_FALLBACK_BASE_URL")
    fallback_api_key: str | None = secret(Reader.vendor_key, "OPENAI_FALLBACK_API_KEY")
    connect_timeout_s: float = variable(Reader.seconds, "MODEL_CONNECT_TIMEOUT_S", 3)
    first_token_timeout_s: float = variable(
        Reader.first_token_s, "MODEL_FIRST_TOKEN_TIMEOUT_S", _READ_TIMEOUT_S, TURN_TIMEOUT_S
    )
    read_timeout_s: float = variable(Reader.seconds, "MODEL_READ_TIMEOUT_S", _READ_TIMEOUT_S)

    def __repr__(self) -> str:
        """Say little: keys stand here."""
        return f"ModelSettings({self.name!r})"

    @property
    def is_real(self) -> bool:
        """Whether a real model answers: without a key, a server of the owner's own."""
        return bool(self.api_key or self.base_url)

    @property
    def has_fallback(self) -> bool:
        """Whether another model answers where the first does not."""
        return self.is_real and self.fallback_name is not None

    @property
    def url(self) -> str:
        """Where the model is asked."""
        return self.base_url or OPENAI_URL

    @property
    def fallback_url(self) -> str:
        """Where the fallback is asked: at the first model's server unless it has its own."""
        return self.fallback_base_url or self.url

    @property
    def asked(self) -> tuple[tuple[str, str], ...]:
        """The servers that are asked, each behind what it is to us."""
        model, fallback = ("Model", self.url), ("Fallback", self.fallback_url)
        return (model, fallback) if self.has_fallback else (model,) * self.is_real

    def notice(self, today: date) -> str | None:
        """Return what is known of the model's end, for its owner."""
        if not self.is_real:
            return None
        return describe_shutdown(self.name, known_shutdown(self.name, self.url), today)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the widget shows before anything was said; ``None`` leaves it to the page's tag."""

    title: str | None = variable(Reader.text, "WIDGET_TITLE")
    welcome_message: str | None = variable(Reader.text, "WIDGET_WELCOME_MESSAGE")
    starters: tuple[str, ...] = variable(Reader.texts, "WIDGET_STARTERS", "", "|")


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitorLimits:
    """How often one address, or one session, may ask; 0 is no limit."""

    window_ms: int = variable(Reader.whole, "RATE_LIMIT_WINDOW_MS", 60_000, 1, 86_400_000)
    max_requests: int = variable(Reader.whole, "RATE_LIMIT_MAX_REQUESTS", 30, 1, 2**31)
    ip_per_day: int = variable(Reader.limit, "LIMIT_IP_PER_DAY", 1000)
    session_per_minute: int = variable(Reader.limit, "LIMIT_SESSION_PER_MINUTE", 20)
    session_per_day: int = variable(Reader.limit, "LIMIT_SESSION_PER_DAY", 300)
    new_sessions_per_hour: int = variable(Reader.limit, "LIMIT_NEW_SESSIONS_PER_HOUR", 60)
    streams_per_ip: int = variable(Reader.limit, "MAX_STREAMS_PER_IP", 20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budgets:
    """Tokens a UTC day, prompt and answer together; 0 is no limit."""

    service: int = variable(Reader.limit, "BUDGET_TOKENS_PER_DAY", 2_000_000)
    client: int = variable(Reader.limit, "BUDGET_TOKENS_PER_IP_DAY", 200_000)
    session: int = variable(Reader.limit, "BUDGET_TOKENS_PER_SESSION_DAY", 200_000)
    exhausted_message: str | None = variable(Reader.text, "BUDGET_EXHAUSTED_MESSAGE")


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgePolicy:
    """What an assistant learns of its owner's site, and how it answers from that.

    ``mode`` is ``off``, ``prefer`` (the model may answer beside the pages) or ``only``
    (where nothing is found, ``unknown_message`` is the answer). ``max_tokens`` bounds the
    passages of a turn. ``private_networks`` are those of an intranet that may be learnt.
    """

    site_url: str | None = variable(Reader.url, "SITE_URL")
    mode: str = variable(Reader.word_or, "GROUNDING", "prefer", "off", "prefer", "only")
    max_tokens: int = variable(Reader.whole, "GROUNDING_TOKENS", 1500, 100, 100_000)
    unknown_message: str = variable(
        Reader.text_or, "UNKNOWN_MESSAGE", "I could not find that on this site."
    )
    learn_every_h: float = variable(Reader.seconds, "LEARN_EVERY_H", 24, 0.0)
    learn_max_pages: int = variable(Reader.whole, "LEARN_MAX_PAGES", 500, 1, 50_000)
    private_networks: tuple[IPv4Network | IPv6Network, ...] = variable(
        Reader.networks, "LEARN_PRIVATE_NETWORKS"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PeoplePolicy:
    """Whether a person may take over, when one is there, and what visitors read meanwhile.

    ``mode`` is ``on``, ``off`` or ``auto``: on where somebody would hear of it or could
    answer (a notification target, or a password of the dashboard). Without ``hours``,
    nobody says when somebody is back.
    """

    mode: str = variable(Reader.word_or, "HUMAN", "auto", "auto", "on", "off")
    hours: OpeningHours | None = variable(Reader.opening_hours, "HUMAN_HOURS")
    holding_message: str = variable(
        Reader.text_or, "HOLDING_MESSAGE", "Your message was passed on. A person will answer here."
    )
    operator_name: str = variable(Reader.text_or, "OPERATOR_NAME", "Support")
    notify_email: tuple[str, ...] = variable(Reader.texts, "NOTIFY_EMAIL", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class AssistantSettings:
    """All that is one assistant's: who may ask it, what answers, and how much.

    ``id`` is what conversations, tokens and figures carry.
    """

    id: str
    widget_api_keys: tuple[str, ...] = secret(Reader.keys, "WIDGET_API_KEY", DEVELOPMENT_WIDGET_KEY)
    origins: tuple[str, ...] = variable(Reader.origins, "CORS_ORIGIN", "*")
    identity_secrets: tuple[str, ...] = secret(Reader.keys, "IDENTITY_SECRET")
    turns: TurnPolicy = group(TurnPolicy)
    model: ModelSettings = group(ModelSettings)
    breaker: BreakerPolicy = group(BreakerPolicy)
    look: Look = group(Look)
    knowledge: KnowledgePolicy = group(KnowledgePolicy)
    people: PeoplePolicy = group(PeoplePolicy)
    limits: VisitorLimits = group(VisitorLimits)
    budgets: Budgets = group(Budgets)

    def __repr__(self) -> str:
        """Say little: half of this is secret."""
        return f"AssistantSettings({self.id!r})"
