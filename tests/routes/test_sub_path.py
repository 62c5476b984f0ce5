"""Perch under a path of a larger site, behind a proxy that takes that path off."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

import pytest
from werkzeug.test import Client

from tests.dashboard.door import PASSWORD, form_token
from tests.data import WIDGET_KEY

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from tests.conftest import MakeApp

PREFIX = "/perch"
SITE = "https://www.example.com"
DOOR = f"{PREFIX}/dashboard/login"
PAGES = [
    "/dashboard/",
    "/dashboard/conversations",
    "/dashboard/settings",
    "/docs",
    "/demo/widget",
    "/demo/headless",
]
FETCHED = re.compile(r"""(?:href|src|hx-get)="([^"]*)\"""")
SENT_TO = re.compile(r"""(?:action|data-stream|data-api-url|data-base-url)="([^"]*)\"""")


@pytest.fixture(params=["X-Forwarded-Prefix", "PUBLIC_URL"])
def browser(make_app: "MakeApp", request: pytest.FixtureRequest) -> Client:
    """A browser at the site; what is not under the path is somebody else's."""
    told = {"PUBLIC_URL": f"{SITE}{PREFIX}"} if request.param == "PUBLIC_URL" else {}
    perch = make_app(
        APP_ENV="development",
        DASHBOARD_PASSWORD=PASSWORD,
        CORS_ORIGIN="https://elsewhere.example",
        **told,
    )

    def proxy(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if not environ["PATH_INFO"].startswith(f"{PREFIX}/"):
            start_response("404 Not Found", [])
            return [b"of the site"]
        environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix(PREFIX)
        environ |= {
            "HTTP_HOST": "www.example.com",
            "HTTP_X_FORWARDED_PROTO": "https",
            **({} if told else {"HTTP_X_FORWARDED_PREFIX": PREFIX}),
        }
        return perch.wsgi_app(environ, start_response)

    return Client(proxy)


@pytest.fixture
def operator(browser: Client) -> Client:
    token = form_token(browser.get(DOOR))
    signed_in = browser.post(
        DOOR, data={"password": PASSWORD, "token": token}, headers={"Origin": SITE}
    )
    assert signed_in.status_code == 303
    return browser


def test_stranger_is_led_to_the_door_and_back_to_the_page(browser: Client) -> None:
    asked = browser.get(f"{PREFIX}/dashboard/conversations?q=refund")
    page = browser.get(asked.headers["Location"])
    wanted = re.search(r'name="next" value="([^"]+)"', page.text)
    assert wanted
    form = {"password": PASSWORD, "token": form_token(page), "next": wanted[1]}

    signed_in = browser.post(DOOR, data=form, headers={"Origin": SITE})

    assert signed_in.headers["Location"] == f"{PREFIX}/dashboard/conversations?q=refund"
    assert browser.get(signed_in.headers["Location"]).status_code == 200


def test_page_without_its_slash_stays_under_the_path(operator: Client) -> None:
    assert operator.get(f"{PREFIX}/dashboard").headers["Location"] == f"{PREFIX}/dashboard/"


def test_the_root_leads_to_the_dashboard(operator: Client) -> None:
    root = operator.get(f"{PREFIX}/", headers={"Accept": "text/html"})

    assert root.headers["Location"] == f"{PREFIX}/dashboard/"


@pytest.mark.parametrize("path", PAGES)
def test_every_link_of_a_page_leads_somewhere_under_the_path(operator: Client, path: str) -> None:
    page = operator.get(f"{PREFIX}{path}").text
    fetched = {link for link in FETCHED.findall(page) if not link.startswith(("#", "data:"))}

    assert fetched
    for link in fetched:
        there = link.removeprefix(SITE).partition("#")[0].replace("&amp;", "&")
        assert there.startswith(f"{PREFIX}/"), link
        assert operator.get(there).status_code == 200, link
    for link in SENT_TO.findall(page):
        assert link.removeprefix(SITE).startswith(PREFIX), link


def test_expired_page_is_sent_to_the_door_by_its_script(browser: Client) -> None:
    response = browser.get(f"{PREFIX}/dashboard/conversations", headers={"HX-Request": "true"})

    assert response.headers["HX-Redirect"] == DOOR


def test_snippet_demo_and_document_name_the_whole_address(operator: Client) -> None:
    settings = operator.get(f"{PREFIX}/dashboard/settings").text
    demo = operator.get(f"{PREFIX}/demo/widget").text
    document = operator.get(f"{PREFIX}/v1/openapi.json").json

    assert f'src="{SITE}{PREFIX}/widget/chat-widget.js"' in settings
    assert f'data-api-url="{SITE}{PREFIX}/chat"' in settings
    assert f'data-base-url="{SITE}{PREFIX}"' in demo
    assert document["servers"] == [{"url": f"{SITE}{PREFIX}"}]


def test_widget_and_its_languages_are_there(browser: Client) -> None:
    for name in ("chat-widget.js", "locales/de.json"):
        assert browser.get(f"{PREFIX}/widget/{name}").status_code == 200


def test_signing_out_leads_to_the_door(operator: Client) -> None:
    token = form_token(operator.get(f"{PREFIX}/dashboard/settings"))

    left = operator.post(
        f"{PREFIX}/dashboard/logout", data={"token": token}, headers={"Origin": SITE}
    )

    assert left.headers["Location"] == DOOR
    assert operator.get(f"{PREFIX}/dashboard/").status_code == 302


def test_our_own_page_is_that_of_the_site(browser: Client) -> None:
    asked = {"sessionId": "session-1", "message": "Hi"}

    statuses = [
        browser.post(
            f"{PREFIX}/v1/chat", json=asked, headers={"x-api-key": WIDGET_KEY, "Origin": origin}
        ).status_code
        for origin in (SITE, "https://evil.example")
    ]

    assert statuses == [200, 403]
