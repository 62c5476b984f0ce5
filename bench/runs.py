"""One visit of the load generator to one server in one scenario, and rounds of them."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.processes import OTHER_CORE, Process
from bench.scenarios import Scenario
from bench.targets import ROOT, TARGETS, FakeUpstream, Target, upstream

# By scenario, then by target.
Round = dict[str, dict[str, Any]]

WARM_UP = {"streams": 8, "tokens": 20, "warm_s": 0.0, "window_s": 1.0}


def run_rounds(
    scenarios: Sequence[Scenario], rounds: int, directory: Path, certificate: Path
) -> Iterator[Round]:
    """Yield each round: every scenario, and in it every target, one after the other.

    A target follows the floor in its scenario, so that a neighbour who wakes up
    disturbs both alike.
    """
    for _ in range(rounds):
        found: Round = {scenario.name: {} for scenario in scenarios}
        for tls in (False, True):
            asked = [scenario for scenario in scenarios if scenario.tls is tls]
            if asked:
                _visit_all(asked, directory, certificate, found, tls=tls)
        yield found


def _visit_all(
    scenarios: Sequence[Scenario],
    directory: Path,
    certificate: Path,
    found: Round,
    *,
    tls: bool,
) -> None:
    with upstream(certificate, tls=tls) as source:
        for scenario in scenarios:
            beside = [f"{name} before" for name in scenario.targets]
            for name in (*scenario.targets, *(name for name in beside if name in TARGETS)):
                # A server of its own: streams would find room that others have left.
                with TARGETS[name](source, directory, certificate) as target:
                    visit(source, target, {"tokens": 20}, WARM_UP)
                    found[scenario.name][name] = visit(source, target, scenario.pace, scenario.load)


def visit(
    source: FakeUpstream, target: Target, pace: Mapping[str, Any], load: Mapping[str, Any]
) -> dict[str, Any]:
    """Run the load generator once; returns what it saw."""
    source.set_pace(pace)
    task = {
        "url": target.url,
        "dialect": target.dialect,
        "pid": target.process.pid,
        **load,
    }
    command = [sys.executable, "-m", "bench.load", json.dumps(task)]
    with Process(command, core=OTHER_CORE, output=subprocess.PIPE, directory=ROOT) as process:
        seen: dict[str, Any] = json.loads(process.read_all())
    source.wait_until_quiet()
    return seen
