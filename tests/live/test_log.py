"""What the running server writes to its log, and what it does not."""

import time

import jwt

from tests.live.raw import converse
from tests.servers.perch import ADMIN_KEY, WIDGET_KEY, Server
from tests.servers.upstream import Upstream

SECRETS = {
    "IDENTITY_SECRET": "an-identity-secret-of-the-log-32",
    "SECRET_KEY": "a-secret-key-of-the-log-32-letters",
    "DASHBOARD_PASSWORD": "a password of the log",
}
# In each text that is a visitor's or a key: no other line has it.
MARKS = ("of-the-log", "of the log", "of+the+log")


def test_nothing_that_was_said_and_no_key_is_logged(upstream: Upstream) -> None:
    """A visitor's whole visit, the operator who reads it, and one who is refused."""
    upstream.script(tokens=["An answer", " of the log"])
    sent = {"sub": "user-of-the-log", "exp": int(time.time()) + 300}
    identity = jwt.encode(sent, SECRETS["IDENTITY_SECRET"], algorithm="HS256")
    page = {"url": "https://shop.example/of-the-log", "title": "Title of the log"}
    with Server.over(upstream, LOG_LEVEL="debug", **SECRETS) as server:
        token = server.request("POST", "/v1/session", {}, x_api_key=WIDGET_KEY).json["token"]
        held = {"x_api_key": WIDGET_KEY, "authorization": f"Bearer {token}"}
        asked = {"message": "A question of the log", "page": page}
        answers = [
            server.request("POST", "/v1/session/identity", {"jwt": identity}, **held),
            server.request("POST", "/v1/chat", asked, **held),
            server.request("GET", "/v1/session/messages", **held),
        ]
        path = f"/v1/messages/{answers[1].json['messageId']}/feedback"
        rating = {"rating": "down", "comment": "A comment of the log"}
        answers += [
            server.request("POST", path, rating, **held),
            server.admin("/v1/admin/conversations?q=question+of+the+log"),
            server.admin("/v1/admin/conversations?user=user-of-the-log"),
        ]
        refused = [
            server.request("POST", "/v1/chat", {**asked, "message": ["Of the log"]}, **held),
            server.request("POST", "/v1/chat", b'{"message": "of the log', **held),
            server.request("POST", "/v1/chat", asked, x_api_key="a-wrong-key-of-the-log"),
            server.request("GET", "/v1/admin/stats", x_admin_api_key="a-guess-of-the-log"),
            server.request("GET", "/dashboard/login?link=a-link-of-the-log"),
        ]
        upstream.script(status=401)
        refused.append(server.request("POST", "/v1/chat", asked, **held))
        answers.append(server.request("DELETE", "/v1/session", **held))
        log = server.log()

    assert [each.status for each in answers if each.status >= 300] == []
    assert [each.status for each in refused if each.status < 400] == []
    assert log.count('"event":"request"') > len(answers) + len(refused)
    for secret in (WIDGET_KEY, ADMIN_KEY, token, identity, *SECRETS.values(), *MARKS):
        assert secret not in log


UNREADABLE = (
    "GET /v1/admin/conversations?q=Müller-of-the-log HTTP/1.1\r\nhost: a\r\n\r\n".encode(),
    b"{of-the-log} / HTTP/1.1\r\nhost: a\r\n\r\n",
    b"GET / HTTP/of-the-log\r\nhost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: a\r\nx-admin-api-key a-key-of-the-log\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: a\r\nof the log: 1\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: a\r\n folded of the log\r\n\r\n",
    b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: of-the-log\r\n\r\n",
)


def test_of_what_is_no_request_only_the_sender_and_the_kind_are_logged(
    upstream: Upstream,
) -> None:
    with Server.over(upstream) as server:
        answers = [converse(server.address, [each], second_s=0.05)[0] for each in UNREADABLE]
        log = server.log()

    assert [each.status for each in answers if each.status < 400] == []
    assert "Invalid request from ip=127.0.0.1: Invalid HTTP" in log
    for mark in MARKS:
        assert mark not in log
