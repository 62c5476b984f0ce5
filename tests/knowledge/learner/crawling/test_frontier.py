"""The order of addresses."""

from app.knowledge.learner.crawling.frontier import Frontier


def test_lowest_rank_first_and_each_once() -> None:
    frontier = Frontier()
    for url, rank in (("b", 1), ("a", 0), ("c", 1), ("b", 0)):
        assert frontier.add(url, rank) is None

    assert [frontier.take() for _ in range(4)] == ["a", "b", "c", None]
    frontier.add("a", 0)
    assert len(frontier) == 0


def test_address_that_was_come_upon_otherwise_does_not_wait() -> None:
    frontier = Frontier()

    assert frontier.see("a")
    assert not frontier.see("a")
    frontier.add("a", 0)
    assert frontier.take() is None


def test_variants_of_one_page_are_bounded() -> None:
    frontier = Frontier()

    refused = [frontier.add(f"http://a/?day={n}", 0) for n in range(60)]

    assert refused.count(None) == 50
    assert refused[-1] == "one of more than 50 variants of a page"
