"""Who has pages learnt again, when, and what becomes of the process that does it."""

import logging
from collections.abc import Iterator, Sequence

import gevent
import pytest

from app.domain.errors import StorageUnavailable
from app.operations.knowledge.learning_schedule import LEASE_S, LearningSchedule
from app.settings import AssistantSettings
from tests.clock import Clock
from tests.data import some_settings
from tests.fakes import until

HOUR_S = 3600


class Jobs:
    """A store of one job after the other."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.held: dict[str, tuple[str, float]] = {}
        self.done: dict[str, float] = {}
        self.renewals = 0
        self.is_away = False

    def begin_job(self, name: str, holder: str, *, lease_s: float, every_s: float) -> bool:
        if self.is_away:
            raise StorageUnavailable
        held, until = self.held.get(name, (holder, 0.0))
        if held == holder and until > self.clock():
            self.renewals += 1
        elif until > self.clock() or self.clock() - self.done.get(name, -1e9) < every_s:
            return False
        self.held[name] = holder, self.clock() + lease_s
        return True

    def end_job(self, name: str, holder: str) -> None:
        assert self.held.pop(name)[0] == holder
        self.done[name] = self.clock()


class FakeChild:
    """A process that ends by itself after so long, or when it is told to."""

    def __init__(self, clock: Clock, takes_s: float, code: int = 0) -> None:
        self._clock, self._until, self._code = clock, clock() + takes_s, code
        self.ended: list[str] = []
        self.heeds = True

    def poll(self) -> int | None:
        if "kill" in self.ended or ("terminate" in self.ended and self.heeds):
            return -15
        return self._code if self._clock() >= self._until else None

    def terminate(self) -> None:
        self.ended.append("terminate")

    def kill(self) -> None:
        self.ended.append("kill")

    def lines(self) -> Iterator[str]:
        yield from ("reading: 3 of 9 addresses", "", "Done: 9 learned")


class World:
    """A schedule, its clock, its store, and the children that it started."""

    def __init__(self, takes_s: float = 10, code: int = 0, **variables: str) -> None:
        self.clock = Clock()
        self.jobs = Jobs(self.clock)
        self.words: list[Sequence[str]] = []
        self.children: list[FakeChild] = []
        self._takes_s, self._code = takes_s, code
        self.set(**variables)

    def set(self, **variables: str) -> None:
        """Have the settings say something else from now on, as after a restart."""
        settings = some_settings(**{"SITE_URL": "https://site.example", **variables})
        self.assistants: Sequence[AssistantSettings] = settings.assistants

    def schedule(self) -> LearningSchedule:
        return LearningSchedule(
            self.jobs,  # type: ignore[arg-type]
            self.assistants,
            spawn=self._spawn,
            sleep=self._sleep,
            clock=self.clock,
        )

    def _spawn(self, words: Sequence[str]) -> FakeChild:
        self.words.append(words)
        self.children.append(FakeChild(self.clock, self._takes_s, self._code))
        return self.children[-1]

    def _sleep(self, seconds: float) -> None:
        self.clock.advance(seconds)
        gevent.sleep(0)


def test_one_of_many_workers_learns_and_again_a_day_later() -> None:
    world = World()
    schedules = [world.schedule(), world.schedule()]

    for each in schedules * 2:
        each.look()
    world.clock.advance(24 * HOUR_S)
    for each in schedules:
        each.look()

    assert world.words == [["learn", "--refresh", "--assistant", "default"]] * 2


@pytest.mark.parametrize(
    "variables", [{"SITE_URL": ""}, {"LEARN_EVERY_H": "0"}, {"GROUNDING": "off"}]
)
def test_nothing_is_learnt_where_the_owner_does_not_want_it(variables: dict[str, str]) -> None:
    world = World(**variables)

    world.schedule().watch()

    assert world.words == []


def test_what_failed_is_tried_again_when_its_lease_is_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World(code=1)
    first, second = world.schedule(), world.schedule()

    first.look()
    second.look()
    world.clock.advance(LEASE_S)
    second.look()

    assert len(world.words) == 2
    assert "is tried again in 30 minutes" in caplog.text


def test_another_site_is_learnt_at_once_whatever_became_of_the_one_before() -> None:
    world = World(code=1)
    world.schedule().look()

    world.set(SITE_URL="https://other.example")
    world.schedule().look()

    assert len(world.words) == 2


def test_lease_is_renewed_while_the_child_learns() -> None:
    world = World(takes_s=LEASE_S * 2)

    world.schedule().look()

    assert world.jobs.renewals >= LEASE_S * 2 / 60 - 2
    assert world.jobs.done


def test_what_the_child_says_is_logged_line_by_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        World().schedule().look()

    assert caplog.messages == [
        "Learning for default: reading: 3 of 9 addresses",
        "Learning for default: Done: 9 learned",
    ]


@pytest.mark.parametrize(
    ("heeds", "ended"), [(True, ["terminate"]), (False, ["terminate", "kill"])]
)
def test_child_ends_with_its_worker(heeds: bool, ended: list[str]) -> None:
    world = World(takes_s=1e9)
    schedule = world.schedule()
    looking = gevent.spawn(schedule.look)
    until(lambda: world.children)
    world.children[0].heeds = heeds

    schedule.stop()
    looking.join(timeout=5)

    assert world.children[0].ended == ended
    assert looking.dead
    assert world.jobs.done == {}


def test_store_that_is_away_is_asked_again_later(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    schedule = world.schedule()
    world.jobs.is_away = True
    watching = gevent.spawn(schedule.watch)
    until(lambda: "Learning goes on later" in caplog.text)

    world.jobs.is_away = False
    until(lambda: world.words)
    schedule.stop()
    watching.join(timeout=5)

    assert watching.dead
