"""A soak: hours of visitors, some of whom leave or come back, and a storm at the end.

    python -m tests.checker --minutes 60 [--store convex]

Prints what was acknowledged and what the store says, and how descriptors,
greenlets and memory moved. Exits with 1 when anything was lost, doubled or
moved, or grew.
"""

import argparse
import sys
import time

from tests.checker.flatness import Sampler, growth
from tests.checker.run import Plan, run, stage

CALM_SHARE = 0.8
CALM = {"visitors": 20, "think_s": 0.5, "turns": 20, "pause_s": 0.5, "is_storm": False}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--store", choices=("sqlite", "convex"), default="sqlite")
    options = parser.parse_args()
    seconds = options.minutes * 60
    began = time.monotonic()
    with stage(options.store) as (server, upstream, convex):
        server.warm_up()
        upstream.script(tokens=5, gap_ms=30)
        sampler = Sampler(server)
        calm = Plan(seconds=seconds * CALM_SHARE, **CALM)  # type: ignore[arg-type]
        outcomes = [run(server, upstream, convex, calm, watch=sampler.look)]
        grown = growth(sampler.samples)
        print(f"Calm, {options.store}: {outcomes[0]}")
        for each in grown:
            print(f"  {each}{'' if each.is_flat else '  <- grew'}")
        storm = Plan(seconds=seconds * (1 - CALM_SHARE), seed=2)
        outcomes.append(run(server, upstream, convex, storm))
        print(f"Storm, {options.store}: {outcomes[1]}")
    print(f"{(time.monotonic() - began) / 60:.1f} minutes")
    failed = not all(outcome.verdict.is_clean for outcome in outcomes)
    return 1 if failed or not all(each.is_flat for each in grown) else 0


if __name__ == "__main__":
    sys.exit(main())
