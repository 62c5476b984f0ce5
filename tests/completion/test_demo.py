"""The built-in demo: it says what it is, and listens."""

from collections.abc import Sequence

import pytest

from app.completion.demo import NAME, DemoModel
from app.domain.conversation import PromptMessage, Usage
from app.domain.grounding import frame
from app.domain.knowledge import Found, Passage


def tell(*prompt: PromptMessage, pause_after_each: bool = False) -> tuple[list[str], object]:
    """What the demo says, and what it tells of it."""
    said: list[str] = []

    def receive(deltas: Sequence[str]) -> bool:
        said.extend(deltas)
        return not pause_after_each

    with DemoModel(word_pause_s=0).stream(prompt) as completion:
        while not completion.relay(receive):
            pass
    return said, completion


def asked(*questions: str) -> list[PromptMessage]:
    """A conversation of these questions, each answered but the last."""
    said = [PromptMessage("system", "Be brief.")]
    for question in questions:
        said += [PromptMessage("user", question), PromptMessage("assistant", "Well.")]
    return said[:-1]


def test_first_words_say_what_it_is_and_what_to_set() -> None:
    said, _ = tell(*asked("When do you open?"))
    text = "".join(said)

    assert text.startswith("This is Perch's built-in demo, not a language model")
    assert "OPENAI_API_KEY" in text.partition("\n")[0]
    assert "“When do you open?”" in text


def test_where_pages_were_found_it_quotes_them_with_their_numbers() -> None:
    passages = [
        Passage("k1", "Opening hours", "Sunday", "From 10 to 12. " * 50, 10),
        Passage("k2", "Prices", "", "Five euros, on Sunday six.", 10),
        Passage("k3", "Returns", "", "Within a month.", 10),
    ]
    asks = frame("When do you open on Sunday?", Found(passages))

    text = "".join(
        tell(*asked("Hello?"), PromptMessage("assistant", "Hi"), PromptMessage("user", asks))[0]
    )

    assert "not a language model" in text
    assert "“When do you open on Sunday?”" in text
    assert "**Opening hours › Sunday**" in text
    assert "Five euros, on Sunday six. [2]" in text
    assert "Returns" not in text
    assert "⟦" not in text
    assert len(text) < 1000


def test_where_the_pages_say_nothing_it_tells_where_the_question_stands_now() -> None:
    text = "".join(tell(PromptMessage("user", frame("Who is the pope?", Found())))[0])

    assert "say nothing about “Who is the pope?”" in text
    assert "Unanswered" in text


@pytest.mark.parametrize(
    "question",
    ["Do you deliver pizza to Hamburg on Sundays?", "What is your refund policy for shoes?"],
)
def test_a_page_that_shares_a_word_of_many_says_nothing(question: str) -> None:
    page = Passage("k1", "Redistributing Debian", "", "By our policy, deliver sources.", 10)

    text = "".join(tell(PromptMessage("user", frame(question, Found([page]))))[0])

    assert "say nothing about" in text


def test_a_question_of_short_words_is_believed_to_have_found_its_page() -> None:
    page = Passage("k1", "dpkg", "", "The package manager.", 10)

    text = "".join(tell(PromptMessage("user", frame("What is dpkg?", Found([page]))))[0])

    assert "The package manager. [1]" in text


def test_later_turns_remember_the_earlier() -> None:
    text = "".join(tell(*asked("When do you open?", "And on Sundays?"))[0])

    assert "“And on Sundays?”" in text
    assert "“When do you open?”" in text
    assert "3 messages" in text


@pytest.mark.parametrize("question", ["{quote}", "{0}", "%s", "\n", " ", "“”", "x" * 4000])
def test_any_question_is_quoted(question: str) -> None:
    text = "".join(tell(*asked(question))[0])

    assert len(text) < 1000
    assert " ".join(question.split())[:100] in text


def test_it_comes_word_by_word() -> None:
    said, completion = tell(*asked("Hi"))

    assert len(said) > 40
    assert all(len(word.split()) == 1 for word in said)
    assert completion.outcome.finish_reason == "stop"
    assert completion.outcome.model == NAME
    assert completion.outcome.usage == Usage(3, len(said))


def test_a_pause_loses_no_word() -> None:
    assert tell(*asked("Hi"), pause_after_each=True)[0] == tell(*asked("Hi"))[0]
