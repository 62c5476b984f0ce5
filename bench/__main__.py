"""Measure, and print tables: ``python -m bench`` or ``make bench``.

    python -m bench --rounds 3                        everything, some ten minutes
    python -m bench --scenarios hold200,turn --rounds 1
    python -m bench --against CHECKOUT                the same, beside another commit's server
    python -m bench --list

Goes to ``test-results/bench.json`` as well. Exits with 1 where a goal is missed.
"""

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import report
from bench.runs import Round, run_rounds
from bench.scenarios import BY_NAME, SCENARIOS
from bench.targets import ROOT, TARGETS, add_checkout, make_certificate, upstream

OUT = ROOT / "test-results" / "bench.json"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--scenarios", default=",".join(BY_NAME))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--against", type=Path, help="another checkout: old against new, in one run"
    )
    parser.add_argument("--list", action="store_true", help="name the scenarios and end")
    options = parser.parse_args()
    if options.list:
        for scenario in SCENARIOS:
            print(f"{scenario.name:12} {scenario.measures}")
        return 0
    print(f"{machine()}\n", flush=True)
    if options.against:
        add_checkout(options.against.resolve())
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        found = measure(options.scenarios.split(","), options.rounds, Path(name))
    print(report.to_table(found))
    print(report.to_comparison(found))
    verdict = report.to_verdict(found)
    print(verdict)
    print(subprocess.run([sys.executable, "-m", "bench.stores"], cwd=ROOT, check=True, text=True,
                         capture_output=True).stdout)  # fmt: skip
    return 1 if "missed" in verdict else 0


def measure(names: list[str], rounds: int, directory: Path) -> report.Medians:
    """Run the scenarios; every round is kept in the JSON file as soon as it is over."""
    certificate = make_certificate(directory)
    scenarios = [BY_NAME[name] for name in names]
    kept: list[Round] = []
    for number, found in enumerate(run_rounds(scenarios, rounds, directory, certificate), 1):
        kept.append(found)
        OUT.parent.mkdir(exist_ok=True)
        about = {"machine": machine(), "startSeconds": start_up_s(directory, certificate)}
        OUT.write_text(json.dumps({**about, "rounds": kept}, indent=1))
        print(f"round {number} of {rounds} is over", file=sys.stderr, flush=True)
    print(f"Start until /health answers: {about['startSeconds']:.2f} s\n")
    return report.medians(kept)


def start_up_s(directory: Path, certificate: Path) -> float:
    """Return how long our server takes from its start to its first answer."""
    with upstream(certificate) as source:
        began = time.monotonic()
        with TARGETS["perch-sqlite"](source, directory, certificate):
            return time.monotonic() - began


def machine() -> str:
    """Describe this machine in one line."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    today = datetime.datetime.now(tz=datetime.UTC).date()
    load = os.getloadavg()[0]
    return (
        f"{today}, {os.cpu_count()} cores of {model}, Linux {platform.release()}, "
        f"Python {platform.python_version()}, load {load:.1f}"
    )


if __name__ == "__main__":
    sys.exit(main())
