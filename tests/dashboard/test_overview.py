"""What the overview leads with."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from flask.testing import FlaskClient

from app.domain.conversation import Feedback
from app.storage.protocol import ConversationStore
from tests.dashboard.door import text_of
from tests.data import a_failure, an_answer, say


def test_overview_shows_what_was_disliked_and_what_failed(
    operator: FlaskClient, store: ConversationStore
) -> None:
    say(store, "disliked", content="Which size?", answer=an_answer(content="Blue."))
    thread = store.read_session("disliked", limit=10)
    assert thread is not None
    store.rate_message("disliked", thread.messages[1].id, Feedback("down", "Not what I asked"))
    say(store, "disliked", "turn-0002", content="Thank you", answer=an_answer(content="Welcome!"))
    failure = a_failure(error_code="model_timeout", request_id="5f2c0a9d77e1b3c4")
    say(store, "failed", content="Is it waterproof?", answer=failure)

    html = operator.get("/dashboard/").text
    text = text_of(html[html.index("Disliked lately") :])

    for words in ("Which size?", "Blue.", "Not what I asked"):
        assert words in text
    assert "Welcome!" not in text
    for words in ("Is it waterproof?", "silent for too long", "model_timeout", "5f2c0a9d77e1b3c4"):
        assert words in text


def test_hours_of_a_chart_are_the_operators(
    operator: FlaskClient, store: ConversationStore
) -> None:
    say(store)
    operator.set_cookie("perch-zone", "Asia/Kathmandu", path="/dashboard")

    html = operator.get("/dashboard/?span=24h").text
    days = operator.get("/dashboard/?span=7d").text

    hour = datetime.now(UTC).replace(minute=0).astimezone(ZoneInfo("Asia/Kathmandu"))
    assert "Hours in Asia/Kathmandu" in html
    assert f"{hour:%Y-%m-%d %H:%M}" in html
    assert hour.minute == 45
    assert "Days in UTC" in days
