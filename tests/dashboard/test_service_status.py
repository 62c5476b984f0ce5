"""The status of the service, on every page."""

import re
from typing import TYPE_CHECKING

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.domain.errors import ModelMisconfigured, ModelUnavailable, StorageUnavailable
from app.factory import Parts, create_app
from app.storage.protocol import ConversationStore
from tests.dashboard.door import PASSWORD, SECRETS, sign_in, text_of
from tests.data import a_question, an_answer, some_settings

if TYPE_CHECKING:
    from tests.conftest import MakeApp


def strip(page: TestResponse) -> str:
    found = re.search(r'<div class="strip".*?</div>', page.text, re.DOTALL)
    assert found is not None
    return text_of(found[0])


PAGES_WITH_STATUS = ["/dashboard/", "/dashboard/conversations", "/dashboard/settings"]


@pytest.mark.parametrize("path", PAGES_WITH_STATUS)
def test_page_of_a_sound_service_says_nothing_of_it(operator: FlaskClient, path: str) -> None:
    page = operator.get(path)

    assert strip(page) == ""
    assert re.search(r'hx-swap="outerHTML"></div>', page.text)


@pytest.mark.parametrize("path", PAGES_WITH_STATUS)
def test_trouble_is_told_on_every_page(
    app: Flask, operator: FlaskClient, store: ConversationStore, path: str
) -> None:
    perch = app.extensions["perch"]
    perch.switches.switch(off=True)
    for _ in range(5):
        perch.assistants.default.breaker.fail(ModelUnavailable())
    turn = store.begin_turn(a_question(), history_limit=30, lease_s=60)
    perch.retry_queue.keep(turn, an_answer())

    told = strip(operator.get(path))

    assert "is switched off" in told
    assert "is left alone for a while" in told
    assert "1 answer waits for the store" in told


@pytest.mark.parametrize("path", PAGES_WITH_STATUS)
def test_what_only_the_owner_can_mend_is_told_until_the_model_answers(
    app: Flask, operator: FlaskClient, path: str
) -> None:
    breaker = app.extensions["perch"].assistants.default.breaker
    failure = ModelMisconfigured()
    failure.cause = "insufficient_quota <b>" + "x" * 1000
    breaker.fail(failure)

    told = strip(operator.get(path))
    breaker.succeed()

    assert "The model answers nobody until you mend" in told
    assert "insufficient_quota &lt;b&gt;x" in told
    assert "x" * 300 not in told
    assert strip(operator.get(path)) == ""


def test_store_that_cannot_be_written_is_told(
    make_app: "MakeApp", store: ConversationStore
) -> None:
    class Full:
        def __getattr__(self, name: str) -> object:
            return getattr(store, name)

        def ping(self) -> None:
            raise StorageUnavailable("The disk is full.")

    settings = some_settings(DASHBOARD_PASSWORD=PASSWORD, SECRET_KEY=SECRETS[0])
    client = create_app(settings, Parts(store=Full())).test_client()  # type: ignore[arg-type]
    sign_in(client)

    assert "The disk is full." in strip(client.get("/dashboard/"))


def test_open_page_hears_of_changes_only(app: Flask, operator: FlaskClient) -> None:
    found = re.search(r'hx-get="([^"]+/status[^"]+)"', operator.get("/dashboard/").text)
    assert found is not None
    poll = found[1].replace("&amp;", "&")

    unchanged = operator.get(poll, headers={"HX-Request": "true"})
    app.extensions["perch"].switches.switch(off=True)
    changed = operator.get(poll, headers={"HX-Request": "true"})

    assert unchanged.status_code == 204
    assert "is switched off" in strip(changed)
