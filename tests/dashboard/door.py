"""How an operator signs in, and what a page says in words."""

import re

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

PASSWORD = "open sesame 123"
SECRETS = ("first-secret-of-the-dashboard", "second-secret-of-the-dashboard")
DOOR = "/dashboard/login"
PAGES = ["/dashboard/", "/dashboard/conversations", "/dashboard/settings", "/dashboard/nowhere"]


def form_token(page: TestResponse) -> str:
    found = re.search(r'name="token" value="([0-9a-f]{64})"', page.text)
    assert found is not None
    return found[1]


def sign_in(client: FlaskClient, password: str = PASSWORD, **fields: str) -> TestResponse:
    token = form_token(client.get(DOOR))
    return client.post(DOOR, data={"password": password, "token": token, **fields})


def cookie_of(client: FlaskClient, name: str = "perch-dashboard") -> str:
    cookie = client.get_cookie(name)
    assert cookie is not None
    return cookie.value


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", "", html).split())
