"""Admissions for tests that are about something else: everybody may come in, nothing is scarce."""

from collections.abc import Callable

from app.assistants import Assistant
from app.completion.breaker import Breaker
from app.completion.protocol import CompletionModel
from app.domain.conversation import DEFAULT_ASSISTANT, PromptMessage
from app.domain.origin import AllowedOrigins
from app.domain.people import NoticeType
from app.limits.budget import Meter, Reservation
from app.limits.ledger import Ledger, MemoryLedger
from app.settings import AssistantSettings, BreakerPolicy, Budgets, TurnPolicy, VisitorLimits
from app.turns.admission import Admission
from tests.fakes import ScriptedModel

CLIENT = "192.0.2.7"
MAX_OUTPUT_TOKENS = 100
NO_BUDGETS = Budgets(service=0, client=0, session=0)


def a_meter(
    budgets: Budgets | None = None,
    ledger: Ledger | None = None,
    clock: Callable[[], float] = lambda: 1_800_000_000.0,
    tell: Callable[[NoticeType], object] = lambda _kind: None,
) -> Meter:
    """A meter; without budgets, one that only counts."""
    return Meter(
        ledger or MemoryLedger(lambda _day: 0), budgets or NO_BUDGETS, MAX_OUTPUT_TOKENS, clock,
        tell=tell,
    )  # fmt: skip


def an_assistant(
    model: CompletionModel | None = None,
    policy: TurnPolicy | None = None,
    meter: Meter | None = None,
    seats: int = 0,
    name: str = DEFAULT_ASSISTANT,
    keys: tuple[str, ...] = (),
) -> Assistant:
    model = model or ScriptedModel()
    return Assistant(
        settings=AssistantSettings(
            id=name,
            widget_api_keys=keys,
            turns=policy or TurnPolicy(),
            limits=VisitorLimits(streams_per_ip=seats),
        ),
        origins=AllowedOrigins(["*"]),
        model_name="scripted",
        model=model,
        fallback=None,
        asked=model,
        breaker=Breaker(BreakerPolicy()),
        check_models=lambda: None,
        meter=meter or a_meter(),
    )


def a_reservation(meter: Meter | None = None) -> Reservation:
    prompt = [PromptMessage("user", "Hello")]
    return Admission().admit(an_assistant(meter=meter), CLIENT, "session-1", prompt)
