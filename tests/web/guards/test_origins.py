"""Which pages may ask and read."""

import logging
from typing import TYPE_CHECKING

import pytest
from flask.testing import FlaskClient

from app.factory import Parts, create_app
from app.storage.sqlite import SqliteStore
from tests.data import WIDGET_KEY, some_settings
from tests.fakes import ScriptedModel
from tests.web.guards.asking import SHOP, SITE, ask

if TYPE_CHECKING:
    from tests.conftest import MakeApp


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    """A client of an application that two origins may embed."""
    store = SqliteStore(tmp_path_factory.mktemp("security") / "chat.db")
    settings = some_settings(
        WIDGET_API_KEY=WIDGET_KEY, CORS_ORIGIN=f"{SITE},{SHOP}", RATE_LIMIT_MAX_REQUESTS="1000"
    )
    return create_app(settings, Parts(store=store, model=ScriptedModel())).test_client()


@pytest.mark.parametrize("origin", [SITE, SHOP])
def test_listed_origin_may_ask_and_read(site: FlaskClient, origin: str) -> None:
    response = ask(site, Origin=origin)

    assert response.status_code == 200
    assert response.headers.getlist("Access-Control-Allow-Origin") == [origin]
    assert "Origin" in response.headers["Vary"]
    assert "Access-Control-Allow-Credentials" not in response.headers
    exposed = response.headers["Access-Control-Expose-Headers"]
    assert set(exposed.replace(" ", "").split(",")) == {"Retry-After", "X-Request-Id"}


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "https://www.example.com.evil.example",
        "https://evil-www.example.com",
        "https://wwwXexample.com",
        "http://www.example.com",
        "https://www.example.com:444",
        "https://www.example.com/",
        "https://shop.example.com",
        "null",
        "",
        "*",
        "https://www.example.com,https://evil.example",
    ],
)
def test_any_other_origin_is_refused_before_any_work(
    site: FlaskClient, origin: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        response = ask(site, Origin=origin)

    assert response.status_code == 403
    assert response.json["error"] == "Origin not allowed"
    assert response.json["code"] == "origin_not_allowed"
    assert repr(origin) in caplog.text
    assert "CORS_ORIGIN" in caplog.text


def test_refused_origin_does_not_forge_log_lines(
    site: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        ask(site, Origin="https://evil.example/" + "x" * 10_000)

    assert len(caplog.text) < 1000


@pytest.mark.parametrize(
    "origin", ["https://WWW.example.com", "https://www.example.com:443", "HTTPS://www.example.com"]
)
def test_listed_origin_in_another_form_may_ask_and_is_told_so(
    site: FlaskClient, origin: str
) -> None:
    response = ask(site, Origin=origin)

    assert response.status_code == 200
    assert response.headers.getlist("Access-Control-Allow-Origin") == [origin]


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://a.example.com", 200),
        ("https://b.example.com", 200),
        ("https://example.com", 403),
        ("https://a.b.example.com", 403),
        ("https://a.example.com.evil.com", 403),
        ("http://a.example.com", 403),
    ],
)
def test_wildcard_lets_in_one_level_of_subdomains(
    make_app: "MakeApp", origin: str, status: int
) -> None:
    client = make_app(CORS_ORIGIN="https://*.example.com").test_client()

    response = ask(client, Origin=origin)

    assert response.status_code == status
    allowed = response.headers.getlist("Access-Control-Allow-Origin")
    assert allowed == ([origin] if status == 200 else [])


def test_token_of_one_subdomain_does_not_work_on_another(make_app: "MakeApp") -> None:
    client = make_app(CORS_ORIGIN="https://*.example.com").test_client()
    headers = {"x-api-key": WIDGET_KEY, "Origin": "https://a.example.com"}
    token = client.post("/v1/session", json={}, headers=headers).json["token"]

    statuses = [
        client.get(
            "/v1/session/messages", headers={"Authorization": f"Bearer {token}", "Origin": origin}
        ).status_code
        for origin in ("https://a.example.com", "https://A.example.com", "https://b.example.com")
    ]

    assert statuses == [200, 200, 401]


def test_program_without_an_origin_may_ask(site: FlaskClient) -> None:
    assert ask(site).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://localhost"},  # the host that the test client asks
        {"Origin": "http://shop.example", "Host": "Shop.Example:80"},
        {"Origin": "https://behind-a-proxy.example", "Sec_Fetch_Site": "same-origin"},
    ],
)
def test_own_page_may_ask(site: FlaskClient, headers: dict[str, str]) -> None:
    assert ask(site, **headers).status_code == 200


def test_public_url_tells_which_page_is_our_own(make_app: "MakeApp") -> None:
    client = make_app(
        CORS_ORIGIN=SITE, PUBLIC_URL="https://Chat.example.com:443/perch"
    ).test_client()

    ours = ask(client, Origin="https://chat.example.com", Host="internal:4000")
    made_up = ask(client, Origin="http://evil.example", Host="evil.example")

    assert (ours.status_code, made_up.status_code) == (200, 403)


def test_page_of_a_sibling_is_not_our_own(site: FlaskClient) -> None:
    response = ask(site, Origin="https://evil.example", Sec_Fetch_Site="same-site")

    assert response.status_code == 403


def test_star_allows_every_page(client: FlaskClient) -> None:
    response = ask(client, Origin="https://any.example")

    assert response.status_code == 200
    assert response.headers.getlist("Access-Control-Allow-Origin") == ["*"]


def test_preflight_of_a_foreign_page_is_refused(site: FlaskClient) -> None:
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}

    assert site.options("/v1/chat", headers=headers).status_code == 403


def test_options_that_are_no_preflight_need_the_key(site: FlaskClient) -> None:
    assert site.options("/v1/chat").status_code == 401
