"""What a model says, on its way to the reader."""

from collections.abc import Sequence

import gevent
import pytest

from app.turns.transcript import Relay

MANY = 600  # more than one reader may be behind


class Sent:
    """An outlet that takes everything at once."""

    def __init__(self) -> None:
        self.tokens: list[str] = []

    def send(self, tokens: Sequence[str]) -> bool:
        self.tokens += tokens
        return True

    def beat(self) -> None: ...

    def flush(self) -> None: ...


def a_relay(max_chars: int = 10_000, outlet: Sent | None = None) -> Relay:
    relay = Relay(max_chars)
    relay.outlet = outlet
    return relay


def test_everything_that_was_said_is_kept_in_order() -> None:
    relay = a_relay()
    words = [f"{number} " for number in range(100)]

    for at in range(0, 100, 7):
        relay.receive(words[at : at + 7])

    assert (relay.text, relay.count) == ("".join(words), 100)
    assert relay.take() == words
    assert not relay.is_waiting


def test_outlet_takes_what_would_wait() -> None:
    outlet = Sent()
    relay = a_relay(outlet=outlet)

    wanted = relay.receive(["Hel", "lo"])

    assert wanted
    assert outlet.tokens == ["Hel", "lo"]
    assert not relay.is_waiting


def test_first_delta_is_the_one_whose_time_is_known() -> None:
    relay = a_relay()
    assert relay.first_at is None
    relay.receive(["a"])
    first_at = relay.first_at

    relay.receive(["b"])

    assert relay.first_at == first_at is not None


@pytest.mark.parametrize(
    ("reads", "said"),
    [
        ([["12345", "67890"]], "1234567"),
        ([["12345"], ["67890"]], "1234567"),
        ([["1234567"], ["890"]], "1234567"),
        ([["12345678901234567890"]], "1234567"),
        ([["12345"], ["678"], ["never"]], "1234567"),
    ],
)
def test_too_much_is_cut_to_the_character_and_no_more_is_wanted(
    reads: list[list[str]], said: str
) -> None:
    outlet = Sent()
    relay = a_relay(7, outlet)

    wanted = [relay.receive(deltas) for deltas in reads]

    assert not wanted[-1]
    assert relay.is_full
    assert relay.text == "".join(outlet.tokens) == said


def test_exactly_as_much_as_may_be_is_not_too_much() -> None:
    relay = a_relay(7)

    assert relay.receive(["1234567"])
    assert not relay.is_full


def test_reader_far_behind_holds_up_the_model_until_it_takes() -> None:
    relay = a_relay()
    assert not relay.receive(["x"] * MANY)
    waiting = gevent.spawn(relay.make_room)
    gevent.idle()
    assert not waiting.dead

    assert len(relay.take()) == MANY

    waiting.get(timeout=20)


def test_room_that_was_made_already_is_not_waited_for() -> None:
    relay = a_relay()
    relay.receive(["x"] * MANY)
    relay.take()

    relay.make_room()


def test_reader_is_woken_by_what_comes_and_else_by_the_clock() -> None:
    relay = a_relay()
    gevent.spawn(relay.receive, ["a"])

    assert relay.wait(20)
    assert not relay.wait(0.001)


def test_text_of_another_time_is_told_and_not_said_again() -> None:
    relay = a_relay()

    relay.tell_again("Nine to five.")

    assert relay.take() == ["Nine to five."]
    assert relay.text == ""
