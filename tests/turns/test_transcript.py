"""What a model says, kept whole and read by any number."""

import random
from collections.abc import Sequence

import gevent
import pytest

from app.turns.transcript import Transcript
from tests.fakes import until

MANY = 600  # more than is kept delta by delta


class Sent:
    """An outlet; every so often one waits for a flush, and the visitor may be gone by then."""

    def __init__(self, full_at: int = 0, *, is_gone: bool = False) -> None:
        self.tokens: list[str] = []
        self.is_gone = is_gone
        self._full_at = full_at
        self._rest: Sequence[str] = ()
        self.may_flush = gevent.event.Event()
        self.may_flush.set()

    def send(self, tokens: Sequence[str]) -> bool:
        self._full_at -= 1
        if self._full_at == 0:
            self._rest = tokens
            return False
        self.tokens += tokens
        return True

    def beat(self) -> None: ...

    def flush(self) -> None:
        self.may_flush.wait()
        if self.is_gone:
            raise BrokenPipeError
        self.tokens += self._rest
        self._rest = ()


def attached(outlet: Sent, max_chars: int = 10_000) -> Transcript:
    transcript = Transcript(max_chars)
    transcript.attach(outlet)
    return transcript


def test_everything_that_was_said_is_kept_in_order() -> None:
    transcript = Transcript(10_000)
    words = [f"{number} " for number in range(100)]
    reader = transcript.read()

    for at in range(0, 100, 7):
        transcript.receive(words[at : at + 7])

    assert (transcript.text, transcript.count) == ("".join(words), 100)
    assert list(reader.take()) == words
    assert not reader.take()


def test_outlet_takes_what_comes() -> None:
    outlet = Sent()
    transcript = attached(outlet)

    assert transcript.receive(["Hel", "lo"])

    assert outlet.tokens == ["Hel", "lo"]


def test_first_delta_is_the_one_whose_time_is_known() -> None:
    transcript = Transcript(10_000)
    assert transcript.first_at is None
    transcript.receive(["a"])
    first_at = transcript.first_at

    transcript.receive(["b"])

    assert transcript.first_at == first_at is not None


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
    transcript = attached(outlet, max_chars=7)
    reader = transcript.read()

    wanted = [transcript.receive(deltas) for deltas in reads]

    assert not wanted[-1]
    assert transcript.is_full
    assert transcript.text == "".join(outlet.tokens) == "".join(reader.take()) == said


def test_exactly_as_much_as_may_be_is_not_too_much() -> None:
    transcript = Transcript(7)

    assert transcript.receive(["1234567"])
    assert not transcript.is_full


@pytest.mark.parametrize("behind", [0, 1, 15, 16, 17, 40, 511, 512, 513, MANY])
@pytest.mark.parametrize("step", [1, 7, 30])
def test_reader_gets_all_of_it_once_however_far_behind(behind: int, step: int) -> None:
    transcript = Transcript(100_000)
    words = [f"{number} " for number in range(MANY)]
    transcript.receive(words[:behind])
    reader = transcript.read()
    taken = [*reader.take()]

    for at in range(behind, MANY, step):
        transcript.receive(words[at : at + step])
        if at % 3 == 0:
            taken += reader.take()
    taken += reader.take()

    assert "".join(taken) == transcript.text == "".join(words)


@pytest.mark.parametrize("seed", range(50))
def test_each_reader_gets_all_of_it_once_whenever_it_comes_takes_and_goes(seed: int) -> None:
    chance = random.Random(seed)
    outlet = Sent(full_at=chance.randrange(1, 60))
    transcript = attached(outlet)
    reading = [(transcript.read(), list[str]())]

    for number in range(100):
        transcript.receive([f"{number} "] * chance.choice([1, 1, 1, 2, 20]))
        if chance.random() < 0.1:
            reading.append((transcript.read(), []))
        for reader, taken in reading:
            if chance.random() < 0.3:
                taken += reader.take()
        if chance.random() < 0.1:  # one has read all of it until now, and goes
            reader, taken = reading.pop(chance.randrange(len(reading)))
            taken += reader.take()
            assert "".join(taken) == transcript.text
            reader.close()
            reading.append((transcript.read(), []))
        if chance.random() < 0.2:
            gevent.idle()  # the outlet may catch up
    transcript.detach(20)

    assert "".join(outlet.tokens) == transcript.text
    assert ["".join([*taken, *reader.take()]) for reader, taken in reading] == [
        transcript.text
    ] * len(reading)


def test_readers_are_woken_by_what_comes_and_else_by_the_clock() -> None:
    transcript = Transcript(10)
    readers = [transcript.read(), transcript.read()]
    gevent.spawn(transcript.receive, ["a"])

    assert all(reader.wait(20) for reader in readers)
    assert not any(reader.wait(0.001) for reader in readers)


def test_reader_who_has_closed_is_woken_no_more() -> None:
    transcript = Transcript(10)
    reader = transcript.read()
    reader.close()

    transcript.receive(["a"])

    assert not reader.wait(0.001)


def test_outlet_that_is_full_gets_the_rest_in_order_and_holds_up_nobody() -> None:
    outlet = Sent(full_at=2)
    outlet.may_flush.clear()
    transcript = attached(outlet)

    for word in "abcd":
        assert transcript.receive([word])
    gevent.idle()
    assert outlet.tokens == ["a"]
    outlet.may_flush.set()
    until(lambda: len(outlet.tokens) == 4)
    transcript.receive(["e"])

    assert outlet.tokens == list("abcde")


def test_detached_outlet_has_taken_everything() -> None:
    outlet = Sent(full_at=1)
    transcript = attached(outlet)
    transcript.receive(["a"])
    transcript.receive(["b"])

    transcript.detach(20)
    transcript.receive(["c"])

    assert outlet.tokens == ["a", "b"]


def test_outlet_that_takes_too_long_is_given_up() -> None:
    outlet = Sent(full_at=1)
    outlet.may_flush.clear()
    transcript = attached(outlet)
    transcript.receive(["a"])

    with pytest.raises(BrokenPipeError, match="too slowly"):
        transcript.detach(0.01)

    outlet.may_flush.set()
    gevent.idle()
    assert outlet.tokens == []  # the connection is another's by now


def test_outlet_whose_visitor_is_gone_is_sent_nothing_more() -> None:
    outlet = Sent(full_at=1, is_gone=True)
    transcript = attached(outlet)

    transcript.receive(["a"])
    gevent.idle()
    transcript.receive(["b"])
    transcript.detach(20)

    assert outlet.tokens == []
    assert transcript.text == "ab"


def test_outlet_that_is_dropped_is_sent_nothing_more() -> None:
    outlet = Sent()
    transcript = attached(outlet)
    transcript.receive(["a"])

    transcript.drop()
    transcript.receive(["b"])

    assert outlet.tokens == ["a"]
    assert transcript.text == "ab"
