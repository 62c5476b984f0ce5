"""The sender: nothing twice, nothing lost, and each target in its own time."""

import logging
from collections.abc import Callable, Sequence

import gevent
import pytest

from app.domain.errors import StorageUnavailable
from app.domain.people import Notice
from app.notifications.delivery import NotTaken, NotYet
from app.notifications.facts import Facts
from app.notifications.sender import Outcome, Sender
from app.settings import Settings
from tests.fakes import Gate
from tests.notifications.outbox import NOW_MS, MsClock, NoticesInFile, Threads

MakeSender = Callable[..., Sender]
DAY_S = 86_400


class Told:
    """A target that keeps what it was told; its next answers are ``failures``."""

    def __init__(self, name: str, *failures: Exception | None) -> None:
        self.name = name
        self.failures = list(failures)
        self.told: list[str] = []
        self.attempts = 0
        self.facts: Facts | None = None

    def is_for(self, facts: Facts) -> bool:
        return facts.notice.type != "conversation.closed" or self.name == "webhook"

    def send(self, facts: Facts) -> None:
        self.attempts += 1
        self.facts = facts
        if self.failures and (failure := self.failures.pop(0)):
            raise failure
        self.told.append(facts.notice.id)


@pytest.fixture
def make(threads: Threads, people: NoticesInFile, settings: Settings, now: MsClock) -> MakeSender:
    def make(*targets: Told) -> Sender:
        return Sender(
            threads,  # type: ignore[arg-type]
            people,  # type: ignore[arg-type]
            {"default": settings.assistant},
            targets,
            clock=now,
        )

    return make


def run_for(sender: Sender, now: MsClock, seconds: float, step_s: float = 1) -> None:
    end = now() + seconds * 1000
    while now() < end:
        sender.run()
        now.advance(step_s)


def test_each_target_is_told_once(make: MakeSender, people: NoticesInFile, now: MsClock) -> None:
    webhook, email = Told("webhook"), Told("email")
    people.put_notice("conversation.waiting", "default", "c1")
    people.put_notice("conversation.closed", "default", "c1")

    run_for(make(webhook, email), now, 200)

    assert (webhook.told, email.told) == (["n0", "n1"], ["n0"])
    assert people.newest == Notice(
        "n1", "conversation.closed", NOW_MS, "default", "c1", pending=[], due_at=NOW_MS
    )


def test_who_has_taken_it_is_not_told_again_with_who_has_not(
    make: MakeSender, people: NoticesInFile, now: MsClock
) -> None:
    webhook = Told("webhook", NotTaken("answered 500"), NotTaken("answered 502"))
    email = Told("email")
    people.put_notice("conversation.waiting", "default", "c1")
    sender = make(webhook, email)

    sender.run()
    failed = people.newest
    run_for(sender, now, 60)

    assert list(failed.pending or ()) == [f"webhook:1:{failed.due_at}"]
    assert (failed.attempts, failed.problem) == (1, "webhook answered 500")
    assert 4000 <= failed.due_at - NOW_MS <= 6000
    assert (webhook.attempts, webhook.told, email.told) == (3, ["n0"], ["n0"])
    assert people.newest.pending == []
    assert not people.newest.is_given_up


def test_after_a_day_it_is_given_up(
    make: MakeSender, people: NoticesInFile, now: MsClock, caplog: pytest.LogCaptureFixture
) -> None:
    webhook = Told("webhook", *[NotTaken("answered 500")] * 99)
    people.put_notice("conversation.waiting", "default", "c1")

    run_for(make(webhook), now, 1.5 * DAY_S, step_s=60)

    given_up = people.newest
    assert (given_up.is_given_up, given_up.pending, given_up.attempts) == (True, ["webhook"], 13)
    assert given_up.problem == "webhook answered 500"
    assert webhook.attempts == 13
    assert [each.message for each in caplog.records if each.levelno == logging.ERROR] == [
        "webhook was not told of conversation.waiting (answered 500): it is given up"
    ]


def test_what_is_final_is_given_up_at_once_and_the_others_go_on(
    make: MakeSender, people: NoticesInFile, now: MsClock
) -> None:
    webhook = Told("webhook", NotTaken("answered 410", is_final=True))
    email = Told("email", NotTaken("answered 451"))
    people.put_notice("conversation.waiting", "default", "c1")

    run_for(make(webhook, email), now, 60)

    assert (webhook.attempts, email.told) == (1, ["n0"])
    assert people.newest.is_given_up
    assert people.newest.pending == ["webhook"]
    assert people.newest.problem == "webhook answered 410; email answered 451"


def test_a_receiver_is_left_alone_for_as_long_as_it_asks(
    make: MakeSender, people: NoticesInFile, now: MsClock
) -> None:
    webhook = Told("webhook", NotTaken("answered 429", retry_after_s=300))
    email = Told("email", NotTaken("answered 451"), NotTaken("answered 451"))
    people.put_notice("conversation.waiting", "default", "c1")
    sender = make(webhook, email)

    run_for(sender, now, 290)
    assert (webhook.attempts, email.attempts) == (1, 3)
    run_for(sender, now, 20)
    assert webhook.told == ["n0"]


def test_what_waits_is_no_attempt(make: MakeSender, people: NoticesInFile, now: MsClock) -> None:
    visitor = Told("visitor", NotYet(NOW_MS + 120_000))
    webhook = Told("webhook", NotTaken("answered 500"))
    people.put_notice("conversation.waiting", "default", "c1")
    sender = make(visitor, webhook)

    run_for(sender, now, 119)
    assert (visitor.attempts, webhook.told) == (1, ["n0"])
    assert people.newest.attempts == 1
    run_for(sender, now, 5)
    assert visitor.told == ["n0"]


def test_a_bug_of_one_target_keeps_no_other_from_being_told(
    make: MakeSender, people: NoticesInFile, now: MsClock
) -> None:
    webhook, email = Told("webhook", ZeroDivisionError()), Told("email")
    people.put_notice("conversation.waiting", "default", "c1")

    make(webhook, email).run()

    assert email.told == ["n0"]
    assert people.newest.problem == "webhook failed unexpectedly: see the log"


def test_of_a_deleted_conversation_nobody_is_told(
    make: MakeSender, people: NoticesInFile, threads: Threads
) -> None:
    webhook = Told("webhook")
    people.put_notice("conversation.waiting", "default", "c1")
    threads.is_deleted = True

    make(webhook).run()

    assert webhook.attempts == 0
    assert people.newest.pending == []


def test_what_is_older_than_its_targets_is_not_told(
    make: MakeSender, people: NoticesInFile, now: MsClock
) -> None:
    webhook = Told("webhook")
    people.put_notice("conversation.waiting", "default", "c1")
    now.advance(DAY_S + 1)

    make(webhook).run()

    assert (webhook.attempts, people.newest.pending) == (0, [])


def test_a_target_that_is_configured_no_more_is_forgotten(
    make: MakeSender, people: NoticesInFile, now: MsClock
) -> None:
    people.put_notice("conversation.waiting", "default", "c1")
    make(Told("webhook", NotTaken("answered 500"))).run()
    now.advance(100)

    email = Told("email")
    make(email).run()

    assert (email.attempts, people.newest.pending, people.newest.is_given_up) == (0, [], False)


def test_where_the_store_is_away_it_is_told_again_and_not_lost(
    make: MakeSender, people: NoticesInFile, now: MsClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    email = Told("email", StorageUnavailable())
    people.put_notice("conversation.waiting", "default", "c1")
    sender = make(Told("webhook"), email)

    run_for(sender, now, 200)

    assert email.told == ["n0"]
    assert people.newest.attempts == 0


def test_who_has_taken_it_is_not_told_again_where_the_store_was_away_then(
    make: MakeSender, people: NoticesInFile, now: MsClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_args: object, **_named: object) -> None:
        raise StorageUnavailable

    email, webhook = Told("email"), Told("webhook")
    people.put_notice("conversation.waiting", "default", "c1")
    sender = make(email, webhook)
    with monkeypatch.context() as patch:
        patch.setattr(people, "settle_notice", away)
        run_for(sender, now, 200)

    run_for(sender, now, 200)

    assert (email.told, webhook.told) == (["n0"], ["n0"])
    assert (people.newest.pending, people.newest.is_given_up) == ([], False)


def test_notices_that_take_long_are_left_to_the_next_turn(
    make: MakeSender, people: NoticesInFile, now: MsClock
) -> None:
    class Slow(Told):
        def send(self, facts: Facts) -> None:
            super().send(facts)
            now.advance(30)

    webhook = Slow("webhook")
    for _ in range(4):
        people.put_notice("conversation.waiting", "default", "c1")
    sender = make(webhook)

    sender.run()
    assert webhook.told == ["n0", "n1"]
    now.advance(100)
    sender.run()
    assert webhook.told == ["n0", "n1", "n2", "n3"]


def test_the_message_is_found_however_far_back(
    make: MakeSender, people: NoticesInFile, threads: Threads
) -> None:
    message = threads.say("user", "first")
    for _ in range(450):
        threads.say("user", "more")
    webhook = Told("webhook")
    people.put_notice("message.created", "default", "c1", message)

    make(webhook).run()

    assert webhook.facts
    assert webhook.facts.message
    assert webhook.facts.message.content == "first"


def test_a_test_tells_what_came_of_it_at_each_target(make: MakeSender) -> None:
    webhook, email = Told("webhook"), Told("email", NotTaken("answered 535"))

    outcomes: Sequence[Outcome] = make(webhook, email).test("default")

    assert outcomes == [Outcome("webhook", None), Outcome("email", "answered 535")]
    assert webhook.told[0].startswith("test-")


def test_one_of_two_senders_has_the_lease(make: MakeSender, now: MsClock) -> None:
    senders = [make(Told("webhook")), make(Told("webhook"))]

    def who_has_it() -> list[bool]:
        return [each._has_lease() for each in senders]

    assert who_has_it() == [True, False]
    now.advance(50)
    assert who_has_it() == [True, False]
    now.advance(50)
    senders.reverse()
    assert who_has_it() == [False, True]
    now.advance(61)
    assert who_has_it() == [True, False]


def test_whoever_put_something_wakes_the_sender(make: MakeSender, people: NoticesInFile) -> None:
    webhook = Told("webhook")
    sender = make(webhook)
    watch = gevent.spawn(sender.watch)
    try:
        gevent.sleep(0)
        people.put_notice("conversation.waiting", "default")
        sender.wake()
        for _ in range(20):
            gevent.sleep(0)
        assert webhook.told == ["n0"]
    finally:
        watch.kill()


def test_process_that_ends_settles_what_it_tells_and_leaves_the_rest(
    make: MakeSender, people: NoticesInFile
) -> None:
    gate = Gate()

    class Held(Told):
        def send(self, facts: Facts) -> None:
            gate.pass_through()
            super().send(facts)

    first, second = Held("email"), Told("webhook")
    for _ in range(2):
        people.put_notice("conversation.waiting", "default", "c1")
    ending = make(first, second)
    watch = gevent.spawn(ending.watch)
    gate.wait_reached()
    end = gevent.spawn(ending.end, 20)
    gevent.sleep(0)
    assert not end.ready()

    gate.open()
    end.get(timeout=20)
    watch.get(timeout=20)
    assert (first.told, second.told) == (["n0"], [])
    email, webhook = Told("email"), Told("webhook")
    following = make(email, webhook)
    assert following._has_lease()
    following.run()

    assert (email.told, webhook.told) == (["n1"], ["n0", "n1"])


def test_without_targets_the_watch_ends(make: MakeSender) -> None:
    make().watch()
