"""Count what a turn and a token cost in instructions: neighbours do not change that.

    python -m bench.instructions --against CHECKOUT       some ten minutes; needs valgrind

A server of each checkout runs under cachegrind and answers some turns, then another
one more of them: the difference is what those cost, without start and end. On a machine
that is quiet otherwise, two counts of one commit differ by less than one in a hundred
(a slow one does more of what is done once a second). It is not time: what waits
for memory or for the kernel counts as little as what does not.
"""

import argparse
import http.client
import json
import os
import re
import signal
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from bench.dialects import DIALECTS
from bench.processes import tree
from bench.targets import ROOT, Target, make_certificate, perch, upstream

FEW, MANY = 40, 340
TOKENS = 100
# So long that each token comes alone, to a server that takes fifty times its time.
GAP_MS = 20.0
BOOT_S = 240.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--against", type=Path, help="another checkout, counted as well")
    options = parser.parse_args()
    roots = [ROOT, *([options.against.resolve()] if options.against else [])]
    figures = {
        "a turn": [a_turn(root, history=2) for root in roots],
        "a turn with 30 messages": [a_turn(root, history=30) for root in roots],
        "a token": [a_token(root) for root in roots],
    }
    print("| instructions | now | before | now / before |\n|---|---|---|---|")
    for name, (now, *before) in figures.items():
        ratio = f"{now / before[0]:.3f}" if before else ""
        print(f"| {name} | {now:,.0f} | {''.join(f'{each:,.0f}' for each in before)} | {ratio} |")
    return 0


def a_turn(root: Path, history: int) -> float:
    few, many = (count(root, turns, {"tokens": 1, "history": history}) for turns in (FEW, MANY))
    return (many - few) / (MANY - FEW)


def a_token(root: Path) -> float:
    """Return what a token costs that comes alone."""
    short, long = (count(root, FEW, {"tokens": n, "gap_ms": GAP_MS}) for n in (1, 1 + TOKENS))
    return (long - short) / (FEW * TOKENS)


def count(root: Path, turns: int, pace: dict[str, float]) -> int:
    """Return the instructions of a worker that answers some turns, one after the other."""
    with tempfile.TemporaryDirectory(prefix="instructions-") as name:
        directory = Path(name)
        certificate = make_certificate(directory)
        log = f"--log-file={directory}/cachegrind.%p"
        under = ["valgrind", "--tool=cachegrind", "--cache-sim=no", log]
        under.append("--cachegrind-out-file=/dev/null")
        with upstream(certificate) as source:
            source.set_pace(pace)
            with perch(source, directory, certificate, root=root, under=under, boot_s=BOOT_S) as it:
                [worker] = tree(it.process.pid)[1:]
                ask(it, turns)
                os.kill(it.process.pid, signal.SIGTERM)
                while not it.process.has_ended:
                    time.sleep(0.1)
        [told] = re.findall(
            r"I\s+refs:\s+([\d,]+)", (directory / f"cachegrind.{worker}").read_text()
        )
        return int(told.replace(",", ""))


def ask(target: Target, turns: int) -> None:
    dialect = DIALECTS[target.dialect]
    link = http.client.HTTPConnection(urlsplit(target.url).netloc, timeout=120)
    headers = {"Content-Type": "application/json", **dialect.headers}
    for number in range(turns):
        body = dialect.body(f"session-{number:05}", "What are your opening hours?")
        link.request("POST", dialect.path, json.dumps(body), headers)
        answer = link.getresponse().read()
        if b'"done"' not in answer:
            raise RuntimeError(f"no answer: {answer[:200]!r}")
    link.close()


if __name__ == "__main__":
    sys.exit(main())
