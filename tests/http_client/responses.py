"""Responses of every framing, whole and not; a whole one's body is ``hello``, or nothing."""

from tests.servers.peer import CHUNKED_HEAD, LAST_CHUNK, chunk, whole

FRAMED = {
    "content-length": whole(b"hello"),
    "empty": whole(b""),
    "no content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "chunked": CHUNKED_HEAD + chunk(b"he") + chunk(b"llo") + LAST_CHUNK,
    "chunk extension": CHUNKED_HEAD + b"5;name=value\r\nhello\r\n" + LAST_CHUNK,
    "trailers": CHUNKED_HEAD + chunk(b"hello") + b"0\r\nX-Sum: 1\r\nX-Other: 2\r\n\r\n",
    "closed": b"HTTP/1.1 200 OK\r\n\r\nhello",
    "1xx before": b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + whole(b"hello"),
    "100 twice": b"HTTP/1.1 100 Continue\r\n\r\n" * 2 + whole(b"hello"),
    "old": b"HTTP/1.0 200 OK\r\n\r\nhello",
}

BROKEN = {
    "nothing but a status": b"HTTP/1.1 200 OK\r\n",
    "cut head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "cut body": b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
    "cut chunk": CHUNKED_HEAD + b"a\r\nhalf",
    "no last chunk": CHUNKED_HEAD + chunk(b"whole"),
    "cut trailers": CHUNKED_HEAD + chunk(b"whole") + b"0\r\nX-Sum: ",
    "no http": b"\x16\x03\x01 this is not HTTP\r\n\r\n",
    "chunk without a size": CHUNKED_HEAD + b"x\r\nhello\r\n",
    "chunk longer than it says": CHUNKED_HEAD + b"2\r\nhello\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "head too large": b"HTTP/1.1 200 OK\r\n" + b"X-Padding: x\r\n" * 6000 + b"\r\n",
    "1xx without end": b"HTTP/1.1 100 Continue\r\n\r\n" * 6000,
    "upgrade": b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
}
