"""What the running server writes to its log, and what it does not."""

import time

import jwt

from app.notifications.return_link import PURPOSE, ReturnLinks
from app.web.guards.secret_keys import derive_key
from tests.live.eventually import eventually
from tests.live.raw import converse
from tests.notifications.post_office import PostOffice
from tests.servers.perch import ADMIN_KEY, WIDGET_KEY, Server, free_port
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


def test_nothing_that_people_say_and_no_way_to_them_is_logged(upstream: Upstream) -> None:
    """A visitor who asks for a person, an operator's answer, and receivers that take nothing."""
    secrets = {
        "WEBHOOK_URL": f"http://127.0.0.1:{free_port()}/path-of-the-log?query=of-the-log",
        "WEBHOOK_SECRET": "whsec_b2YtdGhlLWxvZy1vZi10aGUtbG9nLW9m",
        "NOTIFY_CHAT_URL": f"http://user:key-of-the-log@127.0.0.1:{free_port()}/",
        "NOTIFY_PRIVATE_NETWORKS": "127.0.0.0/8",
        "NOTIFY_EMAIL": "owner-of-the-log@example.com",
        "MAIL_FROM": "Chat of the log <chat@example.com>",
    }
    page = {"url": "https://shop.example/of-the-log?perch=of-the-log", "title": "of the log"}
    wish = {"text": "A wish of the log", "page": page}
    with PostOffice() as post:
        post.answers["rcpt"] = 9 * ["550 <owner-of-the-log@example.com>: unknown of the log"]
        smtp = {"SMTP_URL": f"smtp://127.0.0.1:{post.port}"}
        with Server.over(upstream, LOG_LEVEL="debug", **SECRETS, **secrets, **smtp) as server:
            opened = server.request("POST", "/v1/session", {}, x_api_key=WIDGET_KEY).json
            held = {"x_api_key": WIDGET_KEY, "authorization": f"Bearer {opened['token']}"}
            contact = {"email": "ada-of-the-log@example.org", "name": "Ada of the log"}
            answers = [
                server.request("POST", "/v1/session/handoff", wish, **held),
                server.request("POST", "/v1/session/contact", contact | {"consent": True}, **held),
                server.request("POST", "/v1/chat", {"message": "Words of the log"}, **held),
            ]
            [told] = server.admin("/v1/admin/inbox").json["conversations"]
            path = f"/v1/admin/conversations/{told['_id']}/reply"
            reply = {"text": "A reply of the log", "name": "Grace of the log", "key": "of the log"}
            answers.append(server.request("POST", path, reply, x_admin_api_key=ADMIN_KEY))
            key = derive_key(SECRETS["SECRET_KEY"].encode(), PURPOSE)
            token = ReturnLinks([key]).mint(opened["sessionId"], "default")
            answers += [
                server.request("POST", "/v1/session/return", {"token": token}, **held),
                server.request("GET", f"/v1/session/events?after=0&perch={token}", **held),
                server.request(
                    "GET", f"/health?perch={token}", referer=f"https://a/?perch={token}"
                ),
            ]
            refused = [
                server.request("POST", "/v1/session/contact", contact, **held),
                server.request("POST", "/v1/session/return", {"token": f"{token}-no"}, **held),
            ]
            eventually(lambda: server.log().count(" was not told of ") >= 3, within_s=30)
            log = server.log()

    assert [each.status for each in answers if each.status >= 300] == []
    assert [each.status for each in refused] == [400, 401]
    for secret in (opened["token"], token, secrets["WEBHOOK_SECRET"], *MARKS):
        assert secret not in log
