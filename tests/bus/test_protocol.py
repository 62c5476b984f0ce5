"""What the processes of a service tell each other, one version beside another."""

import pytest

from app.bus.protocol import BusMessage, SessionChanged, StopRequest, from_bytes, to_bytes


@pytest.mark.parametrize(
    "request_",
    [
        StopRequest("s-1"),
        StopRequest("s-1", "turn-0001"),
        StopRequest("s-1", if_unread=True),
        StopRequest("ünicode", "turn-0001", if_unread=True),
        SessionChanged("s-1"),
    ],
)
def test_what_is_written_down_is_read_again(request_: BusMessage) -> None:
    assert from_bytes(to_bytes(request_)) == request_


def test_a_change_is_no_list_which_a_machine_of_before_would_read_as_a_stop() -> None:
    assert to_bytes(SessionChanged("s-1")) == b'{"changed": "s-1"}'


def test_a_plain_stop_is_written_as_a_machine_of_before_reads_it() -> None:
    assert to_bytes(StopRequest("s-1", "turn-0001")) == b'["s-1", "turn-0001"]'


@pytest.mark.parametrize(
    "data", [b"[]", b"{}", b"nothing", b'["s", 1]', b'["s", null, "x"]', b'{"changed": 1}']
)
def test_anything_else_is_no_request(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_bytes(data)
