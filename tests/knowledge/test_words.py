import pytest

from app.knowledge.words import Words, guess_language, question_key


@pytest.mark.parametrize(
    ("language", "text", "terms"),
    [
        ("en", "Returning the parcels you returned", ["return", "parcel", "return"]),
        ("de", "Die Häuser und das Haus", ["haus", "haus"]),
        ("fr", "les réservations annulées", ["reserv", "annul"]),
        ("ru", "Возвраты товаров", ["возврат", "товар"]),
        ("zh", "怎么安装软件", ["安装", "装软", "软件"]),
        ("ja", "送料はいくらですか", ["送料"]),
        ("ko", "배송비", ["배송비", "배송", "송비"]),
        ("th", "ราคา", ["รา", "าค", "คา"]),
        ("hi", "किताबें कैसे", ["किताब"]),
        ("xx", "Naïve CAFÉ", ["naive", "cafe"]),
        ("en", "", []),
        ("en", "the of and", []),
    ],
)
def test_text_becomes_the_terms_of_its_language(language: str, text: str, terms: list[str]) -> None:
    assert Words((language,)).terms(text) == terms


@pytest.mark.parametrize(
    ("identifier", "terms"),
    [
        ("max_connections", {"max_connections", "max", "connect"}),
        ("ERR_42", {"err_42", "err", "42"}),
        ("v2.1", {"v2_1", "v2", "1"}),
        ("getUserName", {"get_user_name", "user", "name"}),
        ("apt-get", {"apt_get", "apt"}),
    ],
)
def test_identifier_is_found_whole_and_by_its_parts(identifier: str, terms: set[str]) -> None:
    found = set(Words(("en",)).terms(identifier))

    assert terms <= found


def test_full_width_letters_are_letters() -> None:
    assert Words(("en",)).terms("ＡＢＣ１２") == Words(("en",)).terms("ABC12")


def test_question_has_the_stems_of_each_language() -> None:
    assert set(Words(("en", "de")).terms("Bestellungen")) == {"bestellungen", "bestell"}


def test_pieces_are_of_longer_words_alone() -> None:
    assert Words(("de",)).grams("Das Paket ist da") == ["pake", "aket"]
    assert Words(("zh",)).grams("安装软件") == []


def test_word_that_was_seen_before_comes_to_the_same() -> None:
    words = Words(("en",))

    assert words.terms("parcels Parcels") == words.terms("parcels Parcels") == ["parcel", "parcel"]


def test_term_is_never_longer_than_forty_letters() -> None:
    words = Words(("en",))

    assert max(map(len, words.terms("a1" * 500 + " " + "b" * 500))) == 40
    assert len(words.grams("b" * 500)) == 37


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Where do I find the opening hours of your shop?", "en"),
        ("Wie kann ich eine Bestellung zurückgeben?", "de"),
        ("Где можно узнать о доставке?", "ru"),
        ("如何安装软件包", "zh"),
        ("インストールするには", "ja"),
        ("패키지를 설치하려면", "ko"),
        ("xyzzy 12345", None),
        ("", None),
    ],
)
def test_language_is_guessed_from_what_says_nothing_else(text: str, language: str | None) -> None:
    assert guess_language(text) == language


def test_questions_that_differ_in_spelling_alone_are_one() -> None:
    assert question_key("When are you OPEN?") == question_key("  when are you, open ")
    assert question_key("Où êtes-vous ?") == question_key("ou etes-vous")


def test_questions_that_differ_in_a_stopword_are_two() -> None:
    assert question_key("When are you open") != question_key("Where are you open")
    assert question_key("Is it open?") != question_key("Is it not open?")
