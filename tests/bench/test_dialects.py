"""What the load generator looks for is what each protocol sends."""

from typing import TYPE_CHECKING

import pytest

from bench.dialects import DIALECTS, KEY, OTHERS
from tests.fakes import ScriptedModel

if TYPE_CHECKING:
    from tests.conftest import MakeApp

TOKENS = [" word@1", " word@2", " word@3"]


@pytest.mark.parametrize("name", ["ndjson", *OTHERS])
def test_each_token_and_the_end_are_seen_once(
    make_app: "MakeApp", model: ScriptedModel, name: str
) -> None:
    dialect = DIALECTS[name]
    model.script(*TOKENS)
    client = make_app(WIDGET_API_KEY=KEY).test_client()

    answer = client.post(
        dialect.path, json=dialect.body("s-1", "Hi"), headers=dict(dialect.headers)
    )
    lines = answer.data.splitlines()

    # Those that came together stand in one piece.
    seen = sum(line.count(b"@") for line in lines if line.startswith(dialect.token))
    assert seen == len(TOKENS)
    # The last chunk of a body is the server's.
    assert sum(line.startswith(dialect.end) for line in lines) == (dialect.end != b"0\r")
