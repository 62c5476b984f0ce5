"""Pages wait in a file."""

from app.knowledge.learner.crawling.spool import Read, Spool
from app.knowledge.learner.pages.page import (
    Block,
    Link,
    Page,
    Part,
)


def test_pages_come_back_in_order_without_their_links() -> None:
    page = Page(
        "Größe", [Part("A", "a", [Block("健康", True)])], "x", "de", "/c", "/b", [Link("/l")]
    )
    with Spool() as spool:
        spool.add(Read("b", "page", "b", page))
        spool.add(Read("a", "file", None, Page("second", ())))
        spool.add(Read("b", "page", "b", Page("not kept", ())))

        found = list(spool)

        assert [each.key for each in found] == ["b", "a"]
        assert found[0].page.parts == page.parts
        assert (found[0].page.title, found[0].page.links) == ("Größe", [])
        assert (found[1].kind, found[1].url) == ("file", None)
        assert spool["a"].page.title == "second"
        assert "b" in spool
        assert len(spool) == 2
