"""Counts the corpus with real tokenizers, and writes the vocabularies that the estimate knows.

Run it where the tokenizers can be had; the server and its tests need none.

    python -m venv venv
    venv/bin/pip install bpe-openai mistral-common sentencepiece
    venv/bin/python -m tests.limits.count_tokens                # writes counts.json
    venv/bin/python -m tests.limits.count_tokens vocabularies   # writes app/limits/*.gz

``bpe-openai`` and the two vocabularies in it are under the MIT licence. Mistral's two,
one of them no tokenizer of bytes, only count: they stand for all that nothing is known of.
"""

import gzip
import hashlib
import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path

from app.limits.vocabulary import SEPARATOR
from tests.limits.hostile import hostile_texts

HERE = Path(__file__).parent
VOCABULARIES = HERE.parents[1] / "app" / "limits"
# How many of the first tokens are kept. With fewer, prose of some languages is
# estimated at more than 1.35 times its count.
KEPT = {"o200k": 100_000, "cl100k": 70_000}

Count = Callable[[str], int]


def tokenizers() -> dict[str, Count]:
    """Return the tokenizers that are installed."""
    import bpe_openai

    def openai(name: str) -> Count:
        encoding = bpe_openai.get_encoding(f"{name}_base")
        return lambda text: len(encoding.encode(text, disallowed_special=()))

    counts = {name: openai(name) for name in KEPT}
    if importlib.util.find_spec("mistral_common") is not None:
        import mistral_common
        import sentencepiece
        from mistral_common.tokens.tokenizers.tekken import Tekkenizer

        data = Path(mistral_common.__file__).parent / "data"
        newer = Tekkenizer.from_file(data / "tekken_240911.json")._model
        older = sentencepiece.SentencePieceProcessor(
            model_file=str(data / "mistral_instruct_tokenizer_240323.model.v3")
        )
        counts["tekken"] = lambda text: len(newer.encode(text, disallowed_special=()))
        counts["mistral"] = lambda text: len(older.encode(text))
    return counts


def count() -> None:
    """Count every text of the corpus."""
    path = HERE / "counts.json"
    counted = json.loads(path.read_text()) if path.exists() else {"prose": {}, "hostile": {}}
    hostile = [text for _, text in hostile_texts()]
    prose = json.loads((HERE / "prose.json").read_text())
    counted["sha256"] = digest(hostile)
    for name, tokens in tokenizers().items():
        counted["hostile"][name] = [tokens(text) for text in hostile]
        counted["prose"][name] = {title: tokens(text) for title, text in prose.items()}
    path.write_text(json.dumps(counted, separators=(",", ":")) + "\n")


def digest(texts: list[str]) -> str:
    """Return what tells one corpus from another."""
    return hashlib.sha256("\0".join(texts).encode("utf-8", "surrogatepass")).hexdigest()


def write_vocabularies() -> None:
    """Write what ``app.limits.vocabulary`` reads: tokens in the order they were learnt."""
    import bpe_openai

    for name, kept in KEPT.items():
        ranks: dict[bytes, int] = bpe_openai.get_encoding(f"{name}_base")._mergeable_ranks
        tokens = sorted(ranks, key=ranks.__getitem__)[:kept]
        data = SEPARATOR.join(token for token in tokens if len(token) > 1)
        (VOCABULARIES / f"{name}.gz").write_bytes(gzip.compress(data, 9, mtime=0))


if __name__ == "__main__":
    write_vocabularies() if sys.argv[1:] == ["vocabularies"] else count()
