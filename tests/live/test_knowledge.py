"""A site that is learnt by the real server: answers from it, and what it does not answer."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from tests.knowledge.learner.site import a_page, send, serving
from tests.live.eventually import eventually
from tests.servers.perch import ADMIN_KEY, Server
from tests.servers.upstream import Upstream

pytestmark = pytest.mark.usefixtures("looks_into_pages")

LEARN_S = 30.0
HOURS = "On Sundays the shop opens at ten and closes at noon, on all other days at six."
RETURNS = "Whoever is unhappy with a chair sends it back within thirty days, and pays nothing."
ASKED = "When does the shop open on Sundays?"
UNKNOWN = "Which wood are zebras made of?"


@dataclass
class Site:
    """Pages on localhost, by their paths; without any, the site is down."""

    port: int = 0
    pages: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        page = self.pages.get(handler.path)
        if page is not None:
            send(handler, page.encode())
        else:
            send(handler, b"gone", 404 if self.pages else 503)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    site = Site()
    with serving(site.answer) as site.port:
        site.pages = {
            "/": a_page("A shop of chairs", "We make chairs.", links=("/hours", "/returns")),
            "/hours": a_page("Opening hours", HOURS).replace("<p>", "<h2 id=week>The week</h2><p>"),
            "/returns": a_page("Returns", RETURNS),
        }
        yield site


@pytest.fixture
def shop(site: Site) -> Iterator[Server]:
    """A server without a key that was told where its site begins, and has learnt it."""
    with Server(SITE_URL=site.url) as server:
        wait_until_learnt(server)
        yield server


@pytest.fixture
def citing(upstream: Upstream) -> Upstream:
    """A model that cites the first page, whatever it is asked."""
    upstream.script(tokens=["At ten ", "[1]."])
    return upstream


def wait_until_learnt(server: Server) -> None:
    eventually(lambda: found(server), within_s=LEARN_S)


def found(server: Server) -> Any:
    """What would be found, without a turn."""
    return admin(server, "POST", "/ask", {"question": ASKED})["passages"]


def admin(server: Server, method: str, path: str, body: Any = None) -> Any:
    return server.request(
        method, f"/v1/admin/knowledge{path}", body, x_admin_api_key=ADMIN_KEY
    ).json


def test_without_a_key_the_demo_quotes_the_page_and_names_it(shop: Server, site: Site) -> None:
    with shop.stream(ASKED) as stream:
        start, sources, *tokens, done = stream.events()

    assert (start["type"], sources["type"], done["type"]) == ("start", "sources", "done")
    best = {"n": 1, "title": "Opening hours › The week", "url": f"{site.url}hours#week"}
    assert sources["sources"][0] == best
    assert done["sources"][0] == best
    assert "At ten" in done["message"] or "opens at ten" in done["message"]
    assert "".join(each["token"] for each in tokens) == done["message"]
    _, answer = shop.messages(done["conversationId"])
    assert answer["sources"] == done["sources"]
    turns = [line["knowledge"] for line in shop.log_lines() if "knowledge" in line]
    assert (turns[-1]["found"] >= 1, turns[-1]["cited"] >= 1) == (True, True)
    assert "Sundays" not in shop.log()


def test_question_that_the_site_does_not_answer_is_answered_by_its_owner(shop: Server) -> None:
    first = shop.chat(UNKNOWN).json
    assert first["sources"] == []
    [gap] = [each for each in admin(shop, "GET", "/gaps")["gaps"] if each["question"] == UNKNOWN]
    assert gap["count"] == 1

    words = "Of none: *zebras* are animals."
    admin(shop, "POST", "/corrections", {"question": UNKNOWN, "answer": words})

    def second() -> Any:
        answer = shop.chat("which wood are ZEBRAS made of").json
        return answer if answer.get("answeredBy") == "owner" else None

    told = eventually(second, within_s=LEARN_S)
    assert told["message"] == words
    assert UNKNOWN not in [each["question"] for each in admin(shop, "GET", "/gaps")["gaps"]]


def test_site_that_is_down_goes_on_being_answered_from(
    site: Site, citing: Upstream, tmp_path: Path
) -> None:
    with Server.over(citing, tmp_path, SITE_URL=site.url) as server:
        wait_until_learnt(server)
        kept, site.pages = site.pages, {}
        try:
            admin(server, "POST", "/learn", {"refresh": True})
            stale = eventually(
                lambda: [
                    each
                    for each in admin(server, "GET", "/documents")["documents"]
                    if each.get("problem")
                ],
                within_s=LEARN_S,
            )
            assert all("503" in each["problem"] for each in stale)
            assert server.chat(ASKED).json["sources"]
        finally:
            site.pages = kept


def test_machine_without_an_index_has_one_before_its_first_request(
    site: Site, citing: Upstream, tmp_path: Path
) -> None:
    with Server(tmp_path, SITE_URL=site.url) as server:
        wait_until_learnt(server)
    shutil.rmtree(tmp_path / "knowledge")

    with Server.over(citing, tmp_path, LEARN_EVERY_H="0") as again:
        assert again.chat(ASKED).json["sources"]


def test_corrupt_index_is_built_again(site: Site, tmp_path: Path) -> None:
    with Server(tmp_path, SITE_URL=site.url) as server:
        wait_until_learnt(server)
    for index in (tmp_path / "knowledge").glob("*.db"):
        index.write_bytes(index.read_bytes()[:5000] + b"\0" * 5000)

    with Server(tmp_path, LEARN_EVERY_H="0") as again:
        eventually(lambda: found(again), within_s=LEARN_S)


def test_model_gets_the_passages_in_the_question(
    site: Site, citing: Upstream, tmp_path: Path
) -> None:
    with Server.over(citing, tmp_path, SITE_URL=site.url) as server:
        wait_until_learnt(server)

        reply = server.chat(ASKED).json

    question = citing.requests[-1].body["messages"][-1]["content"]
    assert HOURS in question
    assert question.endswith(ASKED)
    assert [each["n"] for each in reply["sources"]] == [1]
