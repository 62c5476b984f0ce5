"""Bytes that are bad HTTP, as a table: what is sent, and the statuses that may come back.

``None`` among the statuses: closing without an answer is right, for bytes that
are no request at all or stop in the middle of one.
"""

from dataclasses import dataclass

from tests.corpus.bad_requests import GOOD, WIDGET_KEY

POST = b"POST /v1/chat HTTP/1.1\r\nHost: perch.test\r\n"
TYPE = b"Content-Type: application/json\r\nx-api-key: " + WIDGET_KEY.encode() + b"\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(GOOD)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
CHUNKS = b"%x\r\n%s\r\n0\r\n\r\n" % (len(GOOD), GOOD)
GET = b"GET /health HTTP/1.1\r\nHost: perch.test\r\n"


@dataclass(frozen=True)
class Framing:
    """Raw bytes, written at once; ``then_close`` ends our half of the connection."""

    claim: str
    raw: bytes
    statuses: tuple[int | None, ...] = (400,)
    then_close: bool = False

    def __str__(self) -> str:
        return self.claim


def post(claim: str, headers: bytes, body: bytes = GOOD, *statuses: int | None) -> Framing:
    return Framing(claim, POST + TYPE + headers + b"\r\n" + body, statuses or (400,))


def get(claim: str, headers: bytes, *statuses: int | None) -> Framing:
    return Framing(claim, GET + headers + b"\r\n", statuses or (400,))


def noise(claim: str, raw: bytes, *, then_close: bool = False) -> Framing:
    return Framing(claim, raw, (400, None), then_close)


BAD_FRAMING = [
    # Bodies whose length is unknown, too large or a lie.
    post("no length", b"", GOOD, 411),
    post("a chunked body of 2 MB", CHUNKED, b"200000\r\n" + b" " * 0x200000, 413),
    post(
        "a chunked body of 256 KB and a byte",
        CHUNKED,
        b"40001\r\n" + b" " * 0x40001 + b"\r\n0\r\n\r\n",
        413,
    ),
    post("a chunked body that does not go on", CHUNKED, b"5\r\n{", 408),
    noise(
        "a chunked body without its end",
        POST + TYPE + CHUNKED + b"\r\n" + CHUNKS[:-5],
        then_close=True,
    ),
    post("a chunk size that is no number", CHUNKED, b"xyz\r\n{}\r\n0\r\n\r\n"),
    post("a chunk size below 0", CHUNKED, b"-1\r\n{}\r\n0\r\n\r\n"),
    post("a declared length of 1 GB", b"Content-Length: 1000000000\r\n", b"", 413),
    post(
        "a declared length past all integers",
        b"Content-Length: " + b"9" * 30 + b"\r\n",
        b"",
        400,
        413,
    ),
    post("a length below 0", b"Content-Length: -1\r\n"),
    post("a length with a sign", b"Content-Length: +34\r\n"),
    post("a length in hexadecimal", b"Content-Length: 0x22\r\n"),
    post("a length with a fraction", b"Content-Length: 34.0\r\n"),
    post("a length that is a word", b"Content-Length: long\r\n"),
    post("an empty length", b"Content-Length: \r\n"),
    post("a length with a comma", b"Content-Length: 34, 34\r\n"),
    post("two lengths that agree", LENGTH + LENGTH),
    post("two lengths that differ", LENGTH + b"Content-Length: 5\r\n"),
    # Smuggling: two readers must not see two different requests.
    post("a length and chunks", LENGTH + CHUNKED, CHUNKS),
    post("chunks and a length", CHUNKED + LENGTH, CHUNKS),
    post("chunked twice", CHUNKED + CHUNKED, CHUNKS),
    post("chunked, then gzip", b"Transfer-Encoding: chunked, gzip\r\n", CHUNKS),
    post("gzip, then chunked", b"Transfer-Encoding: gzip, chunked\r\n", CHUNKS, 411),
    post("an unknown coding", b"Transfer-Encoding: gzip\r\n", CHUNKS),
    post("a coding with a vertical tab", b"Transfer-Encoding: \x0bchunked\r\n", CHUNKS),
    post("a coding in quotes", b'Transfer-Encoding: "chunked"\r\n', CHUNKS),
    post("identity and a length", b"Transfer-Encoding: identity\r\n" + LENGTH, GOOD),
    post("a space before the colon", b"Transfer-Encoding : chunked\r\n" + LENGTH),
    post("a length with an underscore", b"Content_Length: 5\r\n", GOOD, 400, 411),
    Framing(
        "a chunked body in HTTP/1.0",
        POST.replace(b"1.1", b"1.0") + TYPE + CHUNKED + b"\r\n" + CHUNKS,
    ),
    # Headers.
    get("a header without a colon", b"nonsense\r\n"),
    get("a header without a name", b": value\r\n"),
    get("a space in a name", b"x y: 1\r\n"),
    get("a name in parentheses", b"x(y): 1\r\n"),
    get("a name with an accent", b"x-cl\xe9: 1\r\n"),
    get("a folded header", b"x-a: 1\r\n folded\r\n"),
    get("a first header that is folded", b" folded: 1\r\n"),
    get("a NUL in a value", b"x-a: 1\x002\r\n"),
    get("a bare CR in a value", b"x-a: 1\rx-b: 2\r\n"),
    get("200 headers", b"".join(b"x-%d: 1\r\n" % n for n in range(200)), 400, 431),
    get("a header of 40,000 characters", b"x-a: " + b"a" * 40_000 + b"\r\n", 431),
    get("a header name of 40,000 characters", b"x" * 40_000 + b": 1\r\n", 400, 431),
    get("three headers of 30,000 characters", (b"x: " + b"a" * 30_000 + b"\r\n") * 3, 431),
    get("an expectation nobody meets", b"Expect: a-miracle\r\n", 400, 417),
    # Request lines.
    Framing("an unknown version", b"GET /health HTTP/9.9\r\nHost: perch.test\r\n\r\n"),
    Framing("no version", b"GET /health\r\nHost: perch.test\r\n\r\n"),
    Framing("a version in small letters", b"GET /health http/1.1\r\nHost: perch.test\r\n\r\n"),
    Framing("another protocol", b"GET /health FTP/1.1\r\nHost: perch.test\r\n\r\n"),
    Framing("a method in small letters", b"get /health HTTP/1.1\r\nHost: perch.test\r\n\r\n"),
    Framing("a method with a comma", b"GE,T /health HTTP/1.1\r\nHost: perch.test\r\n\r\n"),
    Framing("a method of 100 letters", b"A" * 100 + b" /health HTTP/1.1\r\n\r\n"),
    Framing("a space too many", b"GET  /health HTTP/1.1\r\nHost: perch.test\r\n\r\n"),
    Framing("a space in the path", b"GET /he alth HTTP/1.1\r\nHost: perch.test\r\n\r\n"),
    Framing("an empty path", b"GET  HTTP/1.1\r\nHost: perch.test\r\n\r\n"),
    Framing(
        "a path of 20,000 characters", b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n", (400, 414)
    ),
    Framing("a relative path", b"GET health HTTP/1.1\r\nHost: perch.test\r\n\r\n", (400, 404)),
    Framing(
        "a tunnel", b"CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test\r\n\r\n", (400, 404, 405)
    ),
    Framing(
        "another server's address",
        b"GET http://evil.test/x HTTP/1.1\r\nHost: perch.test\r\n\r\n",
        (400, 404),
    ),
    Framing("a star", b"OPTIONS * HTTP/1.1\r\nHost: perch.test\r\n\r\n", (200, 204, 400, 404)),
    # No requests at all.
    noise("noise", b"\x00\x01\x02\xff\xfe\r\n\r\n"),
    noise("a TLS hello", bytes.fromhex("16030100a5010000a10303") + b"\x00" * 160 + b"\r\n\r\n"),
    noise("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    noise("an answer", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    noise("mail", b"EHLO evil.test\r\n\r\n"),
    noise("a proxy's greeting", b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n\r\n"),
    noise("nothing, and closed", b"", then_close=True),
    noise("only newlines", b"\r\n\r\n\r\n\r\n", then_close=True),
    noise("half a request line", b"POST /v1/ch", then_close=True),
    noise("half of the headers", POST + TYPE[:20], then_close=True),
    noise("half of the body", POST + TYPE + LENGTH + b"\r\n" + GOOD[:10], then_close=True),
]
