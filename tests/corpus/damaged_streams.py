"""Good streams in every provider's shape, and what a bad way makes of them.

Everything comes of a number: the same seed gives the same bytes. What must
come of a stream stands beside it, as its ``outcome``:

    WHOLE    the answer, to its last letter: the damage is none
    CUT      the same, or a failure
    BROKEN   a failure, and what was said before it
    KEPT     a failure or an answer, and no less than was said before the damage
"""

import gzip
import json
import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from random import Random
from typing import Any

from tests.providers import find_providers
from tests.providers.provider import Provider

COUNT = 1000
PRIVATE = "lantern"
"""In every answer, and never in a log."""

_WORDS = (
    f" {PRIVATE}",
    "The",
    " answer",
    ' "42"',
    "7",
    " café",
    " \\o",
    "\n",
    " 你好",
    " 👋",
    " data: x",
    " {x}",
    " <b>",
    "\u2028",
    "[DONE]",
    " ünïcode 👩‍👩‍👧",
)
_BODY = {
    "messages": [{"role": "user", "content": "Where is it?"}],
    "stream_options": {"include_usage": True},
}
_LONG_BYTES = (70_000, 70_000, 2_200_000)


class Outcome(Enum):
    WHOLE = "whole"
    CUT = "cut"
    BROKEN = "broken"
    KEPT = "kept"


@dataclass(frozen=True)
class Stream:
    """An answer's bytes. ``text`` is all of it, ``said`` what came before the damage."""

    shape: str
    events: tuple[bytes, ...]
    text: str
    damage: str = "none"
    outcome: Outcome = Outcome.WHOLE
    said: str = ""
    body: bytes = b""
    encoding: str = ""
    is_broken_off: bool = False
    """The connection ends before what its head promised has come."""

    def __str__(self) -> str:
        return f"{self.shape}, {self.damage}"


def damaged(seed: int) -> Stream:
    """Return the stream of this number."""
    random = Random(seed)
    make = random.choice(_SHAPES)
    count = random.randint(1, 12)
    words = [random.choice(_WORDS) for _ in range(count)]
    # The first word is no blank, and none that may begin a tag.
    words[:1] = ["No", f" {PRIVATE}"]
    good = make(random, words)
    damage = random.choice(_DAMAGES_OF_DOCUMENTS if good.shape == "document" else _DAMAGES)
    found = damage(random, good)
    return replace(found, damage=damage.__name__.strip("_"))


def pieces(seed: int, body: bytes) -> list[bytes]:
    """Cut bytes as a network may."""
    random = Random(seed)
    if random.random() < 0.3:  # as most servers send them
        return [each for each in re.split(rb"(?<=\n\n)", body) if each]
    ends = sorted({random.randrange(len(body) + 1) for _ in range(random.randint(0, 30))})
    starts = [0, *ends]
    return [body[a:b] for a, b in zip(starts, [*ends, len(body)], strict=True) if a < b]


# --- shapes -------------------------------------------------------------------------------------


def _of_provider(provider: Provider) -> Callable[[Random, Sequence[str]], Stream]:
    def make(_: Random, words: Sequence[str]) -> Stream:
        steps = [step for step in provider.stream(_BODY, words, provider.reason("stop")) if step]
        body = b"".join(steps).partition(b"\r\n\r\n")[2]
        return Stream(provider.title, _split(_unframed(body)), "".join(words))

    return make


def _unframed(framed: bytes) -> bytes:
    body = b""
    while framed:
        size, _, framed = framed.partition(b"\r\n")
        body += framed[: int(size, 16)]
        framed = framed[int(size, 16) + 2 :]
    return body


def _split(body: bytes) -> tuple[bytes, ...]:
    return tuple(each + b"\n\n" for each in body.split(b"\n\n") if each)


def _event(chunk: Any) -> bytes:
    return b"data: %b\n\n" % (chunk if isinstance(chunk, str) else json.dumps(chunk)).encode()


def _delta(reason: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"model": "m", "choices": [{"index": 0, "delta": fields, "finish_reason": reason}]}


_END = (_event(_delta("stop")), _event("[DONE]"))


def _escaped(_: Random, words: Sequence[str]) -> Stream:
    return Stream(
        "escaped",
        (*(_event(_delta(content=word)) for word in words), *_END),
        "".join(words),
    )


def _halves(_: Random, words: Sequence[str]) -> Stream:
    """Text that is cut between the halves of UTF-16 pairs, each escaped for itself."""
    text = "".join(words)
    units = text.encode("utf-16-le")
    halves = [chr(a | b << 8) for a, b in zip(units[::2], units[1::2], strict=True)]
    return Stream("halves", (*(_event(_delta(content=half)) for half in halves), *_END), text)


def _parts(_: Random, words: Sequence[str]) -> Stream:
    thought = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]
    said = [[{"type": "text", "text": word}] for word in words]
    events = (_event(_delta(content=content)) for content in [thought, *said])
    return Stream("parts", (*events, *_END), "".join(words))


def _numbers(random: Random, words: Sequence[str]) -> Stream:
    said: list[Any] = [*words, *(random.choice([0, 6, 12, True]) for _ in range(4))]
    text = "".join(word if isinstance(word, str) else json.dumps(word) for word in said)
    return Stream("numbers", (*(_event(_delta(content=each)) for each in said), *_END), text)


def _messages(_: Random, words: Sequence[str]) -> Stream:
    chunks = [{"choices": [{"message": {"role": "assistant", "content": each}}]} for each in words]
    return Stream("messages", (*map(_event, chunks), *_END), "".join(words))


def _thinking(_: Random, words: Sequence[str]) -> Stream:
    said = ["<th", "ink>The vis", "itor.</thi", "nk>\n", "\n", *words]
    return Stream(
        "thinking", (*(_event(_delta(content=each)) for each in said), *_END), "".join(words)
    )


def _without_reason(_: Random, words: Sequence[str]) -> Stream:
    events = [_event({"choices": [{"delta": {"content": word}}]}) for word in words]
    return Stream("without reason", (*events, _event("[DONE]")), "".join(words))


def _named(_: Random, words: Sequence[str]) -> Stream:
    events = [_event(_delta(content=word)) for word in words]
    return Stream(
        "named",
        tuple(b"event: message\nid: %d\n" % n + each for n, each in enumerate([*events, *_END])),
        "".join(words),
    )


def _document(random: Random, words: Sequence[str]) -> Stream:
    text = "".join(words)
    message = {"role": "assistant", "content": text}
    told = {
        "object": "chat.completion",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
    }
    return Stream("document", (json.dumps(told, indent=random.choice([None, 1])).encode(),), text)


_SHAPES = [
    *(_of_provider(provider()) for provider in find_providers()),
    _escaped,
    _halves,
    _parts,
    _numbers,
    _messages,
    _thinking,
    _without_reason,
    _named,
    _document,
]

# --- damages ------------------------------------------------------------------------------------

_NOISE = (
    b": ping\n\n",
    b"retry: 10\n\n",
    b"data:\n\n",
    b"data: null\n\n",
    b"data: []\n\n",
    b"event: ping\ndata: ping\n\n",
    b"an unknown line\n",
    _event({"choices": []}),
    _event({"choices": [], "usage": None}),
    _event({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 1}}),
    _event(_delta(role="assistant")),
    _event(_delta(content=None)),
    _event(_delta(content=[])),
    _event(_delta(content="", reasoning_content="hm")),
    _event(_delta(tool_calls=[{"index": 0, "function": {"name": "x", "arguments": "{}"}}])),
    _event({"choices": [{"index": 1, "delta": {"content": "another"}}]}),
)
_ERRORS = (
    _event({"error": {"message": f"no {PRIVATE}", "type": "server_error"}}),
    _event({"error": {"code": 429, "message": "slow down"}}),
    _event({"error": "oh no"}),
    _event([{"error": {"code": 503, "message": "x"}}]),
    _event({**_delta(content=""), "error": {"code": 502, "message": "x"}}),
    _event({"object": "error", "message": "no memory", "code": 500}),
    _event(_delta("error")),
    _event(_delta("network_error", content="")),
    _event(_delta("MALFORMED_ERROR: x")),
    b'event: error\ndata: {"message": "x"}\n\n',
    b'data: {"choices":[{"delta":{"content":"tr\n\n',
    b'data: {"choices":[{"delta":{"content":"\xff\xfe"}}]}\n\n',
    b"data: <html>\n\n",
    _event({"choices": [{"delta": {"content": {"text": "x"}}}]}),
    _event({"choices": "text"}),
    _event("[" * 3000),
)
_JUNK = (
    b"\0\0\0\0",
    b"\r\n",
    b"\n",
    b'data: {"choices":[{',
    b"data: [DONE]\n\n",
    b"HTTP/1.1 200 OK\r\n\r\n",
    b"\xef\xbb\xbf",
    b"\xed\xa0\xbd",
    b'"content":"',
    b'\\ud83d"',
    b"data:",
    b"0\r\n\r\n",
)


def _with_events(stream: Stream, events: Sequence[bytes], **changes: Any) -> Stream:
    return replace(stream, body=b"".join(events), **changes)


def _inside(stream: Stream, random: Random) -> int:
    """Return a place between the first event that says something and the last that does."""
    spoken = [n for n, each in enumerate(stream.events) if b'"content"' in each]
    return random.randint(spoken[0], spoken[-1])


def _spoilt(stream: Stream, events: Sequence[bytes], place: int) -> Stream:
    """The damage is at an event, or behind it."""
    return _with_events(
        stream, events, outcome=Outcome.KEPT, said=_said(stream, stream.events[:place])
    )


def _said(stream: Stream, events: Sequence[bytes]) -> str:
    """Return what these first events say, by another way than the reader's."""
    text = ""
    for event in events:
        for line in event.split(b"\n"):
            data = line.removeprefix(b"data: ")
            if line.startswith(b"data: ") and data.startswith(b"{"):
                text += _text_of(json.loads(data))
    text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
    end = text.find("</think>")
    text = text[end + 8 :].lstrip() if end >= 0 else text
    return "" if text.startswith("<") else text


def _text_of(chunk: Any) -> str:
    for choice in chunk["choices"]:
        content = (choice.get("delta") or choice.get("message") or {}).get("content")
        if isinstance(content, list):
            return "".join(part.get("text", "") for part in content)
        if content is not None:
            return content if isinstance(content, str) else json.dumps(content)
    return ""


def _no_damage(_: Random, good: Stream) -> Stream:
    return _with_events(good, good.events)


def _other_line_ends(random: Random, good: Stream) -> Stream:
    ends = [random.choice([b"\n", b"\r\n", b"\r"]) for _ in good.events]
    events = [each.replace(b"\n", end) for each, end in zip(good.events, ends, strict=True)]
    return _with_events(good, events)


def _byte_order_mark(_: Random, good: Stream) -> Stream:
    return _with_events(good, [b"\xef\xbb\xbf", *good.events])


def _noise_between(random: Random, good: Stream) -> Stream:
    events: list[bytes] = []
    for event in good.events:
        events += [random.choice(_NOISE)] if random.random() < 0.5 else []
        events.append(event)
    return _with_events(good, events)


def _nothing_behind_the_end(_: Random, good: Stream) -> Stream:
    events = list(good.events)
    events[-1] = events[-1].rstrip(b"\n")
    return _with_events(good, events)


def _more_behind_the_end(random: Random, good: Stream) -> Stream:
    is_marked = good.events[-1].endswith(b"data: [DONE]\n\n")
    more = random.choice([*_ERRORS, *_JUNK]) if is_marked else b""
    return _with_events(good, [*good.events, more])


def _without_done(_: Random, good: Stream) -> Stream:
    events = [each for each in good.events if b"[DONE]\n" not in each or b'"content"' in each]
    outcome = Outcome.WHOLE if good.shape != "without reason" else Outcome.BROKEN
    return _with_events(good, events, outcome=outcome, said=good.text)


def _without_an_end(_: Random, good: Stream) -> Stream:
    spoken = max(n for n, each in enumerate(good.events) if b'"content"' in each)
    events = [
        each
        for each in good.events[: spoken + 1]
        if not any(mark in each for mark in (b'"stop"', b'"eos', b'"end_turn"'))
    ]
    return _with_events(good, events, outcome=Outcome.BROKEN, said=good.text)


def _error_in_the_middle(random: Random, good: Stream) -> Stream:
    place = _inside(good, random)
    events = [*good.events[:place], random.choice(_ERRORS), *good.events[place:]]
    return _with_events(good, events, outcome=Outcome.BROKEN, said=_said(good, good.events[:place]))


def _cut(random: Random, good: Stream) -> Stream:
    body = b"".join(good.events)
    return replace(
        good,
        body=body[: random.randrange(len(body))],
        outcome=Outcome.CUT,
        is_broken_off=random.random() < 0.5,
    )


def _cut_gzip(random: Random, good: Stream) -> Stream:
    body = gzip.compress(b"".join(good.events))
    return replace(
        good,
        body=body[: random.randrange(len(body))],
        encoding="gzip",
        outcome=Outcome.CUT,
        is_broken_off=random.random() < 0.5,
    )


def _whole_gzip(random: Random, good: Stream) -> Stream:
    pack = random.choice([gzip.compress, zlib.compress])
    encoding = "gzip" if pack is gzip.compress else "deflate"
    return replace(good, body=pack(b"".join(good.events)), encoding=encoding)


def _spoilt_gzip(random: Random, good: Stream) -> Stream:
    body = bytearray(gzip.compress(b"".join(good.events)))
    body[random.randrange(len(body))] ^= 1 << random.randrange(8)
    return replace(good, body=bytes(body), encoding="gzip", outcome=Outcome.KEPT)


def _bytes_flipped(random: Random, good: Stream) -> Stream:
    place = random.randrange(len(good.events))
    event = bytearray(good.events[place])
    for _ in range(random.choice([1, 1, 1, 5])):
        event[random.randrange(len(event))] ^= 1 << random.randrange(8)
    return _spoilt(good, [*good.events[:place], bytes(event), *good.events[place + 1 :]], place)


def _bytes_lost(random: Random, good: Stream) -> Stream:
    place = random.randrange(len(good.events))
    rest = b"".join(good.events[place:])
    start = random.randrange(len(good.events[place]))
    end = start + random.choice([1, 2, 30, 400])
    return _spoilt(good, [*good.events[:place], rest[:start], rest[end:]], place)


def _bytes_repeated(random: Random, good: Stream) -> Stream:
    place = random.randrange(len(good.events))
    rest = b"".join(good.events[place:])
    start = random.randrange(len(good.events[place]))
    end = start + random.choice([1, 2, 30, 400])
    return _spoilt(good, [*good.events[:place], rest[:end], rest[start:]], place)


def _lines_doubled(random: Random, good: Stream) -> Stream:
    place = random.randrange(len(good.events))
    event = b"".join(line * random.choice([1, 2]) for line in good.events[place].splitlines(True))
    return _spoilt(good, [*good.events[:place], event, *good.events[place + 1 :]], place)


def _events_reordered(random: Random, good: Stream) -> Stream:
    place = random.randrange(len(good.events))
    rest = list(good.events[place:])
    random.shuffle(rest)
    return _spoilt(good, [*good.events[:place], *rest], place)


def _events_of_another(random: Random, good: Stream) -> Stream:
    other = random.choice(_SHAPES)(random, ["Other", " words"])
    place = random.randrange(len(good.events) + 1)
    return _spoilt(good, [*good.events[:place], *other.events, *good.events[place:]], place)


def _junk(random: Random, good: Stream) -> Stream:
    place = random.randrange(len(good.events))
    event, junk = good.events[place], random.choice(_JUNK)
    at = random.randrange(len(event))
    event = event[:at] + junk + event[at:]
    return _spoilt(good, [*good.events[:place], event, *good.events[place + 1 :]], place)


def _half_a_character(random: Random, good: Stream) -> Stream:
    place = _inside(good, random)
    half = _event(_delta(content=random.choice(["\ud83d", "\ude00", "a\ud83d", "\ud83d\ud83d"])))
    return _spoilt(good, [*good.events[:place], half, *good.events[place:]], place)


def _huge_line(random: Random, good: Stream) -> Stream:
    place = random.randrange(len(good.events))
    line = random.choice([b"data: ", b": ", b""]) + b"x" * random.choice(_LONG_BYTES)
    return _spoilt(good, [*good.events[:place], line, b"\n\n", *good.events[place:]], place)


_DAMAGES_OF_DOCUMENTS = [
    _no_damage,
    _byte_order_mark,
    _cut,
    _cut,
    _cut_gzip,
    _whole_gzip,
    _spoilt_gzip,
    _bytes_flipped,
    _bytes_lost,
    _bytes_repeated,
    _junk,
]
_DAMAGES = [
    *_DAMAGES_OF_DOCUMENTS,
    _other_line_ends,
    _noise_between,
    _nothing_behind_the_end,
    _more_behind_the_end,
    _without_done,
    _without_an_end,
    _error_in_the_middle,
    _error_in_the_middle,
    _lines_doubled,
    _events_reordered,
    _events_of_another,
    _half_a_character,
    _huge_line,
]
