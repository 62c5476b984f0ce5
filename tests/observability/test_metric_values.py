"""Values that the workers share: added up, and left behind."""

from pathlib import Path
from typing import TYPE_CHECKING

from app.observability.metric_text import HISTOGRAMS
from app.observability.metric_values import SharedValues, Values
from app.observability.metrics import Metrics
from tests.observability.scrape import figures

if TYPE_CHECKING:
    pass


def test_workers_are_added_up_and_a_slot_goes_on(tmp_path: Path) -> None:
    shared = SharedValues(tmp_path)
    for slot, count in ((0, 2), (1, 3)):
        values = Values()
        values.add(("perch_turns", "done", "json"), count)
        values.observe(("perch_turn_seconds",), HISTOGRAMS["perch_turn_seconds"][2], 2.5)
        values.gauges = {("perch_workers",): 1.0}
        shared.write(slot, values)
    shared.leave(1)

    successor = Metrics()
    successor.read("perch_workers", lambda: 1)
    successor.take_slot(shared, 1)
    successor.time_call("ping", 0.002, failed=True)

    told = figures(successor.render().decode())
    assert told['perch_turns_total{outcome="done",protocol="json"}'] == 5
    assert told['perch_turn_seconds_bucket{le="2.0"}'] == 0
    assert told['perch_turn_seconds_bucket{le="3.0"}'] == 2
    assert told["perch_turn_seconds_sum"] == 5
    assert told['perch_storage_seconds_count{call="ping",outcome="failed"}'] == 1
    assert told["perch_workers"] == 2


def test_a_worker_that_left_holds_nothing_open(tmp_path: Path) -> None:
    shared = SharedValues(tmp_path)
    values = Values()
    values.gauges = {("perch_running_turns",): 7.0}
    shared.write(0, values)

    shared.leave(0)

    assert shared.all_gauges() == {}
