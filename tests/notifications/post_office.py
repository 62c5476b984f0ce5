"""A real mail server, and the mails that it took."""

import email
import socket
import ssl
from email.message import EmailMessage
from email.policy import default
from types import TracebackType
from typing import Any, Self, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

USER, PASSWORD = "perch", "a p:ssword"


class PostOffice:
    """Takes mails on a port of its own; ``answers`` are given to the next recipients or mails."""

    def __init__(self, tls: ssl.SSLContext | None = None, *, wants_password: bool = False) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.answers: dict[str, list[str]] = {"rcpt": [], "data": []}
        options: dict[str, Any] = {"tls_context": tls, "require_starttls": bool(tls)}
        if wants_password:
            options.update(
                authenticator=self._authenticate, auth_required=True, auth_require_tls=bool(tls)
            )
        self._controller = Controller(self, hostname="127.0.0.1", port=0, **options)

    @property
    def port(self) -> int:
        return cast(int, self._controller.server.sockets[0].getsockname()[1])  # type: ignore[union-attr]

    def __enter__(self) -> Self:
        # Its own knocks at port 0.
        self._controller._trigger_server = self._knock
        self._controller.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._controller.stop()

    async def handle_RCPT(  # noqa: N802 - as aiosmtpd calls it
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        answer = self.answers["rcpt"].pop(0) if self.answers["rcpt"] else "250 OK"
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        answer = self.answers["data"].pop(0) if self.answers["data"] else "250 OK"
        if answer.startswith("250"):
            self.recipients.append(envelope.rcpt_tos)
            mail = email.message_from_bytes(envelope.content, policy=default)
            self.mails.append(cast(EmailMessage, mail))
        return answer

    def text(self) -> str:
        """The newest mail, as a terminal shows it."""
        return text_of(self.mails[-1])

    def _knock(self) -> None:
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as probe:
            probe.recv(1)

    def _authenticate(
        self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any
    ) -> AuthResult:
        given = (data.login.decode(), data.password.decode())
        return AuthResult(success=given == (USER, PASSWORD), handled=False)


def text_of(mail: EmailMessage, kind: str = "plain") -> str:
    """Return what a mail says in one of its two forms."""
    part = mail.get_body((kind,))  # type: ignore[arg-type]
    assert part
    return cast(str, part.get_content()).replace("\r\n", "\n")
