from app.domain.knowledge import Document, Section
from app.knowledge.passages import GOAL_CHARS, MAX_CHARS, cut_document


def a_document(*sections: Section, kind: str = "page") -> Document:
    return Document("default", "https://a.example/", kind, "Title", sections)  # type: ignore[arg-type]


def test_each_heading_begins_a_passage() -> None:
    pieces = cut_document(
        a_document(
            Section("", "Intro."), Section("Hours", "Ten to six.", "hours"), Section("X", " ")
        )
    )

    assert pieces == [(0, "", None, "Intro."), (1, "Hours", "hours", "Ten to six.")]


def test_paragraphs_are_gathered_and_none_is_torn() -> None:
    paragraphs = [f"{number} " + "word " * 60 for number in range(12)]

    pieces = cut_document(a_document(Section("", "\n\n".join(paragraphs))))

    assert "\n\n".join(piece.text for piece in pieces).split("\n\n") == [
        p.strip() for p in paragraphs
    ]
    assert all(len(piece.text) <= GOAL_CHARS for piece in pieces)


def test_long_paragraph_is_cut_after_sentences() -> None:
    pieces = cut_document(a_document(Section("", "A sentence of no length. " * 300)))

    assert all(piece.text.endswith(".") and len(piece.text) <= GOAL_CHARS for piece in pieces)


def test_chinese_is_cut_after_its_own_full_stop() -> None:
    pieces = cut_document(a_document(Section("", "这是一个没有长度的句子。" * 400)))

    assert all(piece.text.endswith("。") for piece in pieces)


def test_nothing_is_longer_than_the_bound_and_nothing_is_lost() -> None:
    text = "x" * 10_000

    pieces = cut_document(a_document(Section("", text)))

    assert "".join(piece.text for piece in pieces) == text
    assert all(len(piece.text) <= MAX_CHARS for piece in pieces)


def test_table_that_is_cut_has_its_header_in_each_piece() -> None:
    header = "| Size | Price |\n| --- | --- |"
    rows = [f"| {number} | {number * 10} euros and some words |" for number in range(150)]

    pieces = cut_document(a_document(Section("", "\n".join([header, *rows]))))

    assert len(pieces) > 1
    assert all(piece.text.startswith(header) and len(piece.text) <= MAX_CHARS for piece in pieces)
    assert [line for piece in pieces for line in piece.text.split("\n")[2:]] == rows


def test_correction_is_one_passage() -> None:
    pieces = cut_document(a_document(Section("", "An answer. " * 500), kind="correction"))

    assert len(pieces) == 1


def test_places_count_through_the_document() -> None:
    pieces = cut_document(a_document(Section("A", "y" * 4000), Section("B", "z")))

    assert [piece.place for piece in pieces] == [0, 1, 2, 3]
