"""Bytes of any kind, and all that the server answers to them."""

import socket
import time
from collections.abc import Sequence
from http.client import HTTPException, HTTPResponse

from tests.live.exchange import Address, Answer

PATIENCE_S = 8.0
PAUSE_S = 0.002


def converse(
    address: Address, pieces: Sequence[bytes], *, second_s: float, then_close: bool = False
) -> list[Answer]:
    """Send the pieces, and return all answers until the server closes or waits for more.

    ``second_s`` is how long another answer is waited for.
    """
    answers: list[Answer] = []
    with socket.create_connection(address, PATIENCE_S) as link:
        try:
            for number, piece in enumerate(pieces):
                if number:
                    time.sleep(PAUSE_S)  # so that each travels alone
                link.sendall(piece)
            if then_close:
                link.shutdown(socket.SHUT_WR)
            while True:
                response = HTTPResponse(link)
                response.begin()
                answers.append(Answer(response.status, response.headers, response.read()))
                link.settimeout(second_s)
        except TimeoutError:
            assert answers, "neither an answer nor a closed connection"
        except (HTTPException, ConnectionError):
            pass
    return answers
