"""Lines between a worker and the sidecar."""

import json

import pytest

from app.domain.knowledge import Similarities
from app.knowledge.vectors.wire import (
    IndexStatus,
    SidecarStatus,
    from_line,
    similarities_of,
    similarities_to_fields,
    status_of,
    status_to_fields,
    to_line,
)


def test_similarities_survive_the_wire() -> None:
    found = Similarities(((7, 0.5), (3, 0.25)), -0.125, 0.5, 0.75)

    line = to_line({"id": 1, **similarities_to_fields(found)})

    assert line == (
        b'{"id":1,"nearest":[[7,0.5],[3,0.25]],"least":-0.125,"greatest":0.5,"share":0.75}\n'
    )
    assert similarities_of(from_line(line)) == found


def test_status_survives_the_wire() -> None:
    status = SidecarStatus("m", 1, 2.0, 3, 4, 5, (IndexStatus("a-1.db", 10, 4, "OSError"),))

    assert status_of(from_line(to_line(status_to_fields(status)))) == status
    assert status.is_busy


@pytest.mark.parametrize("line", [b"", b"[]", b"1", b"{", b"\xff", b"nonsense"])
def test_what_is_no_object_is_a_value_error(line: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 — JSON's own, and decoding's
        from_line(line)


def test_question_with_line_breaks_is_one_line() -> None:
    line = to_line({"question": "a\nb\r\u2028\ud800"})

    assert line.count(b"\n") == 1
    assert json.loads(line)["question"] == "a\nb\r\u2028\ud800"
