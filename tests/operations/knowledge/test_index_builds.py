"""Builds of indexes: one of an assistant at a time, and a start that waits for them."""

import logging
from collections.abc import Sequence

import pytest
from gevent.event import Event

from app.operations.knowledge.index_builds import IndexBuilds
from tests.fakes import WAIT_S, until


class Child:
    def __init__(self, words: Sequence[str]) -> None:
        self.words = list(words)
        self.ended = Event()
        self.code = 0

    def wait(self) -> int:
        assert self.ended.wait(WAIT_S)
        return self.code

    def last_words(self) -> str:
        return "no space left"


@pytest.fixture
def started() -> list[Child]:
    return []


@pytest.fixture
def builds(started: list[Child]) -> IndexBuilds:
    def spawn(words: Sequence[str]) -> Child:
        started.append(Child(words))
        return started[-1]

    return IndexBuilds(spawn)


def test_each_assistant_is_built_once_at_a_time(builds: IndexBuilds, started: list[Child]) -> None:
    for assistant in ("shop", "shop", "docs"):
        builds.request(assistant)

    assert [child.words for child in started] == [
        ["learn", "--build", "--assistant", "shop"],
        ["learn", "--build", "--assistant", "docs"],
    ]

    started[0].ended.set()
    until(lambda: not builds.is_building("shop"))
    builds.request("shop")
    assert len(started) == 3


def test_start_waits_until_what_was_asked_for_is_there(
    builds: IndexBuilds, started: list[Child]
) -> None:
    builds.request("shop")

    assert builds.wait_until(lambda: len(started) == 1, patience_s=WAIT_S)


def test_start_waits_no_longer_than_its_patience(builds: IndexBuilds) -> None:
    builds.request("shop")

    assert not builds.wait_until(lambda: False, patience_s=0)


def test_start_waits_for_nothing_that_has_failed(
    builds: IndexBuilds, started: list[Child], caplog: pytest.LogCaptureFixture
) -> None:
    builds.request("shop")
    started[0].code = 1
    started[0].ended.set()

    with caplog.at_level(logging.ERROR):
        assert not builds.wait_until(lambda: False, patience_s=WAIT_S)
    assert "was not built (1): no space left" in caplog.text


def test_child_that_cannot_be_started_is_told(caplog: pytest.LogCaptureFixture) -> None:
    def spawn(_words: Sequence[str]) -> Child:
        raise OSError(12, "Cannot allocate memory")

    IndexBuilds(spawn).request("shop")

    assert "Cannot allocate memory" in caplog.text
