"""The visitor's mails, in each language of the widget."""

from dataclasses import fields
from pathlib import Path

import pytest

from app.notifications.mails.mail_texts import MailTexts, texts_of

LOCALES = sorted(each.stem for each in Path("widget/locales").glob("*.json"))
LANGUAGES = ["en", *LOCALES]


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_of_the_widget_has_all_texts(language: str) -> None:
    texts = texts_of(language)

    assert texts.language == language
    assert all(getattr(texts, each.name).strip() for each in fields(MailTexts))
    assert "{name}" in texts.subject
    assert "{name}" in texts.greeting
    assert "{site}" in texts.greeting
    assert "{site}" in texts.footer
    assert "30" in texts.link_note
    assert texts.subject.format(name="{x}", site="") != texts.subject


def test_no_two_languages_say_the_same() -> None:
    assert len({texts_of(each).footer for each in LANGUAGES}) == len(LANGUAGES) == 17


@pytest.mark.parametrize(
    ("asked", "told"), [("pt-BR", "pt"), ("ZH-hant", "zh"), ("tlh", "en"), ("", "en")]
)
def test_regions_have_their_language_and_others_english(asked: str, told: str) -> None:
    assert texts_of(asked).language == told


def test_two_languages_are_written_from_right_to_left() -> None:
    assert [each for each in LANGUAGES if texts_of(each).is_right_to_left] == ["ar", "he"]
