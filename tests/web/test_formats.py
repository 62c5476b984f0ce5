"""What the operator's pages say of numbers, times and texts."""

from app.web.formats import to_preview


def test_preview_is_one_line_without_the_marks_of_markdown() -> None:
    assert to_preview("# Hours\n\n**Open** at `9`, see [the list](https://a.example)") == (
        "Hours Open at 9, see the list"
    )


def test_preview_of_nothing_is_empty() -> None:
    assert to_preview(None) == ""


def test_preview_looks_at_the_beginning_only() -> None:
    assert to_preview("[" * 100_000) == "[" * 500
