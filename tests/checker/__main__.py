"""A soak: hours of visitors who leave, come back and meet a person, and a storm at the end.

    python -m tests.checker --minutes 60 [--store convex] [--storm 0.2]

Prints what was acknowledged and what the store says, and how descriptors,
greenlets and memory moved. Exits with 1 when anything was lost, doubled or
moved, outlived its grace, was said where a person answers, or grew.
"""

import argparse
import sys
import time

from tests.checker.flatness import Sampler, growth
from tests.checker.run import Outcome, Plan, run, stage
from tests.convex_server import ConvexServer
from tests.servers.planted_server import PlantedServer
from tests.servers.upstream import Upstream

STORM_SHARE = 0.2
CALM = {"visitors": 20, "think_s": 0.5, "turns": 20, "pause_s": 0.5, "is_storm": False}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--store", choices=("sqlite", "convex"), default="sqlite")
    parser.add_argument(
        "--storm", type=float, default=STORM_SHARE, help="which share of it is a storm; 0.2"
    )
    options = parser.parse_args()
    began = time.monotonic()
    storm_s = options.minutes * 60 * options.storm
    calm_s = options.minutes * 60 - storm_s
    with stage(options.store) as (server, upstream, convex):
        server.warm_up()
        is_clean = calm_s <= 0 or _has_calm(server, upstream, convex, calm_s)
        if storm_s > 0:
            storm = run(server, upstream, convex, Plan(seconds=storm_s, visitors=20, seed=2))
            is_clean &= _tell("Storm", storm)
    print(f"{(time.monotonic() - began) / 60:.1f} minutes")
    return 0 if is_clean else 1


def _has_calm(
    server: PlantedServer, upstream: Upstream, convex: ConvexServer | None, seconds: float
) -> bool:
    upstream.script(tokens=5, gap_ms=30)
    sampler = Sampler(server)
    plan = Plan(seconds=seconds, **CALM)  # type: ignore[arg-type]
    is_clean = _tell("Calm", run(server, upstream, convex, plan, watch=sampler.look))
    grown = growth(sampler.samples)
    for each in grown:
        print(f"  {each}{'' if each.is_flat else '  <- grew'}")
    return is_clean and all(each.is_flat for each in grown)


def _tell(name: str, outcome: Outcome) -> bool:
    print(f"{name}: {outcome}")
    for each in outcome.verdict.details():
        print(f"  {each}")
    sys.stdout.flush()
    return outcome.verdict.is_clean


if __name__ == "__main__":
    sys.exit(main())
