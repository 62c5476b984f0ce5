"""Several buses as one, without any process behind them."""

from collections.abc import Callable

from app.bus.joined import JoinedBus
from app.bus.protocol import BusMessage, SessionChanged, StopRequest


class Wire:
    """A bus whose messages the test carries; nobody may listen to it twice."""

    def __init__(self) -> None:
        self.sent: list[BusMessage] = []
        self.receive: Callable[[BusMessage], object] | None = None

    def send(self, message: BusMessage) -> None:
        self.sent.append(message)

    def listen(self, receive: Callable[[BusMessage], object]) -> None:
        assert self.receive is None
        self.receive = receive


def test_what_is_sent_goes_over_each_bus() -> None:
    workers, machines = Wire(), Wire()

    JoinedBus([workers, machines]).send(StopRequest("s-1"))

    assert workers.sent == machines.sent == [StopRequest("s-1")]


def test_each_listener_hears_what_any_bus_brings() -> None:
    workers, machines = Wire(), Wire()
    bus = JoinedBus([workers, machines])
    one: list[BusMessage] = []
    other: list[BusMessage] = []

    bus.listen(one.append)
    bus.listen(other.append)
    for wire in (workers, machines):
        assert wire.receive is not None
        wire.receive(SessionChanged("s-1"))

    assert one == other == [SessionChanged("s-1")] * 2


def test_listener_that_fails_costs_the_others_nothing() -> None:
    wire = Wire()
    bus = JoinedBus([wire])
    heard: list[BusMessage] = []

    def fail(_: BusMessage) -> None:
        raise ZeroDivisionError

    bus.listen(fail)
    bus.listen(heard.append)
    assert wire.receive is not None
    wire.receive(SessionChanged("s-1"))

    assert heard == [SessionChanged("s-1")]


def test_nothing_is_listened_to_before_somebody_listens() -> None:
    wire = Wire()
    bus = JoinedBus([wire])

    assert wire.receive is None
    bus.send(StopRequest("s-1"))
    JoinedBus([]).send(StopRequest("s-1"))
