"""What it costs to read one token's event, here against another checkout, in one process.

    git worktree add --detach /tmp/old HEAD~1
    python -m bench.reader --against /tmp/old [--rounds 200]

The two take turns, and the best round of each counts: what else runs on the
machine slows some rounds, never all. A ratio above 1 is what the token costs
more here.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.targets import ROOT
from bench.wire import CHUNK

TOKENS = 2000
_CONTENT = '{"content":"%s"}'
_ROLE = '{"role":"assistant","content":"","refusal":null}'


def event(delta: str) -> bytes:
    return f"data: {CHUNK % (7, delta, 'null')}\n\n".encode()


def token(text: str) -> bytes:
    return event(_CONTENT % text)


SCENARIOS: dict[str, Sequence[bytes]] = {
    "one event a read": [token(f" word{n % 97}") for n in range(TOKENS)],
    "with an escape": [token(f"\\n word{n % 97}") for n in range(TOKENS)],
    "four events a read": [
        b"".join(token(f" word{n % 97}") for _ in range(4)) for n in range(TOKENS // 4)
    ],
}


@contextmanager
def modules_of(root: Path) -> Iterator[None]:
    """Import ``app`` from this checkout, and forget it again."""
    kept = {name: sys.modules.pop(name) for name in list(sys.modules) if _is_ours(name)}
    sys.path.insert(0, str(root))
    try:
        yield
    finally:
        sys.path.remove(str(root))
        for name in filter(_is_ours, list(sys.modules)):
            del sys.modules[name]
        sys.modules.update(kept)


def _is_ours(name: str) -> bool:
    return name == "app" or name.startswith("app.")


def load_reader(root: Path) -> Callable[[], Any]:
    with modules_of(root):
        from app.completion.openai import answer

        assert Path(answer.__file__).is_relative_to(root), answer.__file__
        # Whatever it is called there.
        (reader,) = (each for each in vars(answer).values() if hasattr(each, "is_between_events"))
        make: Callable[[], Any] = reader
        return make


def time_round(make: Callable[[], Any], reads: Sequence[bytes]) -> float:
    """Return the nanoseconds of CPU that a token took."""
    reader = make()
    reader.take(event(_ROLE))
    take = reader.take
    begun = time.thread_time_ns()
    for read in reads:
        take(read)
    return (time.thread_time_ns() - begun) / TOKENS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--against", type=Path, required=True, help="another checkout")
    parser.add_argument("--rounds", type=int, default=200)
    options = parser.parse_args()
    here, there = load_reader(ROOT), load_reader(options.against.resolve())
    print(f"{'':20} {'here ns':>9} {'there ns':>9} {'ratio':>6}")
    for name, reads in SCENARIOS.items():
        times: dict[Callable[[], Any], list[float]] = {here: [], there: []}
        for number in range(options.rounds):
            for make in (here, there) if number % 2 else (there, here):
                times[make].append(time_round(make, reads))
        ours, theirs = min(times[here]), min(times[there])
        print(f"{name:20} {ours:9.0f} {theirs:9.0f} {ours / theirs:6.3f}")


if __name__ == "__main__":
    main()
