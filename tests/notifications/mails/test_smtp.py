"""Mails handed to a real server: with and without TLS, taken, refused, and put off."""

import ssl
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from app.domain.mail_server import MailServer
from app.notifications.delivery import NotTaken
from app.notifications.mails.smtp import Mailer
from tests.clock import Clock
from tests.data import a_tls_certificate
from tests.notifications.post_office import PASSWORD, USER, PostOffice
from tests.servers.upstream import refused_url


def a_mail() -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "chat@example.com", "a@example.com", "Hi"
    mail.set_content("Hello")
    return mail


def mailer_of(office: PostOffice) -> Mailer:
    return Mailer(MailServer("127.0.0.1", office.port))


def test_a_mail_is_handed_in(office: PostOffice) -> None:
    mailer_of(office).send(a_mail())

    assert office.recipients == [["a@example.com"]]
    assert office.mails[0]["Subject"] == "Hi"


@pytest.mark.parametrize(
    ("step", "answer", "problem", "is_final"),
    [
        ("rcpt", "550 no such user", "refuses the recipient: answered 550 no such user", True),
        ("rcpt", "451 greylisted", "refuses the recipient: answered 451 greylisted", False),
        ("data", "554 spam", "refuses the mail: answered 554 spam", True),
        ("data", "452 full", "refuses the mail: answered 452 full", False),
    ],
)
def test_refusals_for_good_are_told_from_others(
    office: PostOffice, step: str, answer: str, problem: str, is_final: bool
) -> None:
    office.answers[step] = [answer]

    with pytest.raises(NotTaken, match=problem) as failure:
        mailer_of(office).send(a_mail())

    assert failure.value.is_final is is_final
    assert office.mails == []


def test_what_a_server_says_of_a_mail_is_no_matter_of_the_log(office: PostOffice) -> None:
    office.answers["rcpt"] = ["550 5.1.1 <ada@example.org>: no such user"]

    with pytest.raises(NotTaken) as failure:
        mailer_of(office).send(a_mail())

    assert str(failure.value) == "refuses the recipient: answered 550 5.1.1 … no such user"
    assert failure.value.problem == "refuses the recipient: answered 550"


def test_of_several_recipients_one_is_enough(office: PostOffice) -> None:
    mail = a_mail()
    mail.replace_header("To", "gone@example.com, b@example.com")
    office.answers["rcpt"] = ["550 no such user"]

    mailer_of(office).send(mail)

    assert office.recipients == [["b@example.com"]]


def test_a_server_that_is_away_may_come_back() -> None:
    with refused_url() as url, pytest.raises(NotTaken, match=r"not reached: .*refused") as failure:
        Mailer(MailServer("127.0.0.1", urlsplit(url).port or 0)).check()

    assert not failure.value.is_final


@pytest.mark.slow
def test_starttls_comes_before_the_password(tmp_path: Path) -> None:
    certificate = a_tls_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    trusting = ssl.create_default_context(cafile=str(certificate))

    with PostOffice(context, wants_password=True) as office:
        server = MailServer("127.0.0.1", office.port, "starttls", USER, PASSWORD)
        mailer = Mailer(server, tls=trusting)

        assert mailer.check() == f"127.0.0.1:{office.port} takes mails, encrypted, signed in"
        mailer.send(a_mail())
        with pytest.raises(NotTaken, match="answered 535"):
            Mailer(
                MailServer("127.0.0.1", office.port, "starttls", USER, "x"), tls=trusting
            ).check()
        with pytest.raises(NotTaken, match="CERTIFICATE_VERIFY_FAILED"):
            Mailer(server).check()

    assert len(office.mails) == 1


def test_a_server_without_starttls_gets_no_password(office: PostOffice) -> None:
    server = MailServer("127.0.0.1", office.port, "starttls", USER, PASSWORD)

    with pytest.raises(NotTaken, match="STARTTLS extension not supported"):
        Mailer(server).send(a_mail())


def test_a_server_that_hung_is_left_alone_for_a_moment(clock: Clock) -> None:
    mailer = Mailer(MailServer("127.0.0.1", 1), clock=clock)
    mailer._rests_until = clock() + 1

    with pytest.raises(NotTaken, match="hung a moment ago"):
        mailer.send(a_mail())

    clock.advance(2)
    with pytest.raises(NotTaken, match="is not reached"):
        mailer.send(a_mail())
