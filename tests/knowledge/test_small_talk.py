import time

import pytest

from app.knowledge.small_talk import small_talk


@pytest.mark.parametrize(
    ("question", "languages", "talk"),
    [
        ("thanks!", ("en",), "greeting"),
        ("Hello there, good morning", ("en",), "greeting"),
        ("vielen Dank", ("de",), "greeting"),
        ("thank you", ("de",), "greeting"),
        ("谢谢！", ("zh",), "greeting"),
        ("你好", ("zh", "en"), "greeting"),
        ("yes please", ("en",), "assent"),
        ("ja, gerne", ("de",), "assent"),
        ("好的", ("zh",), "assent"),
        ("why?", ("en",), None),
        ("opening hours", ("en",), None),
        ("thanks, and where is my parcel?", ("en",), None),
        ("好的，怎么退货", ("zh",), None),
        ("", ("en",), None),
        ("???", (), None),
    ],
)
def test_small_talk_is_told_from_questions(
    question: str, languages: tuple[str, ...], talk: str | None
) -> None:
    assert small_talk(question, languages) == talk


@pytest.mark.parametrize(
    ("word", "language"), [("我们", "zh"), ("には", "ja"), ("무엇인가요", "ko"), ("yes ", "en")]
)
def test_words_within_words_cost_no_more_than_others(word: str, language: str) -> None:
    began = time.process_time()

    assert small_talk(word * (4000 // len(word)) + "猫", (language,)) is None

    assert time.process_time() - began < 1
