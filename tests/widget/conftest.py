"""Fixtures of the tests that use the widget in the real browser, over the real server."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.servers.perch import Server
from tests.servers.site import Site
from tests.servers.upstream import Upstream
from tests.widget.visitor import Visitor

HERE = Path(__file__).parent
SCREENSHOTS = HERE.parents[1] / "test-results" / "widget"

Visit = Callable[..., Visitor]

# Machines that run the tests may be busy; what holds is seen at once all the same.
expect.set_options(timeout=15_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def session_upstream() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


@pytest.fixture
def upstream(session_upstream: Upstream) -> Upstream:
    """The scripted model, forgetful of the tests before."""
    session_upstream.reset()
    return session_upstream


@pytest.fixture(scope="session")
def server(session_upstream: Upstream) -> Iterator[Server]:
    """A running server that pages of every origin may use."""
    with Server.over(session_upstream) as server:
        yield server


@pytest.fixture(scope="session")
def site(server: Server) -> Iterator[Site]:
    """Somebody's web site, on an origin of its own."""
    with Site(server.url) as site:
        yield site


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A visitor's browser, new to everything."""
    context = browser.new_context(viewport={"width": 1000, "height": 760}, color_scheme="light")
    context.set_default_timeout(10_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def visit(page: Page, site: Site, upstream: Upstream) -> Visit:
    """Goes to the site, whose widget has these ``data-`` options."""

    def visit(body: str = "", **options: str) -> Visitor:
        page.goto(site.page(body, **options))
        return Visitor(page)

    return visit


@pytest.fixture
def screenshot() -> Callable[[Page, str], None]:
    """Keeps a picture for people to look at."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)

    def take(page: Page, name: str) -> None:
        page.screenshot(path=SCREENSHOTS / f"{name}.png", animations="disabled")

    return take
