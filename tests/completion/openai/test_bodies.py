"""Bodies that their server compressed, in pieces of any size."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.completion.openai.bodies import Inflater, inflate, read_encoding
from app.domain.errors import ModelMisconfigured

TEXT = b"data: hello\n\n" * 50
RAW = zlib.compressobj(wbits=-zlib.MAX_WBITS)
FORMS = {
    "gzip": gzip.compress(TEXT),
    "deflate": zlib.compress(TEXT),
    "deflate without a header": RAW.compress(TEXT) + RAW.flush(),
}


class Taken:
    def __init__(self, wanted: bool = True) -> None:
        self.data = b""
        self.wanted = wanted

    def __call__(self, piece: bytes) -> bool:
        self.data += piece
        return self.wanted


@pytest.mark.parametrize("body", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("size", [1, 3, 10_000])
def test_body_is_inflated_as_it_comes(body: bytes, size: int) -> None:
    taken = Taken()
    inflater = Inflater(taken)

    for at in range(0, len(body), size):
        assert inflater.take(body[at : at + size])

    assert taken.data == TEXT
    assert not inflater.is_holding


@pytest.mark.parametrize("size", [1, 3, 10_000])
def test_each_event_may_be_compressed_for_itself(size: int) -> None:
    taken = Taken()
    inflater = Inflater(taken)
    body = b"".join(gzip.compress(TEXT + b"%d" % number) for number in range(5)) + b"\0\0\0"

    for at in range(0, len(body), size):
        assert inflater.take(body[at : at + size])

    assert taken.data == b"".join(TEXT + b"%d" % number for number in range(5))
    assert (inflater.is_holding, inflater.failure) == (False, None)


@pytest.mark.parametrize("text", [TEXT, b'{"choices":[]}', b"\n<html>", b": ping\n\n"])
def test_what_only_says_that_it_is_compressed_is_read(text: bytes) -> None:
    taken = Taken()
    inflater = Inflater(taken)

    assert inflater.take(text[:5])
    assert inflater.take(text[5:])

    assert taken.data == text
    assert inflate(text, "gzip") == text


@pytest.mark.parametrize("size", [64 * 1024 - 1, 64 * 1024, 64 * 1024 + 100, 128 * 1024])
def test_no_byte_is_left_behind_where_a_piece_is_full(size: int) -> None:
    taken = Taken()
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)

    Inflater(taken).take(packer.compress(b"x" * size) + packer.flush(zlib.Z_SYNC_FLUSH))

    assert len(taken.data) == size


def test_flushed_event_is_not_held_back() -> None:
    taken = Taken()
    inflater = Inflater(taken)
    packer = zlib.compressobj(wbits=31)

    for event in (b"data: a\n\n", b"data: b\n\n"):
        inflater.take(packer.compress(event) + packer.flush(zlib.Z_SYNC_FLUSH))
        assert taken.data.endswith(event)


def test_reader_who_wants_no_more_is_asked_again() -> None:
    taken = Taken(wanted=False)
    inflater = Inflater(taken)
    body = gzip.compress(bytes(1_000_000))

    assert not inflater.take(body)
    assert inflater.is_holding
    turns = 1
    while inflater.is_holding:
        inflater.resume()
        turns += 1

    assert len(taken.data) == 1_000_000
    assert turns > 10


@pytest.mark.slow
def test_bomb_is_given_up() -> None:
    sizes: list[int] = []

    def count(piece: bytes) -> bool:
        sizes.append(len(piece))
        return True

    inflater = Inflater(count)
    packer = zlib.compressobj(wbits=31)
    bomb = b"".join(packer.compress(bytes(1_000_000)) for _ in range(100)) + packer.flush()

    inflater.take(bomb)
    assert sum(sizes) < 2_000_000  # a part, until it is asked again
    while inflater.is_holding:
        inflater.resume()

    assert inflater.failure
    assert sum(sizes) < 80_000_000
    assert max(sizes) < 100_000


@given(st.binary(max_size=100))
def test_any_bytes_are_taken(body: bytes) -> None:
    inflater = Inflater(Taken())

    inflater.take(body)

    assert isinstance(inflate(body, "gzip"), bytes)


@pytest.mark.parametrize(
    ("told", "encoding"),
    [
        (None, ""),
        ("", ""),
        ("identity", ""),
        ("none", ""),
        ("UTF-8", ""),
        (" GZip ", "gzip"),
    ],
)
def test_encoding(told: str | None, encoding: str) -> None:
    assert read_encoding(told) == encoding


@pytest.mark.parametrize(("told", "named"), [("br", "br"), ("zstd", "zstd"), ("x, y", "unknown")])
def test_encoding_that_nobody_asked_for(told: str, named: str) -> None:
    with pytest.raises(ModelMisconfigured) as failed:
        read_encoding(told)

    assert failed.value.cause == (
        f"answered with Content-Encoding {named}: switch that off at the model's proxy"
    )


@pytest.mark.slow
def test_body_of_an_error_is_bounded() -> None:
    assert len(inflate(gzip.compress(bytes(50_000_000)), "gzip")) <= 1024 * 1024
