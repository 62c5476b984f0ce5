"""What the service counts about itself."""

import time
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from app.domain.conversation import Usage
from app.domain.errors import ModelMisconfigured, ModelUnavailable
from app.observability.metrics import Metrics
from tests.data import ADMIN_KEY, WIDGET_KEY
from tests.doors import DOORS
from tests.fakes import ScriptedModel
from tests.observability.scrape import figures

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.conftest import Ask, MakeApp


ADMIN = {"x-admin-api-key": ADMIN_KEY}


def scrape(client: "FlaskClient") -> dict[str, float]:
    return figures(client.get("/metrics", headers=ADMIN).text)


def test_a_turn_is_counted_with_all_that_it_did(
    ask: "Ask", client: "FlaskClient", model: ScriptedModel
) -> None:
    model.script("Nine", " to", " five", usage=Usage(24, 3))

    ask("When?")

    told = scrape(client)
    assert {
        name: told[name]
        for name in (
            'perch_turns_total{outcome="done",protocol="json"}',
            "perch_deltas_total",
            'perch_tokens_total{kind="prompt"}',
            'perch_tokens_total{kind="completion"}',
            "perch_first_token_seconds_count",
            "perch_turn_seconds_count",
            'perch_storage_seconds_count{call="begin_turn",outcome="ok"}',
            'perch_storage_seconds_count{call="finish_turn",outcome="ok"}',
            'perch_requests_total{method="POST",route="/v1/chat",status="200"}',
            "perch_running_turns",
        )
    } == {
        'perch_turns_total{outcome="done",protocol="json"}': 1,
        "perch_deltas_total": 3,
        'perch_tokens_total{kind="prompt"}': 24,
        'perch_tokens_total{kind="completion"}': 3,
        "perch_first_token_seconds_count": 1,
        "perch_turn_seconds_count": 1,
        'perch_storage_seconds_count{call="begin_turn",outcome="ok"}': 1,
        'perch_storage_seconds_count{call="finish_turn",outcome="ok"}': 1,
        'perch_requests_total{method="POST",route="/v1/chat",status="200"}': 1,
        "perch_running_turns": 0,
    }


@pytest.mark.parametrize("protocol", DOORS)
def test_turn_and_request_tell_their_protocol(client: "FlaskClient", protocol: str) -> None:
    door = DOORS[protocol]

    with capture_logs() as lines:
        answer = client.post(
            door.path, json=door.body("session-1", "When?"), headers={"x-api-key": WIDGET_KEY}
        )
        answer.get_data()
        answer.close()

    (line,) = [each for each in lines if each["event"] == "request"]
    assert line.get("protocol", "json") == protocol
    assert scrape(client)[f'perch_turns_total{{outcome="done",protocol="{protocol}"}}'] == 1


def test_a_failed_turn_is_counted_by_its_code(
    ask: "Ask", client: "FlaskClient", model: ScriptedModel
) -> None:
    model.script(start=ModelUnavailable())

    ask("When?")

    told = scrape(client)
    assert told['perch_turns_total{outcome="model_unavailable",protocol="json"}'] == 1
    assert told['perch_errors_total{code="model_unavailable"}'] == 1


def test_a_turn_that_is_told_again_counts_apart(ask: "Ask", client: "FlaskClient") -> None:
    ask("When?", turnId="turn-0001")
    ask("When?", turnId="turn-0001")

    told = scrape(client)
    assert told['perch_turns_total{outcome="done",protocol="json"}'] == 1
    assert told['perch_turns_total{outcome="repeated",protocol="json"}'] == 1
    assert told["perch_turn_seconds_count"] == 1


def test_limits_and_the_breaker_show(make_app: "MakeApp", model: ScriptedModel) -> None:
    client = make_app(RATE_LIMIT_MAX_REQUESTS="1", BREAKER_FAILURES="1").test_client()
    model.script(start=ModelUnavailable())
    body = {"sessionId": "s-1", "message": "Hi"}

    for _ in range(2):
        client.post("/v1/chat", json=body, headers={"x-api-key": WIDGET_KEY})

    told = scrape(client)
    assert told['perch_errors_total{code="too_many_requests"}'] == 1
    assert told["perch_breaker_open"] == 1
    assert told["perch_breaker_openings_total"] == 1


def test_what_only_the_owner_can_mend_shows(make_app: "MakeApp", model: ScriptedModel) -> None:
    client = make_app(BREAKER_FAILURES="0").test_client()
    model.script(start=ModelMisconfigured())
    body = {"sessionId": "s-1", "message": "Hi"}

    before = scrape(client)
    client.post("/v1/chat", json=body, headers={"x-api-key": WIDGET_KEY})

    assert before["perch_model_misconfigured"] == 0
    assert scrape(client)["perch_model_misconfigured"] == 1


def test_what_strangers_send_makes_no_new_series(client: "FlaskClient") -> None:
    for number in range(3):
        client.open(f"/nowhere/{number}", method=f"INVENTED{number}")

    told = scrape(client)
    assert told['perch_requests_total{method="other",route="none",status="404"}'] == 3


def test_nothing_of_a_conversation_shows(ask: "Ask", client: "FlaskClient") -> None:
    ask("My secret is PLUM", turnId="turn-of-plum")

    text = client.get("/metrics", headers=ADMIN).text
    assert "PLUM" not in text
    assert "plum" not in text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (ADMIN, 200),
        ({"Authorization": f"Bearer {ADMIN_KEY}"}, 200),
        ({"Authorization": "Bearer another-key-of-24-characters"}, 401),
        ({"x-admin-api-key": WIDGET_KEY}, 401),
        ({}, 401),
    ],
)
def test_the_admin_key_opens_it(
    client: "FlaskClient", headers: dict[str, str], status: int
) -> None:
    assert client.get("/metrics", headers=headers).status_code == status


def test_the_private_port_shows_it_without_a_key_and_nothing_else(make_app: "MakeApp") -> None:
    client = make_app(METRICS_BIND="127.0.0.1:9091").test_client()
    private = {"base_url": "http://localhost:9091"}

    assert client.get("/metrics", **private).status_code == 200
    assert client.get("/health", **private).status_code == 200
    assert client.get("/v1/openapi.json", **private).status_code == 404
    assert client.get("/metrics").status_code == 401


def test_a_host_header_does_not_make_a_port_private(make_app: "MakeApp") -> None:
    client = make_app(METRICS_BIND="127.0.0.1:9091").test_client()

    answer = client.get("/metrics", headers={"Host": "localhost:9091"})

    assert answer.status_code == 401


def test_tokens_that_nobody_saw_are_a_kind_of_their_own(
    ask: "Ask", client: "FlaskClient", model: ScriptedModel
) -> None:
    model.script("Nine", usage=Usage(24, 30, 27))

    ask("When?")

    told = scrape(client)
    assert told['perch_tokens_total{kind="completion"}'] == 30
    assert told['perch_tokens_total{kind="reasoning"}'] == 27


def test_a_timed_call_costs_microseconds() -> None:
    """Generous: it is 1 µs, and must not become 50 unnoticed."""
    metrics = Metrics()
    rounds = 1000

    started_at = time.process_time()
    for _ in range(rounds):
        metrics.time_call("begin_turn", 0.002, failed=False)
    taken_s = time.process_time() - started_at

    assert taken_s / rounds < 50e-6
