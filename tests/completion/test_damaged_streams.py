"""What both ways through the reader make of damaged streams: always the same."""

import zlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.completion.openai.events import EventReader
from app.completion.openai.shortcut import ShortcutReader
from tests.corpus.damaged_streams import COUNT, Outcome, Stream, damaged, pieces

Told = tuple[object, ...]


def read_plainly(parts: Sequence[bytes]) -> Told:
    reader = EventReader()
    text = ""
    for part in parts:
        text += "".join(reader.feed(part))
        if reader.failure or reader.done:
            break
    else:
        text += "".join(reader.end())
    return told(text, reader)


def read_shortly(parts: Sequence[bytes]) -> Told:
    reader = ShortcutReader()
    deltas: list[str] = []
    reader.receive = lambda said: deltas.extend(said) or True
    for part in parts:
        reader.take(part)
        if reader.failure or reader.done:
            break
    else:
        deltas += reader.end()
    return told("".join(deltas), reader)


def told(text: str, reader: EventReader) -> Told:
    failure = reader.failure
    names = ("done", "finish_reason", "has_begun", "has_only_thought", "model", "refusal", "usage")
    return (
        text,
        type(failure),
        failure and failure.cause,
        *(getattr(reader, name) for name in names),
    )


def inflated(stream: Stream) -> bytes:
    if not stream.encoding:
        return stream.body
    packer = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        return packer.decompress(stream.body)
    except zlib.error:
        return b""


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, COUNT, 100))
def test_the_reader_and_its_shortcut_agree(first: int) -> None:
    for seed in range(first, first + 100):
        stream = damaged(seed)
        body = inflated(stream)
        parts = pieces(seed, body)

        plain = read_plainly(parts)

        assert read_shortly(parts) == plain, f"{seed}: {stream}"
        if stream.damage != "huge_line":  # which is too long only where it comes in pieces
            assert read_plainly([body]) == plain, f"{seed}: {stream}"


@given(st.integers(min_value=COUNT), st.integers(min_value=0))
def test_they_agree_however_the_bytes_are_cut(seed: int, cut: int) -> None:
    body = inflated(damaged(seed))
    parts = pieces(cut, body)

    assert read_shortly(parts) == read_plainly(parts)


@pytest.mark.slow
def test_every_outcome_is_among_the_damages() -> None:
    found = [damaged(seed) for seed in range(COUNT)]

    assert {each.outcome for each in found} == set(Outcome)
    assert len({each.damage for each in found}) >= 20
    assert len({each.shape for each in found}) >= 24
