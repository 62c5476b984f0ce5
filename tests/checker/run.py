"""One run of the checker: visitors, trouble, and the comparison afterwards."""

import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.checker.absence import LATE_S, overdue_s
from tests.checker.comparison import compare
from tests.checker.ledger import HOLDING, Conversation, Row, Verdict
from tests.checker.people import Operator
from tests.checker.trouble import Trouble
from tests.checker.visitor import Visitor
from tests.convex_server import ConvexServer, run_convex_server
from tests.live.eventually import eventually
from tests.servers.perch import ADMIN_KEY
from tests.servers.planted_server import PlantedServer
from tests.servers.upstream import Request, Upstream

# Short, so that what a killed worker held is soon free again.
GRACE_S = 0.5
DEADLINES = {
    "TURN_TIMEOUT_S": "3",
    "LEASE_GRACE_S": "0.5",
    "BUSY_WAIT_S": "1",
    "LEAVE_GRACE_S": str(GRACE_S),
    "STORAGE_TIMEOUT_S": "1.2",
    "MODEL_READ_TIMEOUT_S": "1",
    "GRACEFUL_TIMEOUT": "4",
}
PEOPLE = {"HUMAN": "on", "HOLDING_MESSAGE": HOLDING}
# What is found for every question.
PAGE = {"title": "Upstream", "text": "Each question has an upstream, and tokens with a gap."}
KNOWLEDGE = "/v1/admin/knowledge"
LEARN_S = 30.0
WORKERS = 2
CALM_DOWN_S = 60.0
SPOOL_S = 60.0


@dataclass(frozen=True)
class Plan:
    """How long, how many, how eager."""

    seconds: float
    visitors: int = 12
    think_s: float = 0.05
    pause_s: float = 0.3  # between two faults
    turns: int = 1_000_000  # of a visitor, before another one takes its place
    is_storm: bool = True
    seed: int = 1


@dataclass
class Outcome:
    """What a run came to; ``overdue_s`` is by how much an answer outlived its grace at most."""

    verdict: Verdict
    questions: int
    acknowledged: int
    repeated: int
    left: int
    came_back: int
    beside: int
    handoffs: int
    replies: int
    overdue_s: float
    struck: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        faults = ", ".join(f"{name} {count}" for name, count in sorted(self.struck.items()))
        return (
            f"{self.questions} questions, {self.acknowledged} answers acknowledged, "
            f"{self.repeated} repetitions, {self.left} left, {self.came_back} came back, "
            f"{self.beside} read on a second device, {self.handoffs} met a person, "
            f"{self.replies} replies; at most {self.overdue_s:.2f} s beyond the grace; "
            f"faults: {faults or 'none'}\n"
            f"{self.verdict}"
        )


@contextmanager
def stage(store: str) -> Iterator[tuple[PlantedServer, Upstream, ConvexServer | None]]:
    """Start everything that a run needs, over SQLite or over Convex."""
    with ExitStack() as stack:
        upstream = stack.enter_context(Upstream())
        settings = {**DEADLINES, **PEOPLE, "WEB_CONCURRENCY": str(WORKERS)}
        # Of this server alone: in it lie the sockets by which its workers speak.
        settings["TMPDIR"] = stack.enter_context(tempfile.TemporaryDirectory(prefix="checker-"))
        convex = None
        if store == "convex":
            convex = stack.enter_context(run_convex_server())
            settings |= {"CONVEX_URL": convex.url, "CONVEX_DEPLOY_KEY": convex.deploy_key}
        server = stack.enter_context(PlantedServer.over(upstream, **settings))
        eventually(lambda: len(server.workers) == WORKERS)
        _learn(server)
        yield server, upstream, convex


def _learn(server: PlantedServer) -> None:
    def send(path: str, body: dict[str, str]) -> Any:
        sent = server.request("POST", KNOWLEDGE + path, body, x_admin_api_key=ADMIN_KEY)
        assert sent.status == 200, sent
        return sent.json

    send("/texts", PAGE)
    eventually(lambda: send("/ask", {"question": "Upstream?"})["passages"], within_s=LEARN_S)


def run(
    server: PlantedServer,
    upstream: Upstream,
    convex: ConvexServer | None,
    plan: Plan,
    watch: Callable[[], None] = lambda: None,
) -> Outcome:
    """Let visitors ask while trouble strikes; then compare. ``watch`` is called in between."""
    chance = random.Random(plan.seed)
    trouble = Trouble(server, upstream, convex, chance)
    crowd = _Crowd(server, plan, chance)
    operator = Operator(server, chance)
    operator.start()
    deadline = time.monotonic() + plan.seconds
    while time.monotonic() < deadline:
        crowd.fill()
        time.sleep(plan.pause_s)
        if plan.is_storm:
            trouble.strike()
        watch()
    crowd.calm_down()
    operator.stop()
    return _outcome(server, upstream, crowd.everybody, operator, trouble)


def _outcome(
    server: PlantedServer,
    upstream: Upstream,
    visitors: Sequence[Visitor],
    operator: Operator,
    trouble: Trouble,
) -> Outcome:
    conversations = [visitor.conversation for visitor in visitors]
    asked = [each for conversation in conversations for each in conversation.asked]
    verdict = compare(conversations, read_all(server, conversations), operator.replies)
    overdue = list(overdue_s(asked, _written(upstream), time.monotonic()))
    late = [f"{each.turn_id}: {by_s:.2f} s" for each, by_s in overdue if by_s > LATE_S]
    verdict.outliving.extend(late)
    return Outcome(
        verdict=verdict,
        questions=len(asked),
        acknowledged=sum(visitor.acknowledged for visitor in visitors),
        repeated=sum(max(0, each.attempts - 1) for each in asked),
        left=sum(visitor.left for visitor in visitors),
        came_back=sum(visitor.came_back for visitor in visitors),
        beside=sum(visitor.beside for visitor in visitors),
        handoffs=sum(visitor.handoffs for visitor in visitors),
        replies=sum(each.stored for said in operator.replies.values() for each in said),
        overdue_s=max((by_s for _, by_s in overdue), default=0.0),
        struck=trouble.struck,
    )


def _written(upstream: Upstream) -> dict[str, list[Request]]:
    """Return the requests to the model by their question."""
    found: dict[str, list[Request]] = {}
    for request in upstream.requests:
        # Before it stand passages, and what was not answered.
        question = request.prompt[-1][1].rpartition("\n")[2]
        found.setdefault(question, []).append(request)
    return found


class _Crowd:
    """So many visitors at a time; who has asked enough is replaced."""

    def __init__(self, server: PlantedServer, plan: Plan, chance: random.Random) -> None:
        self._server = server
        self._plan = plan
        self._chance = chance
        self.everybody: list[Visitor] = []

    def fill(self) -> None:
        here = sum(visitor.is_alive() for visitor in self.everybody)
        for _ in range(self._plan.visitors - here):
            visitor = Visitor(
                self._server,
                f"s-{self._plan.seed}-{len(self.everybody)}",
                think_s=self._plan.think_s,
                turns=self._plan.turns,
                grace_s=GRACE_S,
                chance=random.Random(self._chance.random()),
            )
            self.everybody.append(visitor)
            visitor.start()

    def calm_down(self) -> None:
        """Let everybody finish the question that they are at."""
        for visitor in self.everybody:
            visitor.stop()
        deadline = time.monotonic() + CALM_DOWN_S
        for visitor in self.everybody:
            visitor.join(max(0.0, deadline - time.monotonic()))
        late = [visitor for visitor in self.everybody if visitor.is_alive()]
        for visitor in late:
            visitor.give_up()
        assert not late, f"{len(late)} questions are not answered after {CALM_DOWN_S} s of calm"


def read_all(server: PlantedServer, conversations: Sequence[Conversation]) -> dict[str, list[Row]]:
    """Read what is stored, when the spool has nothing more to store."""
    spool = server.directory / "data" / "spool"
    eventually(lambda: not _files(spool), within_s=SPOOL_S)
    return {
        each.id: [Row.of(message) for message in server.messages(each.id)]
        for each in conversations
        if each.id is not None
    }


def _files(spool: Path) -> list[Path]:
    return list(spool.glob("*.json")) if spool.is_dir() else []
