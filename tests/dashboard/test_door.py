"""The operator's pages: who gets in, by which cookie, and which forms do something."""

from typing import TYPE_CHECKING

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.storage.protocol import ConversationStore
from tests.dashboard.door import DOOR, PAGES, PASSWORD, SECRETS, cookie_of, form_token, sign_in
from tests.data import ADMIN_KEY, say

if TYPE_CHECKING:
    from tests.conftest import MakeApp


@pytest.mark.parametrize("path", PAGES)
def test_stranger_is_sent_to_the_door(stranger: FlaskClient, path: str) -> None:
    response = stranger.get(path)

    assert response.status_code == 302
    assert response.headers["Location"] == f"{DOOR}?next={path}"


def test_wrong_password_stays_outside(stranger: FlaskClient) -> None:
    response = sign_in(stranger, "open onion 123")

    assert response.status_code == 401
    assert "That is not the password." in response.text
    assert stranger.get("/dashboard/").status_code == 302


def test_sign_in_leads_to_the_page_that_was_wanted(stranger: FlaskClient) -> None:
    response = sign_in(stranger, next="/dashboard/conversations?q=refund")

    assert response.headers["Location"] == "/dashboard/conversations?q=refund"


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/chat",
        "/dashboard//x",
        "/dashboard",
        "/dashboardx/",
        "/dashboard/../../evil",
        "/dashboard/..",
        "/dashboard/./x",
        "/dashboard/%2e%2e/evil",
        "/dashboard/%2E./evil",
        "/dashboard/.%2e/evil",
        "/dashboard/%252e%252e/evil",
        "/dashboard/..;/evil",
        "/dashboard/..\\evil",
        "/dashboard/%5c%5cevil",
        "/dashboard/\t/evil",
        "/dashboard/\r\nX: y",
        "/dashboard/%2f%2fevil",
        "/dashboard/x/..?q=1",
        "/dashboard/\uff0e\uff0e/evil",
    ],
)
def test_sign_in_leads_nowhere_else(stranger: FlaskClient, path: str) -> None:
    assert sign_in(stranger, next=path).headers["Location"] == "/dashboard/"


def production(make_app: "MakeApp") -> FlaskClient:
    return make_app(
        APP_ENV="production",
        DASHBOARD_PASSWORD=PASSWORD,
        SECRET_KEY=SECRETS[0],
        OPENAI_API_KEY="sk-something",
        CORS_ORIGIN="https://shop.example",
    ).test_client(use_cookies=False)


@pytest.mark.parametrize(
    ("base", "told"), [("http://lan.test:4332", "needs https"), ("https://lan.test", "has expired")]
)
def test_browser_that_drops_the_cookie_is_told_why(
    make_app: "MakeApp", base: str, told: str
) -> None:
    client = production(make_app)
    token = form_token(client.get(DOOR, base_url=base))

    response = client.post(DOOR, base_url=base, data={"password": PASSWORD, "token": token})

    assert response.status_code == 403
    assert told in response.text


def test_door_form_needs_its_token(stranger: FlaskClient) -> None:
    stranger.get(DOOR)

    for token in ("", "0" * 64):
        response = stranger.post(DOOR, data={"password": PASSWORD, "token": token})
        assert response.status_code == 403


def test_door_form_is_of_one_browser(app: Flask, stranger: FlaskClient) -> None:
    token = form_token(stranger.get(DOOR))
    other = app.test_client()
    other.get(DOOR)

    response = other.post(DOOR, data={"password": PASSWORD, "token": token})

    assert response.status_code == 403


def test_no_password_is_no_dashboard(make_app: "MakeApp") -> None:
    client = make_app().test_client()

    for path in ("/dashboard/", DOOR):
        response = client.get(path)
        assert response.status_code == 503
        assert "DASHBOARD_PASSWORD" in response.text


def test_cookie_is_new_at_every_sign_in(stranger: FlaskClient, operator: FlaskClient) -> None:
    sign_in(stranger)

    assert cookie_of(stranger) != cookie_of(operator)


def test_cookie_of_production_is_bound_to_host_and_tls(make_app: "MakeApp") -> None:
    client = make_app(
        APP_ENV="production",
        DASHBOARD_PASSWORD=PASSWORD,
        SECRET_KEY=SECRETS[0],
        OPENAI_API_KEY="sk-something",
        CORS_ORIGIN="https://shop.example",
    ).test_client()
    base = "https://localhost"
    token = form_token(client.get(DOOR, base_url=base))

    response = client.post(DOOR, base_url=base, data={"password": PASSWORD, "token": token})

    cookies = response.headers.getlist("Set-Cookie")
    (cookie,) = [each for each in cookies if each.startswith("__Host-perch-dashboard=")]
    assert {part.strip() for part in cookie.split(";")[1:]} == {
        "Secure",
        "HttpOnly",
        "Path=/",
        "SameSite=Lax",
    }


def test_stolen_cookie_is_refused_in_another_browser(app: Flask, operator: FlaskClient) -> None:
    thief = app.test_client()
    thief.set_cookie("perch-dashboard", cookie_of(operator))

    assert thief.get("/dashboard/", headers={"User-Agent": "curl/8"}).status_code == 302


def test_stolen_cookie_ends_when_its_owner_signs_out(app: Flask, operator: FlaskClient) -> None:
    thief = app.test_client()
    thief.set_cookie("perch-dashboard", cookie_of(operator))
    assert thief.get("/dashboard/").status_code == 200
    token = form_token(operator.get("/dashboard/settings"))

    operator.post("/dashboard/logout", data={"token": token})

    assert operator.get("/dashboard/").status_code == 302
    assert thief.get("/dashboard/").status_code == 302


def test_sign_out_outlives_the_process_that_heard_of_it(
    make_app: "MakeApp", operator: FlaskClient
) -> None:
    cookie = cookie_of(operator)
    other = make_app(DASHBOARD_PASSWORD=PASSWORD, SECRET_KEY=SECRETS[0]).test_client()
    other.set_cookie("perch-dashboard", cookie)
    before = other.get("/dashboard/").status_code

    operator.post(
        "/dashboard/logout", data={"token": form_token(operator.get("/dashboard/settings"))}
    )

    later = make_app(DASHBOARD_PASSWORD=PASSWORD, SECRET_KEY=SECRETS[0]).test_client()
    later.set_cookie("perch-dashboard", cookie)
    after = [client.get("/dashboard/").status_code for client in (other, later)]
    assert (before, after) == (200, [302, 302])


@pytest.mark.parametrize("cookie", ["x", "WzEsMiwzLDRd.c2ln", "\N{SNOWMAN}"])
def test_forged_cookie_is_refused(stranger: FlaskClient, cookie: str) -> None:
    stranger.set_cookie("perch-dashboard", cookie)

    assert stranger.get("/dashboard/").status_code == 302


@pytest.mark.parametrize(
    ("secrets", "status"),
    [
        (f"{SECRETS[1]},{SECRETS[0]}", 302),
        (SECRETS[1], 302),
        (f"{SECRETS[0]},{SECRETS[1]}", 200),
    ],
)
def test_rotating_the_first_secret_signs_everybody_out(
    make_app: "MakeApp", operator: FlaskClient, secrets: str, status: int
) -> None:
    later = make_app(DASHBOARD_PASSWORD=PASSWORD, SECRET_KEY=secrets).test_client()
    later.set_cookie("perch-dashboard", cookie_of(operator))

    assert later.get("/dashboard/").status_code == status


def test_cookie_opens_no_admin_route(operator: FlaskClient) -> None:
    assert operator.get("/v1/admin/conversations").status_code == 401


def test_admin_key_opens_no_page(stranger: FlaskClient) -> None:
    response = stranger.get("/dashboard/", headers={"x-admin-api-key": ADMIN_KEY})

    assert response.status_code == 302


@pytest.mark.parametrize("token", ["", "0" * 64, "x"])
@pytest.mark.parametrize("path", ["/dashboard/switch", "/dashboard/logout", "delete"])
def test_form_without_its_token_does_nothing(
    operator: FlaskClient, store: ConversationStore, path: str, token: str
) -> None:
    conversation_id = say(store)
    if path == "delete":
        path = f"/dashboard/conversations/{conversation_id}/delete"

    response = operator.post(path, data={"token": token, "to": "off"})

    assert response.status_code == 403
    assert "This form has expired" in response.text
    assert store.list_conversations(limit=1).total == 1
    assert operator.get("/dashboard/").status_code == 200
    assert not store.read_state().switches


def test_form_token_of_another_sign_in_does_nothing(app: Flask, operator: FlaskClient) -> None:
    other = app.test_client()
    sign_in(other)
    token = form_token(other.get("/dashboard/settings"))

    assert operator.post("/dashboard/switch", data={"token": token}).status_code == 403


def test_another_sites_form_is_refused(make_app: "MakeApp") -> None:
    client = make_app(
        DASHBOARD_PASSWORD=PASSWORD, SECRET_KEY=SECRETS[0], CORS_ORIGIN="https://shop.example"
    ).test_client()
    sign_in(client)
    token = form_token(client.get("/dashboard/settings"))

    response = client.post(
        "/dashboard/switch", data={"token": token}, headers={"Origin": "https://evil.example"}
    )

    assert response.status_code == 403
