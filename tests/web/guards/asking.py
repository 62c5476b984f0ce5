"""A chat with headers of the test's own."""

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.data import SESSION, WIDGET_KEY

SITE = "https://www.example.com"
SHOP = "https://shop.example.com:8443"


def ask(client: FlaskClient, **headers: str) -> TestResponse:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    body = {"sessionId": SESSION, "message": "Hi"}
    return client.post("/v1/chat", json=body, headers={"x-api-key": WIDGET_KEY, **fields})
