"""The sign-in at the dashboard under siege: who is let in, who is held up, and for how long."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.web.guards.operator import DEVICE_S
from tests.dashboard.door import DOOR, PASSWORD, SECRETS, form_token, sign_in

if TYPE_CHECKING:
    from tests.conftest import MakeApp

CROWD = 1000
STORM = 10_000


def browser(app: Flask, address: str = "192.0.2.1") -> FlaskClient:
    client = app.test_client()
    client.environ_base["REMOTE_ADDR"] = address
    return client


def guess(client: FlaskClient, times: int) -> list[int]:
    token = form_token(client.get(DOOR))
    return [
        client.post(DOOR, data={"password": f"guess {n}", "token": token}).status_code
        for n in range(times)
    ]


def known_browser(app: Flask, address: str = "192.0.2.1") -> FlaskClient:
    """A browser that was signed in once, and is not any more."""
    client = browser(app, address)
    assert sign_in(client).status_code == 303
    client.delete_cookie("perch-dashboard")
    return client


# Strangers


def test_five_wrong_passwords_shut_an_address_out(app: Flask) -> None:
    stranger = browser(app)
    tried = guess(stranger, 5)

    refused = sign_in(stranger)

    assert tried == [401] * 5
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 300
    assert "Too many tries" in refused.text
    assert stranger.get("/dashboard/").status_code == 302
    assert sign_in(browser(app, "192.0.2.2")).status_code == 303


def test_the_right_password_is_no_guess(app: Flask) -> None:
    statuses = [sign_in(browser(app)).status_code for _ in range(12)]

    assert statuses == [303] * 12


def test_what_is_not_our_form_counts_for_nobody(app: Flask) -> None:
    stranger = browser(app)
    stranger.get(DOOR)

    statuses = {
        stranger.post(DOOR, data={"password": "guess", "token": token}).status_code
        for token in ["", "0" * 64, "x"] * 20
    }

    assert statuses == {403}
    assert sign_in(stranger).status_code == 303


@pytest.mark.parametrize(
    ("address", "neighbour", "status"),
    [
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", 429),  # one /64
        ("2001:db8:0:1::1", "2001:db8:0:2::1", 401),  # one /56, and not yet too much of it
        ("::ffff:192.0.2.1", "192.0.2.1", 429),
    ],
)
def test_an_address_is_counted_by_its_network(
    app: Flask, address: str, neighbour: str, status: int
) -> None:
    guess(browser(app, address), 5)

    assert guess(browser(app, neighbour), 1) == [status]


def test_the_networks_of_one_customer_share_a_count(app: Flask) -> None:
    tried = [guess(browser(app, f"2001:db8:0:{n:x}::1"), 4) for n in range(4)]
    elsewhere = guess(browser(app, "2001:db8:0:100::1"), 1)

    assert tried == [[401] * 4, [401] * 4, [401, 401, 429, 429], [429] * 4]
    assert elsewhere == [401]


# Browsers that are known


def test_a_known_browser_passes_by_what_its_neighbours_do(app: Flask) -> None:
    owner = known_browser(app)
    neighbour = browser(app)
    assert guess(neighbour, 7) == [401] * 5 + [429] * 2

    assert sign_in(owner).status_code == 303


def test_a_known_browser_guesses_within_a_count_of_its_own(app: Flask) -> None:
    one, other = known_browser(app), known_browser(app)

    assert guess(one, 7) == [401] * 5 + [429] * 2
    assert sign_in(other).status_code == 303
    assert guess(browser(app), 1) == [401]


def test_another_address_does_not_free_a_known_browser(app: Flask) -> None:
    client = known_browser(app)
    guess(client, 5)

    client.environ_base["REMOTE_ADDR"] = "198.51.100.1"

    assert guess(client, 1) == [429]


def test_a_copy_of_the_device_cookie_shares_its_count(app: Flask) -> None:
    owner = known_browser(app)
    cookie = owner.get_cookie("perch-device")
    assert cookie is not None
    thief = browser(app, "198.51.100.1")
    thief.set_cookie("perch-device", cookie.value)

    assert guess(thief, 6) == [401] * 5 + [429]
    assert guess(owner, 1) == [429]


def test_the_device_cookie_opens_nothing_and_lives_long(app: Flask) -> None:
    client = browser(app)
    response = sign_in(client)

    (cookie,) = [each for each in response.headers.getlist("Set-Cookie") if "perch-device" in each]
    client.delete_cookie("perch-dashboard")

    assert "HttpOnly" in cookie
    assert f"Max-Age={DEVICE_S}" in cookie
    assert client.get("/dashboard/").status_code == 302


@pytest.mark.parametrize(
    "variables",
    [{"DASHBOARD_PASSWORD": "another password"}, {"SECRET_KEY": "second-secret-of-the-dashboard"}],
)
def test_a_new_password_or_secret_knows_no_browser(
    make_app: "MakeApp", app: Flask, variables: dict[str, str]
) -> None:
    cookie = known_browser(app).get_cookie("perch-device")
    assert cookie is not None
    later = make_app(**{"DASHBOARD_PASSWORD": PASSWORD, "SECRET_KEY": SECRETS[0], **variables})
    client = browser(later)
    client.set_cookie("perch-device", cookie.value)
    guess(browser(later), 5)

    assert guess(client, 1) == [429]


# A crowd


def test_a_storm_neither_opens_nor_shuts(app: Flask) -> None:
    signed_in = browser(app, "10.0.0.1")
    sign_in(signed_in)
    known = known_browser(app, "10.0.0.1")  # the owner's home is among the crowd
    stranger = browser(app)
    token = form_token(stranger.get(DOOR))

    statuses = []
    for number in range(STORM):
        of_crowd = number % CROWD
        address = f"10.{of_crowd >> 8}.{of_crowd & 255}.1"
        # Late in the storm, somebody guesses right.
        password = PASSWORD if number % 1000 == 999 else f"guess {number}"
        response = stranger.post(
            DOOR,
            data={"password": password, "token": token},
            environ_overrides={"REMOTE_ADDR": address},
        )
        statuses.append(response.status_code)

    assert statuses[:50] == [401] * 50
    assert set(statuses[50:]) == {429}
    assert signed_in.get("/dashboard/settings").status_code == 200
    assert sign_in(known).status_code == 303


# A link that the owner makes


def link(app: Flask) -> str:
    result = app.test_cli_runner().invoke(args=["sign-in", "https://chat.example.com/"])
    assert result.exit_code == 0, result.output
    url, _, token = result.output.strip().partition("?link=")
    assert url == "https://chat.example.com/dashboard/login"
    return f"{DOOR}?link={token}"


def follow(client: FlaskClient, path: str) -> TestResponse:
    page = client.get(path)
    assert page.status_code == 200, page.text
    token = path.partition("?link=")[2]
    return client.post(DOOR, data={"link": token, "token": form_token(page)})


def test_a_link_signs_in_while_the_password_is_not_looked_at(app: Flask) -> None:
    owner = browser(app)
    guess(owner, 6)

    response = follow(owner, link(app))

    assert response.status_code == 303
    assert owner.get("/dashboard/").status_code == 200


def test_a_link_works_once_on_whatever_machine(make_app: "MakeApp", app: Flask) -> None:
    path = link(app)
    another_machine = make_app(DASHBOARD_PASSWORD=PASSWORD, SECRET_KEY=SECRETS[0])
    first = follow(browser(app), path)

    second = follow(browser(another_machine), path)

    assert (first.status_code, second.status_code) == (303, 401)
    assert "This link has ended" in second.text


def test_whoever_only_looks_at_a_link_does_not_use_it_up(app: Flask) -> None:
    path = link(app)
    for _ in range(3):
        browser(app).get(path)

    assert follow(browser(app), path).status_code == 303


@pytest.mark.parametrize("token", ["", "x", "WzEsMl0.c2ln", "\N{SNOWMAN}", "W10.x"])
def test_a_made_up_link_is_refused(app: Flask, token: str) -> None:
    stranger = browser(app)
    form = form_token(stranger.get(DOOR))

    assert stranger.get(DOOR, query_string={"link": token}).status_code == 401
    assert stranger.post(DOOR, data={"link": token, "token": form}).status_code == 401


def test_cookies_of_other_purposes_are_no_links(app: Flask) -> None:
    owner = browser(app)
    sign_in(owner)
    stranger = browser(app)
    for name in ("perch-dashboard", "perch-device"):
        cookie = owner.get_cookie(name)
        assert cookie is not None

        assert stranger.get(DOOR, query_string={"link": cookie.value}).status_code == 401


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ("https://a.example", "https://a.example"),
        ("https://a.example/dashboard", "https://a.example"),
        ("https://a.example/dashboard/", "https://a.example"),
        ("https://a.example/dashboard/login?next=/dashboard/settings#top", "https://a.example"),
        ("https://a.example:8443/chat/dashboard?status=error", "https://a.example:8443/chat"),
        ("https://a.example/dashboards/", "https://a.example/dashboards"),
    ],
)
def test_page_is_no_part_of_where_a_link_leads(app: Flask, given: str, place: str) -> None:
    result = app.test_cli_runner().invoke(args=["sign-in", given])

    assert result.output.startswith(f"{place}/dashboard/login?link=")


def test_no_link_is_made_with_a_key_that_the_service_has_not(
    make_app: "MakeApp", tmp_path: Path
) -> None:
    runner = make_app(DASHBOARD_PASSWORD=PASSWORD).test_cli_runner()
    with_key = runner.invoke(args=["sign-in", "https://a.example"])
    (tmp_path / "secret.key").unlink()
    without = runner.invoke(args=["sign-in", "https://a.example"])

    assert with_key.exit_code == 0
    assert without.exit_code == 1
    assert "SECRET_KEY" in without.output
    assert "link=" not in without.output


def test_no_dashboard_has_no_link(make_app: "MakeApp") -> None:
    result = make_app().test_cli_runner().invoke(args=["sign-in", "https://chat.example.com"])

    assert result.exit_code == 1
    assert "DASHBOARD_PASSWORD" in result.output
