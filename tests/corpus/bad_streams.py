"""Bytes that come in pieces or one request behind another, as a table.

What ``bad_framing.py`` cannot say: a pause between two pieces, and a second
request that must never be seen, because the first one's end was disputed.
"""

from dataclasses import dataclass

from tests.corpus.bad_framing import CHUNKED, CHUNKS, GET, LENGTH, POST, TYPE
from tests.corpus.bad_requests import GOOD

# What a smuggler hides: answered with 200, it would have been taken for a request.
HIDDEN = b"GET /health?smuggled HTTP/1.1\r\nHost: perch.test\r\n\r\n"
HEALTH = GET + b"\r\n"


@dataclass(frozen=True)
class Pieces:
    """Raw bytes in pieces, with a pause between them.

    ``hidden`` bytes stand at the end of the last piece, and are no request.
    """

    claim: str
    pieces: tuple[bytes, ...]
    statuses: tuple[int | None, ...] = (400, None)

    def __str__(self) -> str:
        return self.claim


def smuggled(claim: str, headers: bytes, body: bytes = b"") -> Pieces:
    """A request whose end two readers may see in two places, and what hides behind it."""
    raw = POST + TYPE + headers + b"\r\n" + body + HIDDEN
    return Pieces(f"smuggled: {claim}", (raw,), (400, 411, 413, 501, None))


def flood(claim: str, *pieces: bytes) -> Pieces:
    return Pieces(f"flood: {claim}", pieces, (400, 414, 431, None))


def chunks(claim: str, *pieces: bytes) -> Pieces:
    """A chunked body that breaks the rules of chunks, or does not go on."""
    head = POST + TYPE + CHUNKED + b"\r\n"
    return Pieces(f"chunks: {claim}", (head + pieces[0], *pieces[1:]), (400, 408))


SMUGGLED = [
    smuggled("a length and chunks", LENGTH + CHUNKED, b"0\r\n\r\n"),
    smuggled("chunks and a length of 0", CHUNKED + b"Content-Length: 0\r\n", b"0\r\n\r\n"),
    smuggled("two lengths, the first 0", b"Content-Length: 0\r\n" + LENGTH, GOOD),
    smuggled("two lengths, the last 0", LENGTH + b"Content-Length: 0\r\n", GOOD),
    smuggled("a list of lengths", b"Content-Length: 0, 44\r\n", GOOD),
    smuggled("a length with a sign", b"Content-Length: +0\r\n"),
    smuggled("a length with a space", b"Content-Length: 3 4\r\n", GOOD),
    smuggled("a length with an underline", b"Content-Length: 3_4\r\n", GOOD),
    smuggled("a length in Arabic digits", "Content-Length: ٣٤\r\n".encode(), GOOD),
    smuggled("a length behind a NUL", b"Content-Length: 34\x00\r\n", GOOD),
    smuggled("a length in a folded line", b"Content-Length:\r\n 34\r\n", GOOD),
    smuggled("a length behind a bare CR", b"x: 1\rContent-Length: 34\r\n", GOOD),
    smuggled("a space before the colon", b"Content-Length : 34\r\n", GOOD),
    smuggled("a tab before the colon", b"Content-Length\t: 34\r\n", GOOD),
    smuggled("chunked with a space before", b"Transfer-Encoding : chunked\r\n", b"0\r\n\r\n"),
    smuggled("chunked in a folded line", b"Transfer-Encoding:\r\n chunked\r\n", b"0\r\n\r\n"),
    smuggled("chunked with a comma", b"Transfer-Encoding: ,chunked\r\n" + LENGTH, b"0\r\n\r\n"),
    smuggled("chunked with a parameter", b"Transfer-Encoding: chunked;q=1\r\n", b"0\r\n\r\n"),
    smuggled("xchunked", b"Transfer-Encoding: xchunked\r\n" + LENGTH, GOOD),
    smuggled("chunked, identity", b"Transfer-Encoding: chunked, identity\r\n", b"0\r\n\r\n"),
    smuggled("chunked twice over", CHUNKED + CHUNKED, b"0\r\n\r\n"),
    smuggled("a name with an underline", b"Transfer_Encoding: chunked\r\n", b"0\r\n\r\n"),
    smuggled("a name in quotes", b'"Transfer-Encoding": chunked\r\n', b"0\r\n\r\n"),
]
FLOODS = [
    flood("headers without an end", POST, *[b"x-a: 1\r\n" * 10_000] * 8),
    flood("one header without an end", GET + b"x-a: ", *[b"a" * 80_000] * 8),
    flood("a name without an end", GET, *[b"a" * 80_000] * 8),
    flood("a path without an end", b"GET /", *[b"a" * 4096] * 20),
    flood("a method without an end", *[b"A" * 4096] * 20),
    flood("empty lines before a request", *[b"\r\n" * 2000] * 10),
    flood("blanks before a request", *[b" " * 4096] * 10),
    flood("1,000 cookies", GET + b"Cookie: a=1\r\n" * 1000 + b"\r\n"),
    flood("65 headers", GET + b"".join(b"x-%d: 1\r\n" % n for n in range(65)) + b"\r\n"),
    flood("the same header 200 times", GET + b"x-a: 1\r\n" * 200 + b"\r\n"),
]
CHUNKED_BODIES = [
    chunks("a size that is too large", b"ffffffffffffffff\r\n", b"x" * 100),
    chunks("a size past all integers", b"f" * 40 + b"\r\n"),
    chunks("a size in words", b"five\r\nhello\r\n0\r\n\r\n"),
    chunks("a size with a sign", b"+5\r\nhello\r\n0\r\n\r\n"),
    chunks("a size in C's hexadecimal", b"0x5\r\nhello\r\n0\r\n\r\n"),
    chunks("a size with blanks", b" 5 \r\nhello\r\n0\r\n\r\n"),
    chunks("an empty size", b"\r\nhello\r\n0\r\n\r\n"),
    chunks("a chunk that is longer than its size", b"2\r\nhello\r\n0\r\n\r\n"),
    chunks("a chunk that is shorter than its size", b"9\r\nhello\r\n0\r\n\r\n"),
    chunks("lines that end in LF", b"5\nhello\n0\n\n"),
    chunks("an extension without an end", b"5;" + b"a" * 70_000, b"a" * 70_000),
    chunks("a trailer that is a header", CHUNKS[:-2] + b"Content-Length: 5\r\n\r\n"),
    chunks("trailers without an end", CHUNKS[:-2], *[b"x-a: 1\r\n" * 500] * 4),
    chunks("nothing behind the head", b""),
]
SPLIT = [
    Pieces("split: in the method", (HEALTH[:2], HEALTH[2:]), (200,)),
    Pieces("split: in the line's end", (HEALTH[:22], HEALTH[22:]), (200,)),
    Pieces("split: before the last newline", (HEALTH[:-1], HEALTH[-1:]), (200,)),
    Pieces(
        "split: every byte of the head",
        tuple(HEALTH[n : n + 1] for n in range(len(HEALTH))),
        (200,),
    ),
    Pieces("split: half a head, then another request", (HEALTH[:20], HEALTH), (400, 404, None)),
]
BAD_STREAMS = [*SMUGGLED, *FLOODS, *CHUNKED_BODIES, *SPLIT]
