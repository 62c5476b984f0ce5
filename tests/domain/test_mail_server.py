"""Mail servers and addresses, as owners write them."""

import pytest

from app.domain.mail_server import MailServer, is_mail_address, is_mailbox


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://localhost", MailServer("localhost", 25)),
        ("smtp://mail.example.com:2525", MailServer("mail.example.com", 2525)),
        ("smtps://me:x@m.example", MailServer("m.example", 465, "tls", "me", "x")),
        (
            "smtp://me%40m.example:p%3Aw%40@m.example?starttls",
            MailServer("m.example", 587, "starttls", "me@m.example", "p:w@"),
        ),
        ("smtp://m.example:587/?starttls=true", MailServer("m.example", 587, "starttls")),
        ("smtp://[::1]:25", MailServer("::1", 25)),
    ],
)
def test_a_url_says_where_and_how(url: str, server: MailServer) -> None:
    assert MailServer.parse(url) == server


@pytest.mark.parametrize(
    "url",
    ["mail.example.com:25", "https://m.example", "smtp://", "smtp://m:99999", "smtp://m?tls", "smtp://m/x"],
)  # fmt: skip
def test_what_is_no_server_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ValueError, match="write smtps://user:password@host:465"):
        MailServer.parse(url)


def test_its_password_is_shown_nowhere() -> None:
    assert "hunter2" not in repr(MailServer.parse("smtps://me:hunter2@m.example"))


@pytest.mark.parametrize("address", ["a@b", "ada.l+x@mail.example.com", "ü@bücher.example"])
def test_addresses(address: str) -> None:
    assert is_mail_address(address)
    assert is_mailbox(f"Ada <{address}>")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "@example.com",
        "a@",
        "a b@example.com",
        "a@example.com, b@example.com",
        "Ada <a@example.com>",
        "a@example.com\nBcc: b@example.com",
        "a@example.com\r",
        "a@-example.com",
        "a@example..com",
        "a\x00@example.com",
        "\u202emoc.elpmaxe@ada",
        "a\u200b@example.com",
        # A word as headers encode it: mail programs and libraries read another address in it.
        "=?utf-8?q?a=0d=0aBcc=3a=20x=40y.z?=@example.com",
        f"{'a' * 65}@example.com",
        f"a@{'b.' * 150}com",
    ],
)
def test_what_is_no_address(text: str) -> None:
    assert not is_mail_address(text)
    assert not is_mailbox("Ada\n <a@example.com>")
