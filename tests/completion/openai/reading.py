"""Streams of chat completions, and what a reader makes of them."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from hypothesis import strategies as st

from app.completion.openai.events import EventReader

R = TypeVar("R", bound=EventReader)
USAGE = {"prompt_tokens": 24, "completion_tokens": 3, "total_tokens": 27}


def event(chunk: Any, newline: str = "\n") -> bytes:
    data = chunk if isinstance(chunk, str) else json.dumps(chunk)
    return f"data: {data}{newline}{newline}".encode()


def delta(finish_reason: str | None = None, **fields: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": fields, "finish_reason": finish_reason}
    return {"object": "chat.completion.chunk", "model": "gpt-x", "choices": [choice]}


def stream(*chunks: Any, newline: str = "\n") -> bytes:
    return b"".join(event(chunk, newline) for chunk in chunks)


def read_pieces(reader: R, pieces: Iterable[bytes]) -> tuple[list[str], R]:
    """What a reader makes of these pieces, to its end or its failure."""
    deltas: list[str] = []

    def receive(said: Sequence[str]) -> bool:
        deltas.extend(said)
        return True

    reader.receive = receive
    for piece in pieces:
        reader.take(piece)
        if reader.failure:
            break
    return deltas, reader


def same(one: EventReader, other: EventReader) -> bool:
    names = ("done", "finish_reason", "has_begun", "model", "refusal", "usage")
    return all(getattr(one, name) == getattr(other, name) for name in names) and (
        type(one.failure) is type(other.failure)
    )


WHOLE = (
    delta(role="assistant", content=""),
    delta(content="Hel"),
    delta(content="lo 👋"),
    delta("stop"),
    {"model": "gpt-x", "choices": [], "usage": USAGE},
    "[DONE]",
)


THOUGHTS = {
    "one": (["<think>The user", " greets.</think>\n\nHello!"], "Hello!"),
    "cut anywhere": (["<th", "ink>hm", "</th", "ink>\n\nHel", "lo!"], "Hello!"),
    "letter by letter": (list("<think>a</think> Hello!"), "Hello!"),
    "after blanks": (["\n\n", " <think>hm</think>", "\n", "Hello!"], "Hello!"),
    "blanks only": (["\n", " \n"], ""),
    "two": (["<think>a</think>\n<think>b</think>\nHello!"], "Hello!"),
    "thinking": (["<thinking>a</think>b</thinking>Hello!"], "Hello!"),
    "upper case": (["<THINK>a</Think>Hello!"], "Hello!"),
    "later": (
        ["Use the <think> tag: `<think>x</think>`."],
        "Use the <think> tag: `<think>x</think>`.",
    ),
    "nearly": (["<thin", "ker>x</thinker>"], "<thinker>x</thinker>"),
    "another tag": (["<b>", "x</b>"], "<b>x</b>"),
    "begun and ended": (["<thi"], "<thi"),
    "never closed": (["<think>hm, ", "so"], ""),
    "empty": (["<think></think>", "Hello!"], "Hello!"),
    "a number behind it": (["<think>x</think>", "\n"], ""),
}


chunks = (
    st.builds(lambda text: delta(content=text), st.text(max_size=20))
    | st.builds(lambda text: delta(content=text), st.sampled_from(["<", "<think>", "a</think>"]))
    | st.builds(lambda said: delta(content=said), st.sampled_from([7, 0.5, True, [], {}]))
    | st.builds(lambda text: delta(refusal=text), st.text(max_size=5))
    | st.just(delta("stop"))
    | st.just({"choices": [], "usage": USAGE})
    | st.sampled_from(["[DONE]", "junk", '{"error": {}}', '{"error": {"code": 1}}'])
)
streams = st.lists(st.tuples(chunks, st.sampled_from(["\n", "\r\n", "\r"])), max_size=8).map(
    lambda events: b"".join(event(chunk, newline) for chunk, newline in events)
)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % (len(data) + 1) for place in places} | {len(data)})
    return [data[start:end] for start, end in zip([0, *ends], ends, strict=False)]
