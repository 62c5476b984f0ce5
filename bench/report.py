"""From rounds to medians, a table and a verdict on every target."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.dialects import OTHERS
from bench.runs import Round
from bench.scenarios import BY_NAME

# By scenario, target and figure.
Medians = Mapping[str, Mapping[str, Mapping[str, Any]]]

TITLES = {
    "cpu_us_per_token": "CPU µs/token",
    "cpu_ms_per_turn": "CPU ms/turn",
    "turns_per_s": "turns/s",
    "added_ms_p50": "added ms p50",
    "added_ms_p99": "added ms p99",
    "gap_ms_p99": "gap ms p99",
    "kib_per_stream": "KiB/stream",
    "before_ms_p50": "before the model ms p50",
    "before_ms_p99": "before the model ms p99",
    "first_ms_p50": "first token ms p50",
    "first_ms_p99": "first token ms p99",
}


def medians(rounds: Sequence[Round]) -> Medians:
    """Return the median of each figure, and all faults."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for scenario in rounds[0]:
        for target in rounds[0][scenario]:
            runs = [each[scenario][target] for each in rounds]
            numbers = {
                name: statistics.median([run[name] for run in runs if run[name] is not None])
                for name in runs[0]
                if name != "faults" and any(run[name] is not None for run in runs)
            }
            faults = [fault for run in runs for fault in run["faults"].items()]
            found.setdefault(scenario, {})[target] = {**numbers, "faults": faults}
    return found


def to_table(found: Medians) -> str:
    """Return the medians as Markdown."""
    blocks = []
    for scenario, targets in found.items():
        shows = BY_NAME[scenario].shows
        head = ["", *(TITLES[name] for name in shows), "faults"]
        rows = [
            [target, *(_number(seen.get(name)) for name in shows), str(len(seen["faults"]))]
            for target, seen in targets.items()
        ]
        lines = [head, ["---"] * len(head), *rows]
        text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        blocks.append(f"**{scenario}**: {BY_NAME[scenario].measures}\n\n{text}\n")
    return "\n".join(blocks)


def to_comparison(found: Medians) -> str:
    """Return each figure as a ratio to the other checkout's, as Markdown; nothing without one."""
    rows = [
        f"| {scenario} | {TITLES[name]} | {seen[name] / before[name]:.3f} |"
        for scenario, targets in found.items()
        for target, seen in targets.items()
        if (before := targets.get(f"{target} before"))
        for name in BY_NAME[scenario].shows
        if seen.get(name) and before.get(name)
    ]
    head = ["| scenario | figure | now / before |", "|---|---|---|"]
    return "\n".join([*head, *rows, ""]) if rows else ""


@dataclass(frozen=True)
class Goal:
    """One target figure: what is looked at, and what it may be."""

    claim: str
    at_most: float
    look: Callable[[Medians], float]


def _ratio(
    scenario: str, name: str = "cpu_us_per_token", floor: str | None = None
) -> Callable[[Medians], float]:
    def look(found: Medians) -> float:
        return float(found[scenario]["perch"][name] / found[floor or scenario]["nginx"][name])

    return look


def _figure(scenario: str, name: str, target: str = "perch") -> Callable[[Medians], float]:
    return lambda found: float(found[scenario][target][name])


def _beside_ndjson(target: str) -> Callable[[Medians], float]:
    cpu = "cpu_us_per_token"
    return lambda found: float(found["protocols"][target][cpu] / found["protocols"]["perch"][cpu])


def _round_trips(found: Medians) -> float:
    pace = BY_NAME["load"].pace
    return float((found["load"]["perch"]["first_ms_p50"] - pace["first_ms"]) / pace["storage_ms"])


GOALS = (
    Goal("CPU per token at 200 streams, in floors", 1.6, _ratio("hold200")),
    Goal("CPU per token at 1,000 streams, in floors", 1.5, _ratio("hold1000")),
    Goal("CPU per token behind TLS, in floors", 1.8, _ratio("tls")),
    # Where nginx takes 0.03 ms a turn, and has asked the model after 0.2: 1 ms, and 2.
    Goal("CPU per turn, in floors", 33.0, _ratio("turn", "cpu_ms_per_turn")),
    Goal(
        "CPU per turn with 30 messages, in floors",
        33.0,
        _ratio("turn30", "cpu_ms_per_turn", floor="turn"),
    ),
    Goal("time before the model, in floors", 10.0, _ratio("ttft", "before_ms_p50")),
    Goal("KiB per stream at 1,000", 30.0, _figure("hold1000", "kib_per_stream")),
    Goal("p99 gap in ms at 1,500 streams", 100.0, _figure("knee1500", "gap_ms_p99")),
    Goal("storage round trips before the first token", 1.3, _round_trips),
    *(
        Goal(f"CPU per token in {name}, beside NDJSON", 1.25, _beside_ndjson(f"perch {name}"))
        for name in OTHERS
    ),
)


def to_verdict(found: Medians) -> str:
    """Return which goals are met, as Markdown; those that were not measured are left out."""
    lines = ["| goal | at most | measured | |", "|---|---|---|---|"]
    for goal in GOALS:
        try:
            value = goal.look(found)
        except KeyError:
            continue
        verdict = "met" if value <= goal.at_most else "**missed**"
        lines.append(f"| {goal.claim} | {goal.at_most:g} | {value:.2f} | {verdict} |")
    return "\n".join(lines) + "\n"


def _number(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.2f}"
