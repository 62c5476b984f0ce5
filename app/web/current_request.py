"""The request that is being answered, and what was found out about it on its way in."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import flask
from structlog.contextvars import bind_contextvars
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.http import parse_cookie
from werkzeug.utils import cached_property

from app.domain.conversation import DEFAULT_ASSISTANT
from app.web.guards.access import CLOSED, Access
from app.web.guards.client_address import limit_key

if TYPE_CHECKING:
    from app.assistants import Assistant
    from app.web.guards.operator import SignIn

COOKIE_PREFIX = "perch-"


class Request(flask.Request):
    """A request; the guards fill in what they learn."""

    id = ""
    started_at = 0.0
    access: Access = CLOSED
    # Whether it came through the port for monitoring.
    is_private = False
    client_address = ""
    is_counted = False
    # Who is asked, by the widget key or the token that came with it.
    assistant: "Assistant | None" = None
    # Whose token came with it; routes ask `app.web.guards.sessions`.
    session_id: str | None = None
    sign_in: "SignIn | None" = None
    # Whether it found nothing to tell, as most that ask again and again.
    is_uneventful = False
    # Whether it waits, and is run again: nobody is told of the first time.
    is_put_aside = False
    # What the failure is called that it was answered with.
    error_code: str | None = None
    # Whether the log has its cause already: a turn's line tells it.
    is_failure_logged = False
    # OpenTelemetry's, where there are traces.
    span: Any = None

    @cached_property
    def cookies(self) -> ImmutableMultiDict[str, str]:
        """Our own cookies; to parse all those of a domain can take long."""
        given = self.environ.get("HTTP_COOKIE", "").split(";")
        ours = ";".join(each for each in given if COOKIE_PREFIX in each)
        return ImmutableMultiDict(parse_cookie(ours))

    @property
    def assistant_id(self) -> str:
        """Whom this request counts for: the default where nobody is named."""
        return self.assistant.id if self.assistant else DEFAULT_ASSISTANT

    def note_assistant(self, assistant: "Assistant") -> None:
        """Note who is asked; what is logged from here on names it, unless it is the default."""
        self.assistant = assistant
        if assistant.id != DEFAULT_ASSISTANT:
            bind_contextvars(assistant=assistant.id)

    @property
    def client_key(self) -> str:
        """What this request's client is limited by."""
        return limit_key(self.client_address)

    @property
    def counted_client(self) -> str:
        """The client for whom this request was counted; nobody begins a turn for another."""
        if not self.is_counted:
            raise AssertionError(f"{self.endpoint} is not counted: see app/web/guards/access.py")
        return self.client_key


# Past the proxies, whose every attribute takes five calls: werkzeug documents this way.
current_request: Callable[[], Request] = cast(Any, flask.request)._get_current_object  # noqa: SLF001
"""Returns the request itself; raises a ``RuntimeError`` outside of one."""

current_application: Callable[[], flask.Flask] = cast(Any, flask.current_app)._get_current_object  # noqa: SLF001
"""Returns the application itself; raises a ``RuntimeError`` outside of one."""
