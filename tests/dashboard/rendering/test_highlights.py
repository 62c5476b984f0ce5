"""Words that were searched for are marked."""

from app.dashboard.rendering.highlights import MAX_MARKED_CHARS, MAX_MARKS, highlight


def test_words_are_marked_in_the_beginning_of_a_long_text_only() -> None:
    marked = highlight("a " * MAX_MARKED_CHARS, ["b", "a"])
    late = highlight(" " * MAX_MARKED_CHARS + "a", ["a"])

    assert marked.count("<mark>") == MAX_MARKS
    assert late.strip() == "a"
