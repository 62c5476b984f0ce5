"""The receivers of docs/people.md take what is ours, once, and no other."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from app.domain.conversation import Message
from app.domain.people import Notice
from app.notifications.delivery import NotTaken
from app.notifications.endpoint import Endpoint
from app.notifications.facts import Facts
from app.notifications.webhooks import Webhook
from tests.data import some_settings
from tests.docs.blocks import blocks_of
from tests.live.eventually import eventually

pytestmark = [pytest.mark.live, pytest.mark.node]

DOCUMENT = "docs/people.md"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="
OTHER = "whsec_AfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="
COMMANDS = {"js": ["node", "--input-type=module", "-e"], "python": [sys.executable, "-c"]}
RECEIVERS = [each for each in blocks_of(DOCUMENT) if each.language in COMMANDS]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(params=RECEIVERS, ids=lambda block: block.language)
def receiver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Endpoint, Path]]:
    block, port, log = request.param, free_port(), tmp_path / "said"
    with log.open("w") as said:
        process = subprocess.Popen(
            [*COMMANDS[block.language], block.text],
            stdout=said,
            env={"PATH": os.environ["PATH"], "WEBHOOK_SECRET": SECRET, "PORT": str(port)},
        )
    try:
        eventually(lambda: answers(port), within_s=30)
        yield Endpoint(f"http://127.0.0.1:{port}/", [ip_network("127.0.0.0/8")]), log
    finally:
        process.kill()
        process.wait()


def a_message(notice_id: str) -> Facts:
    notice = Notice(notice_id, "message.created", 1_790_000_000_000, "default", "c1", "m1")
    message = Message("user", "Grüße aus Norway", 1_790_000_000_000, "m1")
    return Facts(notice, some_settings().assistant, message=message)


def test_there_is_one_in_each_language() -> None:
    assert [block.language for block in RECEIVERS] == ["python", "js"]


def test_a_receiver_takes_what_is_ours_and_each_of_it_once(
    receiver: tuple[Endpoint, Path],
) -> None:
    endpoint, log = receiver

    for notice_id in ("n1", "n1", "n2"):
        Webhook(endpoint, [OTHER, SECRET]).send(a_message(notice_id))

    eventually(lambda: log.read_text().count("\n") == 2)
    assert log.read_text(encoding="utf-8") == "message.created Grüße aus Norway\n" * 2


def test_a_receiver_refuses_what_is_not(receiver: tuple[Endpoint, Path]) -> None:
    endpoint, log = receiver

    with pytest.raises(NotTaken, match="answered 401"):
        Webhook(endpoint, [OTHER]).send(a_message("n1"))
    with pytest.raises(NotTaken, match="answered 401"):
        Webhook(endpoint, [SECRET], clock=lambda: 1_000_000_000).send(a_message("n1"))
    with pytest.raises(NotTaken, match="answered 401"):
        endpoint.post(b"{}")

    assert log.read_text() == ""
