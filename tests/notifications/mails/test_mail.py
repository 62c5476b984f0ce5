"""Mails as they look: headers that hold, text for a terminal, HTML that fetches nothing."""

from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import cast

import pytest

from app.notifications.mails.mail import Letter, to_mail
from tests.notifications.outbox import NOW_MS
from tests.notifications.post_office import text_of

LETTER = Letter(
    id="n1.visitor",
    to=("ada@example.org",),
    subject="Ada has answered you",
    greeting="Ada has answered you in the chat of www.example.com:",
    text="Hello!\n\nYes, we do: " + "word " * 30 + "\nGrüße",
    link=("Continue the conversation", f"https://www.example.com/?perch={'x' * 90}"),
    footer="You get this because you asked.",
    thread="visitor.c1",
)


def sent(letter: Letter, sender: str = "Chat <chat@example.com>") -> EmailMessage:
    """What arrives at the other end."""
    mail = message_from_bytes(to_mail(letter, sender, NOW_MS).as_bytes(), policy=default)
    return cast(EmailMessage, mail)


def test_headers_keep_a_conversation_together() -> None:
    headers = {name: str(value) for name, value in sent(LETTER).items()}

    assert headers.pop("Content-Type").startswith("multipart/alternative; boundary=")
    assert headers == {
        "From": "Chat <chat@example.com>",
        "To": "ada@example.org",
        "Subject": "Ada has answered you",
        "Date": "Mon, 21 Sep 2026 14:13:20 +0000",
        "Message-ID": "<n1-visitor@example.com>",
        "In-Reply-To": "<visitor-c1@example.com>",
        "References": "<visitor-c1@example.com>",
        "Content-Language": "en",
        "Auto-Submitted": "auto-generated",
        "MIME-Version": "1.0",
    }


def test_the_text_is_read_in_a_terminal() -> None:
    text = text_of(sent(LETTER))

    assert text.startswith(
        "Ada has answered you in the chat of www.example.com:\n\n> Hello!\n>\n> Yes, we do: word"
    )
    link = f"https://www.example.com/?perch={'x' * 90}"
    assert text.endswith(
        f"> Grüße\n\nContinue the conversation:\n{link}\n\n-- \nYou get this because you asked.\n"
    )
    assert max(len(line) for line in text.splitlines() if line != link) <= 72


def test_every_line_is_short_enough_for_smtp_and_in_ascii() -> None:
    raw = to_mail(replace(LETTER, text="漢" * 5000), "Chat <chat@example.com>", NOW_MS).as_bytes()

    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 78


def test_html_shows_words_and_obeys_none() -> None:
    hostile = '<img src=x onerror=alert(1)> & "quotes"'

    html = text_of(sent(replace(LETTER, text=hostile, greeting=hostile)), "html")

    assert "<img" not in html
    assert html.count("&lt;img src=x onerror=alert(1)&gt; &amp; &quot;quotes&quot;") == 2
    assert "src=" not in html.replace("&lt;img src=x", "")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x0b", "\x1c", "\u2028", "\x00"])
def test_nothing_ends_a_header(end: str) -> None:
    mail = sent(replace(LETTER, subject=f"Hi{end}Bcc: eve@example.net{end}{end}Body"))

    assert "Bcc" not in mail
    assert mail["Subject"] == "Hi Bcc: eve@example.net Body"
    assert mail["From"].addresses[0].addr_spec == "chat@example.com"


def test_a_terminal_obeys_nothing() -> None:
    text = text_of(sent(replace(LETTER, text="a\x1b[2Jb\u202ec")))

    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "> a[2Jbc" in text


def test_names_and_subjects_of_any_script() -> None:
    mail = sent(replace(LETTER, subject="Ответ от 漢字"), "Größe <chat@example.com>")

    assert mail["Subject"] == "Ответ от 漢字"
    assert mail["From"].addresses[0].display_name == "Größe"


def test_right_to_left_is_said_in_html() -> None:
    mail = sent(replace(LETTER, language="he", is_right_to_left=True))

    assert '<html lang="he" dir="rtl">' in text_of(mail, "html")
    assert mail["Content-Language"] == "he"
