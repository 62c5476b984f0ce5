"""Counts the corpus with real tokenizers, and chooses the pieces that the estimate knows.

Run it where the tokenizers can be had; the server and its tests need none.

    python -m venv venv
    venv/bin/pip install bpe-openai tiktoken sentencepiece mistral-common
    venv/bin/pip install --no-deps dashscope llama-models      # only their vocabularies
    venv/bin/python -m tests.budget.count_tokens               # writes counts.json
    venv/bin/python -m tests.budget.count_tokens choose       # writes app/budget/pieces.gz

``bpe-openai`` alone is enough to count OpenAI's two; the rows of the others
are left as they are.
"""

import base64
import gzip
import hashlib
import importlib.util
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.budget.hostile import hostile_texts

HERE = Path(__file__).parent
PIECES = HERE.parents[1] / "app" / "budget" / "pieces.gz"
MAX_PIECE_CHARS = 16
# Ranks: a tokenizer's own order of how common its tokens are. Where less is
# kept, the estimate has more room above the count, and its prose is dearer.
RANKS_O200K = {
    "ascii": 78_000,
    "latin": 160_000,
    "cyrillic": 100_000,
    "cjk": 125_000,
    "sign": 15_000,
}
RANKS_CL100K = {"ascii": 60_000, "sign": 15_000}
RANKS_OTHER = 120_000

Count = Callable[[str], int]
Ranks = dict[bytes, int]


def _folder(package: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    return Path(next(iter(spec.submodule_search_locations))) if spec else None


def _read_ranks(path: Path) -> Ranks:
    pairs = (line.split() for line in path.read_bytes().splitlines() if line)
    return {base64.b64decode(token): int(rank) for token, rank in pairs}


def load() -> tuple[dict[str, Count], dict[str, Ranks]]:
    """Return the tokenizers that are installed, and their vocabularies."""
    import bpe_openai

    counts: dict[str, Count] = {}
    ranks: dict[str, Ranks] = {}

    def add(name: str, encoding: Any) -> None:
        counts[name] = lambda text: len(encoding.encode(text, disallowed_special=()))
        ranks[name] = encoding._mergeable_ranks

    for name in ("o200k", "cl100k"):
        add(name, bpe_openai.get_encoding(f"{name}_base"))
    if importlib.util.find_spec("tiktoken") is None:
        return counts, ranks

    import tiktoken

    o200k, cl100k = (
        bpe_openai.get_encoding(f"{name}_base")._pat_str for name in ("o200k", "cl100k")
    )
    for name, package, path, pattern in (
        ("qwen", "dashscope", "resources/qwen.tiktoken", cl100k.replace(r"\p{N}{1,3}+", r"\p{N}")),
        ("llama3", "models", "llama3/tokenizer.model", cl100k),
        ("llama4", "models", "llama4/tokenizer.model", o200k),
    ):
        folder = _folder(package)
        if folder is not None:
            vocabulary = _read_ranks(folder / path)
            add(
                name,
                tiktoken.Encoding(
                    name, pat_str=pattern, mergeable_ranks=vocabulary, special_tokens={}
                ),
            )
    if (mistral := _folder("mistral_common")) is not None:
        import sentencepiece
        from mistral_common.tokens.tokenizers.tekken import Tekkenizer

        add("tekken", Tekkenizer.from_file(mistral / "data" / "tekken_240911.json")._model)
        older = sentencepiece.SentencePieceProcessor(
            model_file=str(mistral / "data" / "mistral_instruct_tokenizer_240323.model.v3")
        )
        counts["mistral"] = lambda text: len(older.encode(text))
        ranks["mistral"] = {
            older.id_to_piece(id_).replace("\u2581", " ").encode(): id_
            for id_ in range(older.vocab_size())
        }
    return counts, ranks


def count() -> None:
    """Count every text of the corpus."""
    path = HERE / "counts.json"
    counted = json.loads(path.read_text()) if path.exists() else {"prose": {}, "hostile": {}}
    hostile = [text for _, text in hostile_texts()]
    prose = json.loads((HERE / "prose.json").read_text())
    counted["sha256"] = digest(hostile)
    for name, tokens in load()[0].items():
        counted["hostile"][name] = [tokens(text) for text in hostile]
        counted["prose"][name] = {title: tokens(text) for title, text in prose.items()}
    path.write_text(json.dumps(counted, separators=(",", ":")) + "\n")


def digest(texts: list[str]) -> str:
    """Return what tells one corpus from another."""
    return hashlib.sha256("\0".join(texts).encode("utf-8", "surrogatepass")).hexdigest()


def choose() -> None:
    """Write what ``app.budget.estimate`` reads: three tokenizers' pieces and blocks."""
    _, ranks = load()
    o200k, cl100k = ranks["o200k"], ranks["cl100k"]
    ours = set(_pieces(o200k, RANKS_O200K))
    openais = {piece for piece in _pieces(cl100k, RANKS_CL100K) if piece.encode() in o200k}
    anybodys = {
        piece
        for piece in _pieces(cl100k, {})
        if all(piece.encode() in each for each in ranks.values())
    }
    blocks = (_blocks(o200k), _blocks(o200k) & _blocks(cl100k), set())
    lines = [",".join(" ".join(f"{block:x}" for block in sorted(each)) for each in blocks)]
    for piece in sorted(ours | openais | anybodys):
        bits = (piece in ours) | (piece in openais) << 1 | (piece in anybodys) << 2
        lines.append(f"{bits}{piece}")
    PIECES.write_bytes(gzip.compress("\n".join(lines).encode(), 9, mtime=0))


def _pieces(ranks: Ranks, limits: dict[str, int]) -> Iterator[str]:
    for token, rank in ranks.items():
        try:
            piece = token.decode()
        except UnicodeDecodeError:
            continue
        kind = _kind(piece)
        is_short = len(piece) <= (3 if kind == "sign" and limits else MAX_PIECE_CHARS)
        if is_short and rank < limits.get(kind, RANKS_OTHER) and not {"\n", "\r"} & set(piece):
            yield piece


def _kind(piece: str) -> str:
    for char in piece:
        code = ord(char)
        if code < 0x80 and not char.isalpha():
            continue
        if code < 0x250 or 0x1E00 <= code < 0x1F00:
            return "ascii" if piece.isascii() else "latin"
        if 0x400 <= code < 0x530:
            return "cyrillic"
        if 0x3040 <= code < 0xA000 or 0xAC00 <= code < 0xD7B0:
            return "cjk"
        return "other"
    return "sign"


def _blocks(ranks: Ranks) -> set[int]:
    """Return the 64 characters each of which is one known token and one byte."""
    blocks = set()
    for token in ranks:
        if len(token) in (2, 3) and token[0] >= (0xE0 if len(token) == 2 else 0xF0):
            for last in (b"\x80", b"\xa0"):  # E0 and F0 do not go with each
                try:
                    blocks.add(ord((token + last).decode()) >> 6)
                except (UnicodeDecodeError, TypeError):
                    continue
    return blocks


if __name__ == "__main__":
    choose() if sys.argv[1:] == ["choose"] else count()
