"""No door is cheaper: what a limit or a budget refuses at one is refused at all."""

from typing import TYPE_CHECKING, Any

import pytest
from flask.testing import FlaskClient

from app.domain.conversation import Usage
from tests.data import SESSION, WIDGET_KEY
from tests.doors import DOORS, code_of
from tests.fakes import ScriptedModel

if TYPE_CHECKING:
    from tests.conftest import MakeApp

# One answer takes all but a little of a budget.
SPENT = Usage(1000, 200)
BUDGET = "1300"
LIMITS = {
    "of an address": {"RATE_LIMIT_MAX_REQUESTS": "1"},
    "of an address a day": {"LIMIT_IP_PER_DAY": "1"},
    "of a session": {"LIMIT_SESSION_PER_MINUTE": "1"},
    "of a session a day": {"LIMIT_SESSION_PER_DAY": "1"},
    "a budget of an address": {"BUDGET_TOKENS_PER_IP_DAY": BUDGET},
    "a budget of a session": {"BUDGET_TOKENS_PER_SESSION_DAY": BUDGET},
    "a budget of all": {"BUDGET_TOKENS_PER_DAY": BUDGET},
}


def ask(client: FlaskClient, protocol: str) -> tuple[int, Any]:
    """Ask at a door; returns the status and the code of what is refused."""
    door = DOORS[protocol]
    body = door.body(SESSION, "Hello")
    answer = client.post(door.path, json=body, headers={"x-api-key": WIDGET_KEY})
    answer.get_data()
    answer.close()
    return answer.status_code, code_of(answer.json) if answer.is_json else None


@pytest.mark.parametrize("protocol", DOORS)
@pytest.mark.parametrize("settings", LIMITS.values(), ids=LIMITS)
def test_what_was_spent_at_one_door_is_spent_at_all(
    make_app: "MakeApp", model: ScriptedModel, settings: dict[str, str], protocol: str
) -> None:
    model.script("Hello", usage=SPENT)
    app = make_app(MAX_PROMPT_TOKENS="1000", MAX_OUTPUT_TOKENS="200", **settings)
    ask(app.test_client(), "ndjson")
    status, code = ask(app.test_client(), "json")

    assert status in (429, 503)
    assert ask(app.test_client(), protocol) == (status, code)
