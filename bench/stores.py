"""What the two calls of a turn cost in each store: CPU and time, one turn after another.

    python -m bench.stores [--turns 500]

SQLite writes to a real file and syncs each commit; Convex is the fake one at
0 ms, so its time is our client's. Sixteen turns at a time show what SQLite
gains by committing them together.
"""

from gevent import monkey

monkey.patch_all()

import argparse  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable, Iterator  # noqa: E402
from contextlib import contextmanager  # noqa: E402
from dataclasses import replace  # noqa: E402
from pathlib import Path  # noqa: E402

from gevent.pool import Pool  # noqa: E402

from app.domain.conversation import Answer, Question  # noqa: E402
from app.storage.convex import ConvexStore  # noqa: E402
from app.storage.protocol import ConversationStore  # noqa: E402
from app.storage.sqlite import SqliteStore  # noqa: E402
from bench.targets import make_certificate, upstream  # noqa: E402

QUESTION = Question(session_id="s", turn_id="t", content="What are your hours?")
ANSWER = Answer(content="Nine to five, every day but Sunday. " * 10, status="complete")
CROWD = 16


@contextmanager
def sqlite(directory: Path) -> Iterator[ConversationStore]:
    store = SqliteStore(directory / "bench.db")
    yield store
    store.close()


@contextmanager
def convex(directory: Path) -> Iterator[ConversationStore]:
    with upstream(make_certificate(directory)) as source:
        store = ConvexStore(source.convex, "prod:bench|key")
        yield store
        store.close()


STORES: dict[str, Callable[[Path], object]] = {"sqlite": sqlite, "convex": convex}


def one_turn(store: ConversationStore, number: int) -> None:
    question = replace(QUESTION, session_id=f"s-{number % 100}", turn_id=f"turn-{number:08}")
    turn = store.begin_turn(question, history_limit=30, lease_s=130)
    store.finish_turn(turn, ANSWER)


def measure(store: ConversationStore, turns: int, at_once: int, first: int) -> tuple[float, float]:
    """Return CPU ms and elapsed ms of a turn."""
    pool = Pool(at_once)
    began, cpu = time.monotonic(), time.process_time()
    for number in range(first, first + turns):
        pool.spawn(one_turn, store, number)
    pool.join(raise_error=True)
    return (time.process_time() - cpu) / turns * 1e3, (time.monotonic() - began) / turns * 1e3


def table(turns: int) -> str:
    """Measure each store; returns Markdown."""
    lines = ["| store | at once | CPU ms/turn | elapsed ms/turn |", "|---|---|---|---|"]
    for name, opened in STORES.items():
        with tempfile.TemporaryDirectory() as directory, opened(Path(directory)) as store:  # type: ignore[attr-defined]
            measure(store, 50, 1, first=0)
            for at_once in (1, CROWD):
                first = 1000 * at_once
                cpu_ms, elapsed_ms = measure(store, turns, at_once, first)
                lines.append(f"| {name} | {at_once} | {cpu_ms:.2f} | {elapsed_ms:.2f} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--turns", type=int, default=500)
    print(table(parser.parse_args().turns))


if __name__ == "__main__":
    main()
