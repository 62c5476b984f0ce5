"""What takes a response's body from the hub."""

from app.http_client import HttpClient, HttpFailure


class Sink:
    """Takes what the pump hands over; refuses after ``patience`` pieces, once."""

    def __init__(self, patience: int = -1) -> None:
        self.pieces: list[bytes] = []
        self._patience = patience

    def __call__(self, data: bytes) -> bool:
        self.pieces.append(data)
        self._patience -= 1
        return self._patience != 0

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)


def pumped(http: HttpClient, refuse_after: int = 0) -> tuple[bytes, type | None]:
    """What comes of a response's body, and how it fails."""
    sink = Sink(refuse_after or -1)
    try:
        with http.open("GET", "/") as exchange:
            while not exchange.pump(sink):
                pass
    except HttpFailure as error:
        return sink.body, type(error)
    return sink.body, None
