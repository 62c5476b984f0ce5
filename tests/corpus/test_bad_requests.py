"""Every bad request gets its documented error from the application itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app import settings
from app.factory import create_app
from tests.corpus.bad_requests import BAD_REQUESTS, SERVER, Bad


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    path: Path = tmp_path_factory.mktemp("corpus") / "chat.db"
    with pytest.MonkeyPatch.context() as patch:
        for name in settings.variables():
            patch.delenv(name, raising=False)
        for name, value in {**SERVER, "SQLITE_PATH": str(path)}.items():
            patch.setenv(name, value)
        app = create_app(settings.load())
    with app.test_client() as client:
        yield client


@pytest.mark.parametrize("bad", BAD_REQUESTS, ids=str)
def test_bad_request_gets_its_documented_error(client: FlaskClient, bad: Bad) -> None:
    length = None if bad.body is None else len(bad.body)

    answer = client.open(
        bad.path,
        method=bad.method,
        headers=bad.sent_headers,
        data=bad.body,
        content_length=length,
    )

    bad.check(answer.status_code, answer.headers, answer.data)


def test_the_corpus_is_large_and_its_claims_are_unique() -> None:
    claims = {bad.claim for bad in BAD_REQUESTS}

    assert len(claims) == len(BAD_REQUESTS) >= 200
