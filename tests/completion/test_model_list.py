"""The models that a server lists, in the forms that servers have for it."""

import json
from datetime import date

import pytest

from app.completion.model_list import ListedModel, read_models


@pytest.mark.parametrize(
    "told",
    [
        {"data": [{"id": "m-1"}, {"id": "m-2"}]},
        {"models": [{"name": "m-1"}, {"name": "models/m-2"}]},
        [{"id": "m-1"}, {"name": "m-2"}],
        {"data": [{"id": "m-1"}, {"id": 7}, "m-3", {"id": "m-2"}]},
    ],
)
def test_every_form_of_list_is_read(told: object) -> None:
    assert read_models(json.dumps(told).encode()) == (ListedModel("m-1"), ListedModel("m-2"))


@pytest.mark.parametrize("body", [b"", b"{", b"7", b'{"data":7}', b"<html>"])
def test_what_is_no_list_names_no_model(body: bytes) -> None:
    assert read_models(body) == ()


@pytest.mark.parametrize(
    ("field", "told", "day"),
    [
        ("shutdown_date", "2027-01-14", date(2027, 1, 14)),
        ("deprecation", "2027-01-14T12:00:00Z", date(2027, 1, 14)),
        ("expiration_date", 1799884800, date(2027, 1, 14)),
        ("shutdown_date", "soon", None),
        ("shutdown_date", 1e300, None),
        ("shutdown_date", True, None),
    ],
)
def test_end_of_a_model_is_read_as_servers_tell_it(
    field: str, told: object, day: date | None
) -> None:
    body = json.dumps([{"id": "m-1", field: told}]).encode()

    assert read_models(body) == (ListedModel("m-1", day),)
