"""The report: whole counts, and as many entries as have room."""

import json

from app.knowledge.learner.documents import Flag
from app.knowledge.learner.report import Report, Source, sources_of
from app.storage.document_store import MAX_REPORT_BYTES


def test_report_has_counts_reasons_and_what_is_done_now() -> None:
    report = Report(5)
    report.set("a", "read")
    report.set("a", "learned")
    report.set("b", "failed", "the server answers 500")
    report.current, report.done, report.total = "c", 2, 9
    report.sources = [Source("s", "sitemap", ("/a",), ("/b",))]
    report.flag([Flag("a", "why", "text")])

    found = json.loads(report.to_json())

    assert found["counts"] == {"failed": 1, "learned": 1}
    assert (found["current"], found["done"], found["total"]) == ("c", 2, 9)
    assert found["entries"] == [
        {"url": "a", "state": "learned"},
        {"url": "b", "state": "failed", "reason": "the server answers 500"},
    ]
    assert found["flagged"] == [{"key": "a", "why": "why", "text": "text"}]
    assert sources_of(report.to_json()) == report.sources


def test_report_that_is_too_long_says_how_much_was_left_out() -> None:
    report = Report(5)
    for number in range(15_000):
        report.set(f"https://site.example/健康/{number}", "unchanged")
    report.set("bad", "failed", "x" * 1000)
    report.state = "done"

    text = report.to_json()

    found = json.loads(text)
    assert MAX_REPORT_BYTES * 0.95 < len(text.encode()) <= MAX_REPORT_BYTES
    assert found["entries"][0]["url"] == "bad"
    assert found["counts"] == {"failed": 1, "unchanged": 15_000}
    assert len(found["entries"]) + found["leftOut"] == 15_001


def test_running_report_is_short() -> None:
    report = Report(5)
    for number in range(1000):
        report.set(str(number), "read")

    assert len(json.loads(report.to_json())["entries"]) == 100


def test_sources_of_a_damaged_report_are_none() -> None:
    for text in (None, "", "[]", "{", '{"sources":[{}]}', '{"sources":3}'):
        assert sources_of(text) == []
