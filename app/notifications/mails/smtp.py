"""Hands mails to a server, within a time."""

import re
import smtplib
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage

import gevent

from app.domain.mail_server import MailServer
from app.notifications.delivery import NotTaken

# Of each step; all of them together may take twice as long.
_STEP_S = 15.0
_LONGEST_S = 30.0
_REST_S = 15.0
_PERMANENT = range(500, 600)
_MAX_SAID_CHARS = 200
# Servers quote whom they refuse.
_address = re.compile(r"\S*@\S*")


class Mailer:
    """One mail, one connection: an owner gets a few a day."""

    def __init__(
        self,
        server: MailServer,
        *,
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._server = server
        self._tls = tls
        self._clock = clock
        self._rests_until: float | None = None

    def send(self, mail: EmailMessage) -> None:
        """Hand a mail in; returns when the server has taken it for one recipient at least.

        Raises:
            NotTaken: it has not.
        """
        with self._connected() as smtp:
            try:
                smtp.send_message(mail)
            except smtplib.SMTPRecipientsRefused as error:
                code, why = next(iter(error.recipients.values()))
                raise _refusal("refuses the recipient: ", code, why) from None
            except smtplib.SMTPDataError as error:
                raise _refusal("refuses the mail: ", error.smtp_code, error.smtp_error) from None
            except smtplib.SMTPNotSupportedError as error:
                raise NotTaken(f"cannot send it: {error}", is_final=True) from None

    def check(self) -> str:
        """Connect and sign in, and send nothing; returns what was found.

        Raises:
            NotTaken: that is not possible.
        """
        with self._connected():
            signed_in = ", signed in" if self._server.user else ""
            plain = ", not encrypted" if self._server.security == "plain" else ", encrypted"
            return f"{self._server.host}:{self._server.port} takes mails{plain}{signed_in}"

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        if self._rests_until is not None and self._clock() < self._rests_until:
            raise NotTaken("hung a moment ago, and was not asked")
        smtp: smtplib.SMTP | None = None
        try:
            with gevent.Timeout(_LONGEST_S, TimeoutError("it took too long")):
                smtp = self._open()
                yield smtp
                # What was taken is taken, whatever becomes of the farewell.
                with suppress(OSError, smtplib.SMTPException):
                    smtp.quit()
        except NotTaken:
            raise
        except smtplib.SMTPResponseException as error:
            # Of the sender, or the password: the owner may mend it, and all mails wait for that.
            raise _refusal("", error.smtp_code, error.smtp_error, may_be_final=False) from None
        except (OSError, smtplib.SMTPException) as error:
            # smtplib hides it: a read that took too long is a connection that was closed.
            if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
                self._rests_until = self._clock() + _REST_S
                raise NotTaken("gave no answer in time") from None
            raise NotTaken(f"is not reached: {error}") from None
        finally:
            if smtp is not None:
                smtp.close()

    def _open(self) -> smtplib.SMTP:
        server = self._server
        if server.security == "tls":
            context = self._tls or ssl.create_default_context()
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, timeout=_STEP_S, context=context
            )
        else:
            smtp = smtplib.SMTP(server.host, server.port, timeout=_STEP_S)
        try:
            if server.security == "starttls":
                smtp.starttls(context=self._tls or ssl.create_default_context())
            if server.user is not None:
                smtp.login(server.user, server.password or "")
        except BaseException:
            smtp.close()
            raise
        return smtp


def _refusal(what: str, code: int, said: bytes | str, *, may_be_final: bool = True) -> NotTaken:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    shown = _address.sub("…", " ".join(text.split()))[:_MAX_SAID_CHARS]
    return NotTaken(
        f"{what}answered {code}", said=shown, is_final=may_be_final and code in _PERMANENT
    )
