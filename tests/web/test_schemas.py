"""What a chat's body may hold."""

import pytest
from marshmallow import ValidationError

from app.web.schemas import ChatSchema

REFUSED = [*range(9), 0x0B, 0x0C, *range(0x0E, 0x20)]


@pytest.mark.parametrize("code", REFUSED, ids=hex)
def test_message_with_a_control_character_is_refused_with_its_place(code: int) -> None:
    with pytest.raises(ValidationError) as refused:
        ChatSchema().load({"message": f"Hi {chr(code)}there"})

    assert refused.value.messages == {
        "message": [
            f"Must hold no control character but tab and line breaks: U+{code:04X} at 3",
        ]
    }


@pytest.mark.parametrize(
    "text", ["a\tb", "a\nb", "a\r\nb", "\x85\xa0\u200b\u202e\ufeff", "👩\u200d🍳"]
)
def test_message_with_what_people_write_is_taken(text: str) -> None:
    assert ChatSchema().load({"message": text}).message == text
