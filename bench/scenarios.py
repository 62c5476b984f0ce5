"""What is measured, as a table."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.dialects import OTHERS

GAP_MS = 50  # 20 tokens a second: a fast model


@dataclass(frozen=True)
class Scenario:
    """A pace of the upstream, and what the load generator does meanwhile."""

    name: str
    measures: str
    pace: Mapping[str, Any]
    load: Mapping[str, Any]
    tls: bool = False
    targets: tuple[str, ...] = ("nginx", "perch")
    shows: tuple[str, ...] = field(default=())


def hold(name: str, streams: int, measures: str, *, tls: bool = False, **more: Any) -> Scenario:
    """Streams that outlive the window: no turn begins or ends in it."""
    ramp_s = 1.0 + streams / 150
    warm_s, window_s = 1.5, 4.0
    tokens = int((ramp_s + warm_s + window_s + 1.0) * 1000 / GAP_MS)
    shows = ("cpu_us_per_token", "added_ms_p50", "added_ms_p99", "gap_ms_p99", "kib_per_stream")
    return Scenario(
        name,
        measures,
        {"tokens": tokens, "first_ms": 5, "gap_ms": GAP_MS},
        {
            "streams": streams,
            "tokens": tokens,
            "ramp_s": ramp_s,
            "warm_s": warm_s,
            "window_s": window_s,
        },
        tls=tls,
        shows=shows,
        **more,
    )


def turns(name: str, measures: str, targets: tuple[str, ...], **pace: Any) -> Scenario:
    """Answers of one token, one after another: what a turn costs beside its tokens."""
    return Scenario(
        name,
        measures,
        {"tokens": 1, **pace},
        {"streams": 8, "tokens": 1, "warm_s": 1.0, "window_s": 3.0},
        targets=targets,
        shows=("cpu_ms_per_turn", "turns_per_s", "first_ms_p50"),
    )


SCENARIOS = (
    hold("hold200", 200, "200 streams of 20 tokens/s"),
    hold("hold1000", 1000, "1,000 streams of 20 tokens/s, and the memory of each"),
    hold("tls", 200, "200 streams, the model behind TLS", tls=True),
    hold(
        "protocols",
        200,
        "200 streams, in each protocol",
        targets=("perch", *(f"perch {name}" for name in OTHERS)),
    ),
    turns("turn", "a turn of one token, both calls of storage over HTTP", ("nginx", "perch")),
    turns("turn30", "the same with 30 messages of history", ("perch",), history=30),
    turns("turn-sqlite", "the same over a SQLite file", ("perch-sqlite",)),
    Scenario(
        "ttft",
        "one visitor: from the request to the model's request",
        {"tokens": 20, "first_ms": 20, "gap_ms": 2},
        {"streams": 1, "tokens": 20, "window_s": 3.0},
        shows=("before_ms_p50", "before_ms_p99", "added_ms_p50"),
    ),
    Scenario(
        "load",
        "64 visitors, storage 10 ms away, the model 200 ms",
        {"tokens": 40, "first_ms": 200, "gap_ms": 10, "storage_ms": 10},
        {"streams": 64, "tokens": 40, "ramp_s": 0.6, "warm_s": 1.2, "window_s": 4.0},
        targets=("perch",),
        shows=("first_ms_p50", "first_ms_p99", "before_ms_p50", "turns_per_s"),
    ),
    hold("knee1500", 1500, "1,500 streams on one worker", targets=("perch",)),
    hold("knee2000", 2000, "2,000 streams on one worker", targets=("perch",)),
)
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
