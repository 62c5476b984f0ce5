"""The service, started as each platform's file says: well, streaming, drained, and back."""

import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.deploy import dockerfile
from tests.deploy.deployment import VENV, Deployment
from tests.deploy.platforms import PLATFORMS, Platform, compose, host, image
from tests.live.exchange import Exchange, request_bytes
from tests.servers.nginx import nginx
from tests.servers.perch import WIDGET_KEY
from tests.servers.upstream import Upstream
from tests.servers.upstream_script import WORDS, words

pytestmark = pytest.mark.live

Deploy = Callable[[Platform], Deployment]

TURN = "turn-0001"
TOKENS = 5


@pytest.fixture
def deploy(
    upstream: Upstream, app_folder: Path, image_folder: Path, tmp_path: Path
) -> Iterator[Deploy]:
    """Makes a platform's process; what is still there at the end is killed."""
    made: list[Deployment] = []

    def make(platform: Platform) -> Deployment:
        app = image_folder if platform.is_image else app_folder
        made.append(Deployment(platform, upstream, app, tmp_path))
        return made[-1]

    yield make
    for deployment in made:
        deployment.kill()


@pytest.mark.parametrize("name", PLATFORMS)
def test_it_serves_drains_and_comes_back(
    name: str, deploy: Deploy, upstream: Upstream, tmp_path: Path
) -> None:
    deployment = deploy(PLATFORMS[name]()).start_again()
    assert deployment.request("GET", deployment.platform.health_path).status == 200
    upstream.script(tokens=TOKENS, fault="stall", at=2)
    asked = {"sessionId": f"on-{name}", "message": "Hi", "turnId": TURN}

    with nginx(tmp_path / "nginx", deployment.port) as proxy:
        stream = proxy.send(
            "POST", "/v1/chat/stream", asked, content_type="application/json", x_api_key=WIDGET_KEY
        ).begin()
        # The model stalls: what has arrived here was held back by nobody.
        begun = [stream.next_event()["type"] for _ in range(3)]
        deployment.stop()
        upstream.release()
        last = stream.events()[-1]

    assert begun == ["start", "token", "token"]
    assert (last["type"], last["message"]) == ("done", words(TOKENS))
    assert deployment.wait_stopped() < deployment.platform.stop_s
    deployment.start_again()
    assert deployment.said(last["conversationId"]) == [("user", "Hi"), ("assistant", words(TOKENS))]
    again = deployment.chat("Hi", session=f"on-{name}", turnId=TURN)
    assert again.json["message"] == words(TOKENS)
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("number", ["", '"1"', "'1'"])
def test_the_image_starts_with_a_number_of_workers_that_gunicorn_does_not_read(
    deploy: Deploy, number: str
) -> None:
    deployment = deploy(compose())
    deployment.environment["WEB_CONCURRENCY"] = number

    deployment.start_again()

    assert deployment.request("GET", "/health").status == 200


def test_a_silent_model_is_cut_off_before_docker_kills(deploy: Deploy, upstream: Upstream) -> None:
    deployment = deploy(compose()).start_again()
    upstream.script(fault="stall", at=2)
    stream = deployment.stream("Hi", session="on-docker", timeout_s=40)
    stream.until("token")

    deployment.stop()
    last = stream.events()[-1]

    assert (last["type"], last["code"]) == ("error", "server_restarting")
    assert deployment.wait_stopped() < deployment.platform.stop_s
    deployment.start_again()
    (conversation,) = deployment.admin("/v1/admin/conversations").json["conversations"]
    stored = deployment.messages(conversation["_id"])[-1]
    assert (stored["content"], stored["status"]) == ("".join(WORDS[:2]), "partial")


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy"])
def test_dockers_health_check_asks_no_proxy(deploy: Deploy, name: str) -> None:
    deployment = deploy(compose()).start_again()
    deployment.environment[name] = "http://127.0.0.1:1"

    assert health_check(deployment) == 0


def test_dockers_health_check_tells_a_dead_server_from_a_living_one(
    deploy: Deploy,
) -> None:
    deployment = deploy(compose()).start_again()

    assert health_check(deployment) == 0
    deployment.kill()
    assert health_check(deployment) != 0


def health_check(deployment: Deployment) -> int:
    command = dockerfile.health_command(image())
    return subprocess.run(
        [str(VENV / command[0]), *command[1:]], env=deployment.environment, check=False,
        stderr=subprocess.DEVNULL,
    ).returncode  # fmt: skip


@pytest.fixture(scope="module")
def told_systemd(
    session_upstream: Upstream, app_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Deployment, bytes]]:
    """A plain host's process, and what it told systemd by the time that it was healthy."""
    folder = tmp_path_factory.mktemp("host")
    deployment = Deployment(host(), session_upstream, app_folder, folder)
    with notify_socket(folder / "notify") as told:
        deployment.environment["NOTIFY_SOCKET"] = str(folder / "notify")
        deployment.start_again()
        yield deployment, told.recv(4096)
    deployment.kill()


def test_systemd_is_told_when_it_serves(told_systemd: tuple[Deployment, bytes]) -> None:
    assert b"READY=1" in told_systemd[1]


def test_nginx_passes_the_client_on_and_nothing_that_it_claims(
    told_systemd: tuple[Deployment, bytes], tmp_path: Path
) -> None:
    deployment, _ = told_systemd

    with nginx(tmp_path / "nginx", deployment.port) as proxy:
        for number in range(2):
            proxy.send("GET", "/health", x_forwarded_for=f"203.0.113.{number}").answer()
        document = proxy.send("GET", "/v1/openapi.json").answer().json
        request = request_bytes("GET", "/dashboard", {"Host": "evil.test"}, None)
        plain = Exchange(("127.0.0.1", proxy.plain_port), request).answer()

    seen = [line["client"] for line in deployment.log_lines() if line.get("path") == "/health"]
    assert set(seen) == {"127.0.0.1"}
    assert document["servers"] == [{"url": "https://chat.example.com"}]
    assert plain.status == 301
    assert plain.headers["Location"] == "https://chat.example.com/dashboard"


@contextmanager
def notify_socket(path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(str(path))
        told.settimeout(20)
        yield told
    path.unlink()
