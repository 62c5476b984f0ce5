from dataclasses import replace
from pathlib import Path

import pytest

from app.domain.knowledge import Inquiry
from app.knowledge.finding import find
from app.knowledge.open_index import OpenIndex
from tests.knowledge.library_parts import SHOP, a_page, a_text, open_library

# Less than the whole library costs.
TOKENS = 40


@pytest.fixture
def index(tmp_path: Path) -> OpenIndex:
    return open_library(tmp_path / "shop.db")


def ask(index: OpenIndex, question: str, tokens: int = TOKENS, **more: object) -> list[str]:
    """Return the keys of what is found, and headings behind them."""
    found = find(index, Inquiry(question, **more), tokens)  # type: ignore[arg-type]
    return [
        each.key.rpartition("/")[2] + (f"#{each.heading}" if each.heading else "")
        for each in found.passages
    ]


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("When are you closed on a Sunday?", "hours#Sunday"),
        ("sending parcels back", "returns"),
        ("hazelnut", "cake"),
        ("HAZELNÜTS", "cake"),
        ("chocolatecake", "cake"),
    ],
)
def test_best_passage_comes_first(index: OpenIndex, question: str, first: str) -> None:
    assert ask(index, question)[0] == first


def test_typo_is_found_by_the_pieces_that_few_passages_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("index", "ranking"):
        monkeypatch.setattr(f"app.knowledge.{module}.MAX_GRAM_PASSAGES", 2)
    pages = [a_page(name, ("", name)) for name in ("inflation", "relation", "dilation")]
    index = open_library(tmp_path / "shop.db", [*SHOP, *pages])

    assert ask(index, "nflation") == ["inflation"]


def test_passages_stay_within_the_budget_and_say_why(index: OpenIndex) -> None:
    found = find(index, Inquiry("bakery Sunday refund cake baker"), TOKENS)

    assert sum(each.tokens for each in found.passages) <= TOKENS
    best = found.passages[0]
    assert (best.url, best.title) == ("https://shop.example/hours#sunday", "Opening hours")
    assert set(best.terms) == {"bakeri", "sunday"}
    assert (found.version, found.is_ready, found.duration_ms > 0) == (1, True, True)


def test_passage_larger_than_the_budget_is_cut(index: OpenIndex) -> None:
    found = find(index, Inquiry("hazelnut"), 5)

    assert [each.tokens for each in found.passages] == [5]
    assert "Our chocolate cake has hazelnuts".startswith(found.passages[0].text)


def test_library_that_fits_is_told_whole(index: OpenIndex) -> None:
    found = find(index, Inquiry("hazelnut"), index.tokens)

    assert len(found.passages) == 6
    assert found.passages[0].title == "Cakes"


def test_nothing_is_found_of_what_no_page_speaks_of(index: OpenIndex) -> None:
    found = find(index, Inquiry("quantum chromodynamics"), TOKENS)

    assert ([*found.passages], found.has_content, found.coverage) == ([], True, 0.0)


def test_coverage_is_the_share_of_the_question_that_stands_there(index: OpenIndex) -> None:
    whole = find(index, Inquiry("hazelnuts and butter"), TOKENS).coverage
    half = find(index, Inquiry("hazelnuts and quarks"), TOKENS).coverage

    assert whole == 1.0
    assert 0.2 < half < 0.8


@pytest.mark.parametrize("question", ["thanks!", "Hello", "the", "???", ""])
def test_small_talk_neither_finds_nor_misses(index: OpenIndex, question: str) -> None:
    found = find(index, Inquiry(question), TOKENS)

    assert ([*found.passages], found.has_content) == ([], False)


def test_owner_answers_the_very_question(index: OpenIndex) -> None:
    found = find(index, Inquiry("do you DELIVER abroad"), TOKENS)

    assert found.owners_answer == "Yes, to Norway and Chile."
    assert [(each.is_correction, each.text) for each in found.passages] == [
        (True, "Yes, to Norway and Chile.")
    ]


def test_correction_of_a_question_alike_comes_first(tmp_path: Path) -> None:
    page = a_page(
        "abroad", ("Abroad", "Delivery abroad. Abroad we deliver. Deliver, deliver abroad.")
    )
    index = open_library(tmp_path / "a", [*SHOP, page])

    found = find(index, Inquiry("Can you deliver abroad?"), TOKENS)

    assert found.owners_answer is None
    assert found.passages[0].is_correction
    assert found.passages[0].title == "Do you deliver abroad?"


def test_follow_up_is_understood_by_the_question_before(index: OpenIndex) -> None:
    assert ask(index, "and why?", before="Is the bakery closed on Sundays?")[0] == "hours#Sunday"
    assert ask(index, "and hazelnuts?", before="Is the bakery closed on Sundays?")[0] == "cake"


def test_follow_up_looks_up_no_words_that_were_looked_up_before(index: OpenIndex) -> None:
    ask(index, "hazelnut")
    ask(index, "Sunday bakery")
    looked_up: list[str] = []
    index.connection.set_trace_callback(looked_up.append)

    found = ask(index, "Sunday bakery", before="hazelnut")

    assert found[0] == "hours#Sunday"
    assert not any("bm25" in each for each in looked_up)
    assert ask(index, "Sunday bakery") == ask(index, "Sunday bakery")


def test_yes_goes_on_with_what_was_spoken_of(index: OpenIndex) -> None:
    found = find(index, Inquiry("yes please", before="How do refunds work?"), TOKENS)

    assert found.passages[0].title == "Returns"
    assert not found.has_content


def test_cited_document_stays_a_candidate(index: OpenIndex) -> None:
    cited = ["https://shop.example/hours#sunday"]

    assert "hours#Sunday" in ask(index, "hazelnuts then?", before="Which nuts?", cited=cited)


def test_page_of_the_visitor_counts(tmp_path: Path) -> None:
    twins = [a_page(name, ("", "The shop has a parking lot.")) for name in ("a", "b", "c")]
    index = open_library(tmp_path / "twins", twins)

    assert ask(index, "parking", tokens=8) == ["a"]
    assert ask(index, "parking", tokens=8, page_url="https://shop.example/c?utm=1#x") == ["c"]


def test_pinned_document_is_always_told(tmp_path: Path) -> None:
    pinned = replace(a_text("text:1", "Note", "Be kind."), is_pinned=True)
    index = open_library(tmp_path / "a", [*SHOP, pinned])

    for question in ("hazelnut", "quantum chromodynamics", "thanks"):
        assert ask(index, question)[-1] == "text:1"


def test_one_document_gives_three_passages_at_most(tmp_path: Path) -> None:
    many = a_page("many", *((f"Part {at}", f"The engine has valve {at}.") for at in range(9)))
    index = open_library(tmp_path / "a", [many, *SHOP])

    assert sum(each.startswith("many") for each in ask(index, "engine valve", tokens=70)) == 3


def test_neighbours_under_one_heading_become_one_passage(tmp_path: Path) -> None:
    text = "\n\n".join(f"Zebra {at}. " + "Filling words. " * 40 for at in range(4))
    index = open_library(tmp_path / "a", [a_page("zoo", ("Zebras", text)), *SHOP])

    found = find(index, Inquiry("zebra"), 250)

    assert len(found.passages) == 1
    assert "Zebra 0" in found.passages[0].text
    assert "Zebra 1" in found.passages[0].text


def test_vectors_are_mixed_in(index: OpenIndex) -> None:
    ids = {row.title: row.id for row in index.all_rows()}

    near = [(ids["Cakes"], 0.9), (ids["Jobs"], 0.8)]

    found = find(index, Inquiry("what may I eat"), TOKENS, near)

    assert found.passages[0].title == "Cakes"


def test_without_vectors_words_answer(index: OpenIndex) -> None:
    found = find(index, Inquiry("hazelnut"), TOKENS, ())

    assert found.passages[0].title == "Cakes"


@pytest.mark.parametrize(
    "question", ['"', "a OR b", "NEAR(", "x" * 20_000, "\0", "*", "title:cake^"]
)
def test_no_question_is_syntax(index: OpenIndex, question: str) -> None:
    find(index, Inquiry(question), TOKENS)


def test_long_question_costs_no_more_than_its_beginning_and_end(index: OpenIndex) -> None:
    middle = " ".join(f"word{n:x}ings" for n in range(400))

    found = find(index, Inquiry(f"hazelnut {middle} refund"), TOKENS)

    assert {"hazelnut", "refund"} <= {term for each in found.passages for term in each.terms}
    assert len(index.words._terms) < 150


@pytest.mark.slow
def test_of_a_long_document_that_was_cited_the_heading_alone_is_read(tmp_path: Path) -> None:
    sections = [(f"Part {n}", f"About part {n} there is this to say.") for n in range(3000)]
    index = open_library(tmp_path / "long.db", [*SHOP, a_page("long", *sections)])
    reads: list[str] = []
    index.connection.set_trace_callback(reads.append)

    found = ask(index, "and why?", before="hazelnut", cited=["https://shop.example/long#part 2900"])

    assert found == ["cake", "long#Part 2900"]
    (document,) = index.at_urls(["https://shop.example/long"])
    assert not any("p.text" in each and f"'[{document}]'" in each for each in reads)
