"""Which assistant a key or an id finds."""

import pytest

from app.assistants import Assistants
from tests.turn_parts import an_assistant

SHOP = an_assistant(name="shop", keys=("shop-1", "shop-2"))
DEFAULT = an_assistant(keys=("first",))


@pytest.fixture
def assistants() -> Assistants:
    return Assistants([DEFAULT, SHOP])


def test_each_of_its_keys_finds_an_assistant_and_nothing_else_does(assistants: Assistants) -> None:
    assert [assistants.of_key(key) for key in ("first", "shop-1", "shop-2")] == [
        DEFAULT, SHOP, SHOP,
    ]  # fmt: skip
    assert [assistants.of_key(key) for key in ("", "FIRST", "shop", "\udcff")] == [None] * 4


def test_an_id_finds_its_assistant_if_there_is_one(assistants: Assistants) -> None:
    assert assistants.get("shop") is assistants["shop"] is SHOP
    assert assistants.get("gone") is None


def test_the_first_is_the_default_and_one_alone_is_not_several(assistants: Assistants) -> None:
    assert assistants.default is DEFAULT
    assert assistants.ids == ("default", "shop")
    assert list(assistants) == [DEFAULT, SHOP]
    assert assistants.are_several
    assert not Assistants([DEFAULT]).are_several
