"""What finding costs at scale, and what learning leaves on the disk."""

import hashlib
import random
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from gevent.threadpool import ThreadPool

from app.domain.knowledge import Document, Inquiry
from app.knowledge.finding import find
from app.knowledge.index import write_index
from app.knowledge.library import Library
from app.knowledge.open_index import OpenIndex, open_index
from app.knowledge.passages import cut_document
from app.limits.estimate import estimate_text
from bench.knowledge_hub import hub_lag_ms

SCALES = (12_000, 25_000)
_QUESTIONS = 800


def cut_to(documents: Sequence[Document], passages: int) -> list[Document]:
    """Return documents that make so many passages, some of them under other addresses."""
    kept: list[Document] = []
    count = 0
    for each in documents:
        kept.append(each)
        count += len(cut_document(each))
        if count >= passages:
            break
    return kept


def measure(documents: Sequence[Document], folder: Path) -> dict[str, float]:
    """Build an index and ask it, through a library, what its own pages are headed and say."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "bench-1.db"
    began = time.process_time()
    write_index(path, documents, estimate_text, assistant="bench", version=1)
    build_s = time.process_time() - began
    index = open_index(path)
    library = Library(
        folder, "bench", max_tokens=1500, version=lambda: 1, request_build=lambda: None
    )
    library.find(Inquiry("the first opens the file"))
    questions = _questions(index)
    elapsed = [_elapsed_ms(partial(library.find, Inquiry(each))) for each in questions]
    beside = [partial(library.find, Inquiry(f"{each} again")) for each in questions]
    found_lag = hub_lag_ms(beside)
    follow_ups = _follow_up_ms(library, questions)
    library.close()
    hashing_lag = hub_lag_ms([partial(ThreadPool(1).apply, _hash)] * 400)
    # In this thread, by its own clock: what neighbours of the machine take does not count.
    cpu = [_cpu_ms(partial(find, index, Inquiry(each), 1500)) for each in questions]
    size = path.stat().st_size / 1024
    path.unlink()
    return {
        "documents": len(documents),
        "passages": index.passages,
        "buildMsPerPage": build_s * 1000 / len(documents),
        "kibPerPage": size / len(documents),
        "kibPerPassage": size / index.passages,
        **{f"p{part}": _quantile(elapsed, part) for part in (50, 95, 99)},
        **{f"cpuP{part}": _quantile(cpu, part) for part in (50, 95, 99)},
        **follow_ups,
        "hubLagP95": _quantile(found_lag, 95),
        "hubLagP99": _quantile(found_lag, 99),
        "hubLagP95BesideHashing": _quantile(hashing_lag, 95),
        "hubLagP99BesideHashing": _quantile(hashing_lag, 99),
    }


def _follow_up_ms(library: Library, questions: Sequence[str]) -> dict[str, float]:
    """Return the CPU of a first question and of one that follows it, by the means.

    As a turn does it: the question by itself, and with the one before once that is known.
    """
    first = following = 0.0
    pairs = list(zip(questions[::2], questions[1::2], strict=True))
    for before, question in pairs:
        before, question = f"{before} please", f"{question} please"
        began = time.process_time()
        library.find(Inquiry(before))
        asked = time.process_time()
        library.find(Inquiry(question))
        library.find(Inquiry(question, before=before))
        first += asked - began
        following += time.process_time() - asked
    each_ms = 1000 / len(pairs)
    return {"cpuFirst": first * each_ms, "cpuFollowUp": following * each_ms}


def _elapsed_ms(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def _cpu_ms(work: Callable[[], object]) -> float:
    start = time.thread_time()
    work()
    return (time.thread_time() - start) * 1000


def _hash() -> None:
    """Keep a core busy without Python's lock: the least that a thread costs the hub."""
    hashlib.sha256(bytes(4_000_000)).digest()


def _questions(index: OpenIndex) -> list[str]:
    chance = random.Random(1)
    rows = [row for row in index.all_rows() if row.heading and len(row.text) > 200]
    headed = [row.heading.rpartition(" › ")[2] for row in chance.sample(rows, _QUESTIONS // 2)]
    said = [row.text.split() for row in chance.sample(rows, _QUESTIONS // 2)]
    starts = [chance.randrange(max(1, len(words) - 6)) for words in said]
    cited = [" ".join(words[at : at + 6]) for words, at in zip(said, starts, strict=True)]
    return [f"How do I use {heading}?" for heading in headed] + cited


def _quantile(values: Sequence[float], part: int) -> float:
    return sorted(values)[min(len(values) - 1, len(values) * part // 100)]
