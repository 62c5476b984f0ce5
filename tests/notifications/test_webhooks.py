"""Webhooks: what published libraries verify, and what becomes of each kind of receiver."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_network

import pytest
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from app.notifications.delivery import NotTaken
from app.notifications.endpoint import Endpoint
from app.notifications.facts import Facts
from app.notifications.webhooks import Webhook
from tests.clock import Clock
from tests.notifications.conftest import MakeFacts
from tests.notifications.outbox import Threads
from tests.servers.peer import Link, Peer, whole
from tests.servers.upstream import refused_url

OLD = f"whsec_{base64.b64encode(b'o' * 32).decode()}"
NEW = f"whsec_{base64.b64encode(b'n' * 32).decode()}"
LOOPBACK = [ip_network("127.0.0.0/8")]


@dataclass
class Receiver:
    """Answers as told, and keeps what came."""

    answers: list[bytes] = field(default_factory=lambda: [whole(b"", "204 No Content")])
    requests: list[bytes] = field(default_factory=list)

    def __call__(self, link: Link) -> None:
        self.requests.append(link.request())
        link.send(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])

    def headers(self, at: int = -1) -> dict[str, str]:
        head = self.requests[at].partition(b"\r\n\r\n")[0].decode()
        lines = (line.partition(": ") for line in head.split("\r\n")[1:])
        return {name.lower(): value for name, _, value in lines}

    def body(self, at: int = -1) -> bytes:
        return self.requests[at].partition(b"\r\n\r\n")[2]


def send(receiver: Callable[[Link], None], facts: Facts, *secrets: str) -> None:
    with Peer(receiver) as peer:
        Webhook(Endpoint(f"{peer.url}/hook?x=1", LOOPBACK), secrets or [NEW]).send(facts)


def problem_with(facts: Facts, answer: bytes) -> NotTaken:
    with pytest.raises(NotTaken) as failure:
        send(Receiver([answer]), facts)
    return failure.value


def test_a_published_library_verifies_it(facts_of: MakeFacts, threads: Threads) -> None:
    receiver, message = Receiver(), threads.say("user", "Grüße, is anybody there?")

    send(receiver, facts_of("message.created", message))

    told = Verifier(NEW).verify(receiver.body(), receiver.headers())
    assert told == {
        "type": "message.created",
        "timestamp": "2026-09-21T14:13:20.000Z",
        "data": {
            "assistant": "default",
            "conversation": {
                "id": "c1",
                "state": "waiting",
                "createdAt": "2026-09-21T14:13:20.000Z",
                "unread": 1,
                "contact": {"email": "ada@example.org", "name": "Ada"},
            },
            "message": {
                "id": "m0",
                "role": "user",
                "content": "Grüße, is anybody there?",
                "createdAt": "2026-09-21T14:13:20.000Z",
            },
        },
    }
    assert receiver.requests[0].startswith(b"POST /hook?x=1 HTTP/1.1\r\n")
    assert receiver.headers()["content-type"] == "application/json"
    assert receiver.headers()["webhook-id"] == "n1"


def test_while_secrets_are_rotated_both_verify(facts_of: MakeFacts) -> None:
    receiver = Receiver()

    send(receiver, facts_of("conversation.waiting"), NEW, OLD)

    for secret in (NEW, OLD):
        assert Verifier(secret).verify(receiver.body(), receiver.headers())
    with pytest.raises(WebhookVerificationError):
        Verifier(NEW[:-6] + "AAAAA=").verify(receiver.body(), receiver.headers())


def test_a_body_is_shorter_than_20_kb(facts_of: MakeFacts, threads: Threads) -> None:
    receiver, message = Receiver(), threads.say("operator", "\x01漢" * 10_000, author="Ada")

    send(receiver, facts_of("message.created", message))

    assert 15_000 < len(receiver.body()) <= 20_000
    told = json.loads(receiver.body())["data"]["message"]
    assert told["isCut"] is True
    assert ("\x01漢" * 10_000).startswith(told["content"])


@pytest.mark.parametrize(
    ("answer", "problem", "retry_after_s", "is_final"),
    [
        (whole(b"", "500 No"), "answered 500", None, False),
        (whole(b"", "429 Slow", "Retry-After: 90"), "answered 429", 90.0, False),
        (
            whole(b"", "503 No", "Retry-After: Fri, 31 Dec 1999 23:59:59 GMT"),
            "answered 503",
            0.0,
            False,
        ),
        (whole(b"", "503 No", "Retry-After: soon"), "answered 503", None, False),
        (
            whole(b"", "302 Found", "Location: http://127.0.0.1/"),
            "answered 302 (redirects are not followed)",
            None,
            False,
        ),
        (whole(b"", "410 Gone"), "answered 410 (gone): switched off until a restart", None, True),
        (b"220 mail.example.com ESMTP\r\n", "gave no answer", None, False),
    ],
)
def test_whatever_is_not_2xx_is_not_taken(
    facts_of: MakeFacts, answer: bytes, problem: str, retry_after_s: float | None, is_final: bool
) -> None:
    failure = problem_with(facts_of("test"), answer)

    assert str(failure).startswith(problem)
    assert (failure.retry_after_s, failure.is_final) == (retry_after_s, is_final)


def test_whoever_is_gone_is_not_asked_again(facts_of: MakeFacts) -> None:
    receiver = Receiver([whole(b"", "410 Gone")])
    with Peer(receiver) as peer:
        webhook = Webhook(Endpoint(peer.url, LOOPBACK), [NEW])

        for _ in range(2):
            with pytest.raises(NotTaken, match="switched off until a restart"):
                webhook.send(facts_of("test"))

    assert len(receiver.requests) == 1


@pytest.mark.slow
def test_a_receiver_that_hangs_is_left_alone_for_a_moment(
    facts_of: MakeFacts, clock: Clock
) -> None:
    came: list[bytes] = []

    def hang(link: Link) -> None:
        came.append(link.request())
        link.wait_left()

    with Peer(hang) as peer:
        endpoint = Endpoint(peer.url, LOOPBACK, timeout_s=0.3, clock=clock)
        webhook = Webhook(endpoint, [NEW])

        with pytest.raises(NotTaken, match=r"gave no answer within 0\.3 s"):
            webhook.send(facts_of("test"))
        with pytest.raises(NotTaken, match="hung a moment ago"):
            webhook.send(facts_of("test"))
        clock.advance(20)
        with pytest.raises(NotTaken, match="gave no answer within"):
            webhook.send(facts_of("test"))

    assert len(came) == 2


def test_an_answer_without_end_is_not_read(facts_of: MakeFacts) -> None:
    def babble(link: Link) -> None:
        link.request()
        link.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
        link.wait_left()

    send(babble, facts_of("test"))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "10.0.0.1", "169.254.169.254", "[::1]"])
def test_a_private_address_is_refused(facts_of: MakeFacts, host: str) -> None:
    with pytest.raises(NotTaken, match="is at a private address, which is refused: list its netwo"):
        Webhook(Endpoint(f"http://{host}:9/"), [NEW]).send(facts_of("test"))


def test_the_metadata_of_a_cloud_is_refused_even_where_it_is_listed(facts_of: MakeFacts) -> None:
    endpoint = Endpoint("http://169.254.169.254/", [ip_network("169.254.0.0/16")])

    with pytest.raises(NotTaken, match="is at a private address"):
        Webhook(endpoint, [NEW]).send(facts_of("test"))


def test_whoever_is_away_may_come_back(facts_of: MakeFacts) -> None:
    with refused_url() as url, pytest.raises(NotTaken, match="is not reached") as failure:
        Webhook(Endpoint(url, LOOPBACK), [NEW]).send(facts_of("test"))

    assert not failure.value.is_final


def test_a_password_in_the_address_goes_into_a_header(facts_of: MakeFacts) -> None:
    receiver = Receiver()
    with Peer(receiver) as peer:
        url = peer.url.replace("://", "://me:p%40ss@")
        Webhook(Endpoint(url, LOOPBACK), [NEW]).send(facts_of("test"))

    assert receiver.headers()["authorization"] == "Basic bWU6cEBzcw=="


def test_a_check_tells_nothing() -> None:
    receiver = Receiver([whole(b"", "405 Method Not Allowed")])
    with Peer(receiver) as peer:
        found = Endpoint(peer.url, LOOPBACK).check()

    assert found == "127.0.0.1 is there (HEAD: 405)"
    assert receiver.requests[0].startswith(b"HEAD / HTTP/1.1\r\n")
