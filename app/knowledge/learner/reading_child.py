"""Reads pages and files for ``reading``, frame by frame, until its input ends.

It has no secrets in its environment, little memory, and opens no file: what strangers
wrote meets parsers of native code here, and nowhere else.
"""

import json
import os
import sys
from typing import BinaryIO

from app.knowledge.learner import limits
from app.knowledge.learner.pages.files import read_file
from app.knowledge.learner.pages.frames import FRAME, MAX_ANSWER_BYTES
from app.knowledge.learner.pages.page import Unreadable, to_json


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer each frame, until there is none."""
    while len(head := requests.read(FRAME.size)) == FRAME.size:
        asked_bytes, body_bytes = FRAME.unpack(head)
        asked = json.loads(requests.read(asked_bytes))
        answer = json.dumps(_answer(asked, requests.read(body_bytes))).encode()
        if len(answer) > MAX_ANSWER_BYTES:
            answer = json.dumps({"error": "it holds too much text"}).encode()
        answers.write(FRAME.pack(len(answer), 0) + answer)
        answers.flush()


def _answer(asked: dict[str, str], body: bytes) -> dict[str, object]:
    try:
        return {"page": to_json(read_file(body, asked["kind"], asked["name"], asked["charset"]))}
    except Unreadable as error:
        return {"error": str(error)}
    except MemoryError:
        return {"error": "reading it takes too much memory"}
    except RecursionError:
        return {"error": "it is nested too deeply"}
    except Exception as error:  # of a parser, about one file of many: the next is another
        return {"error": f"it cannot be read ({type(error).__name__})"}


def main() -> None:
    """Serve on standard input and output, which no library may print to."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    limits.bound_reader()
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
