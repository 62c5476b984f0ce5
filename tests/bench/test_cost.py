"""What a token and a turn cost, as ratios to nginx in the same run: a guard, not a benchmark.

``make bench`` measures properly, and holds ours to much less (``bench/RESULTS.md``). The
margins here are wide, and the best of a few runs counts: other programs share the machine.
"""

from pathlib import Path
from typing import Any

import pytest

from bench.runs import visit
from bench.targets import TARGETS, make_certificate, upstream

pytestmark = pytest.mark.live

RUNS = 3
# A quiet machine shows 1.4 floors a token, and 25 a turn.
TOKEN_IN_FLOORS, TURN_IN_FLOORS = 2.2, 45.0

SCENES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "cpu_us_per_token": (
        {"tokens": 200, "gap_ms": 25},
        {"streams": 100, "tokens": 200, "ramp_s": 0.5, "warm_s": 0.7, "window_s": 2.0},
    ),
    "cpu_ms_per_turn": (
        {"tokens": 1},
        {"streams": 8, "tokens": 1, "warm_s": 0.5, "window_s": 1.5},
    ),
}
AT_MOST = {"cpu_us_per_token": TOKEN_IN_FLOORS, "cpu_ms_per_turn": TURN_IN_FLOORS}


def test_a_token_and_a_turn_cost_a_few_floors(tmp_path: Path) -> None:
    best = dict.fromkeys(SCENES, float("inf"))
    certificate = make_certificate(tmp_path)

    for _ in range(RUNS):
        floor, ours = (measure(name, tmp_path, certificate) for name in ("nginx", "perch"))
        for figure in SCENES:
            best[figure] = min(best[figure], ours[figure] / floor[figure])
        if all(best[figure] <= AT_MOST[figure] for figure in SCENES):
            break

    print({figure: round(ratio, 2) for figure, ratio in best.items()})
    for figure, ratio in best.items():
        assert ratio <= AT_MOST[figure], f"{figure}: {ratio:.1f} floors"


def measure(name: str, directory: Path, certificate: Path) -> dict[str, float]:
    """Return the figures of one server, which made no mistake."""
    found: dict[str, float] = {}
    with (
        upstream(certificate) as source,
        TARGETS[name](source, directory, certificate) as target,
    ):
        visit(source, target, {"tokens": 20}, {"streams": 8, "tokens": 20, "window_s": 0.5})
        for figure, (pace, load) in SCENES.items():
            seen = visit(source, target, pace, load)
            assert seen["faults"] == {}, seen["faults"]
            found[figure] = seen[figure]
    return found
