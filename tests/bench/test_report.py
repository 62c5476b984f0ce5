"""From rounds to medians and a verdict."""

from bench.report import medians, to_comparison, to_table, to_verdict
from bench.runs import Round


def a_round(ours: float, floor: float) -> Round:
    return {
        "hold200": {
            "nginx": {"cpu_us_per_token": floor, "faults": {}},
            "perch": {"cpu_us_per_token": ours, "faults": {}},
        }
    }


def test_the_median_of_the_rounds_counts() -> None:
    found = medians([a_round(30, 20), a_round(90, 20), a_round(31, 20)])

    assert found["hold200"]["perch"]["cpu_us_per_token"] == 31


def test_a_goal_is_met_or_missed_and_what_was_not_measured_is_left_out() -> None:
    met, missed = (to_verdict(medians([a_round(ours, 20)])) for ours in (30, 40))

    assert met.splitlines()[2:] == [
        "| CPU per token at 200 streams, in floors | 1.6 | 1.50 | met |"
    ]
    assert missed.splitlines()[2:] == [
        "| CPU per token at 200 streams, in floors | 1.6 | 2.00 | **missed** |"
    ]


def test_a_figure_that_nobody_saw_is_an_empty_cell() -> None:
    table = to_table(medians([a_round(30, 20)]))

    assert "| perch | 30.00 |  |  |  |  | 0 |" in table


def test_old_against_new_is_a_ratio_of_each_figure_that_both_have() -> None:
    now, before = ({"cpu_us_per_token": figure} for figure in (30, 40))
    found = {"hold200": {"perch": now, "perch before": before}}

    assert to_comparison(found).splitlines()[2:] == ["| hold200 | CPU µs/token | 0.750 |"]
    assert to_comparison(medians([a_round(30, 20)])) == ""
