"""Where a person answers a visitor: asking for one, hearing from them, being reachable."""

from contextlib import AbstractContextManager, closing, nullcontext
from functools import partial
from typing import Any

from flask import Blueprint, Response

from app.domain.conversation import Page, SessionEvents
from app.domain.errors import (
    Conflict,
    NotConfigured,
    Overloaded,
    SessionExpired,
    StorageUnavailable,
    TooManyRequests,
    TooManySessions,
    Unauthorized,
)
from app.domain.people import Contact
from app.operations.people import Handoff
from app.routes.session import keep_private, nothing, to_opened
from app.server.aside import Aside, can_wait, is_second_time
from app.server.watch import Watch
from app.web.contract import contract
from app.web.current_request import current_request
from app.web.guards.sessions import asked_assistant, session_id
from app.web.schemas.chat import NothingSchema
from app.web.schemas.people import (
    AskForPersonSchema,
    EventsQuerySchema,
    EventsSchema,
    HandoffSchema,
    LeaveContactSchema,
    ReturnSchema,
    StateSchema,
)
from app.web.schemas.session import OpenedSession, OpenedSessionSchema
from app.web.services import services

returning = Blueprint("session_returning", __name__)
blueprint = Blueprint("people", __name__)

for each in (returning, blueprint):
    each.after_request(keep_private)


@blueprint.post("/v1/session/handoff")
@contract(
    body=AskForPersonSchema,
    answer=HandoffSchema,
    raises=(NotConfigured, Conflict, TooManyRequests, StorageUnavailable),
)
def ask_for_person(
    text: str | None = None, turn_id: str | None = None, page: Page | None = None
) -> Handoff:
    """Ask for a person; asked twice, it is one handoff."""
    _count()
    return services().people.ask(
        asked_assistant().settings, session_id(), text=text, turn_id=turn_id, page=page
    )


@blueprint.delete("/v1/session/handoff")
@contract(answer=StateSchema, raises=(Conflict, StorageUnavailable))
def go_back() -> dict[str, Any]:
    """Go back to the assistant."""
    return {"state": services().people.go_back(asked_assistant().settings, session_id())}


@blueprint.get("/v1/session/events")
@contract(
    query=EventsQuerySchema,
    answer=EventsSchema,
    otherwise={204: NothingSchema},
    raises=(Overloaded, StorageUnavailable),
)
def read_events(after: int, wait: int) -> SessionEvents | Response:
    """Read what operators said and did since an event; 204 when nothing came in the given time."""
    request, waiting = current_request(), services().waiting
    # The wait of one that was put aside is over.
    is_first_time = not is_second_time(request.environ)
    if is_first_time:
        services().people.note_fetched(session_id(), after)
    found: SessionEvents | Response | None
    if not (wait and is_first_time):
        found = waiting.read(session_id(), after)
    elif can_wait(request.environ):
        found = _read_or_wait_aside(after, wait)
    else:
        watching = partial(_watching, request.environ)
        found = waiting.wait(session_id(), after, wait, watching=watching, **_counted_as())
    request.is_uneventful = found is None
    return nothing() if found is None else found


@blueprint.post("/v1/session/contact")
@contract(
    body=LeaveContactSchema,
    status=204,
    raises=(NotConfigured, Conflict, TooManyRequests, StorageUnavailable),
)
def leave_contact(email: str, consent: bool, name: str | None = None) -> Response:
    """Say where one may be answered when the page is closed."""
    _count()
    services().people.leave_contact(
        asked_assistant().settings, session_id(), Contact(email, name or None)
    )
    return nothing()


@returning.post("/v1/session/return")
@contract(
    body=ReturnSchema, answer=OpenedSessionSchema, raises=(TooManySessions, StorageUnavailable)
)
def come_back(token: str) -> OpenedSession:
    """Open the session that a mailed link leads to, on this device."""
    request, perch = current_request(), services()
    # A link is guessed no faster than sessions are opened.
    perch.limits.count_new_session(request.assistant_id, request.client_key)
    try:
        opened = perch.return_links.verify(token)
    except Unauthorized:
        # Whatever is wrong with it, the client's way on is the same: begin anew.
        raise SessionExpired from None
    assistant = asked_assistant()
    if opened.assistant != assistant.id or perch.store.is_session_deleted(opened.session_id):
        raise SessionExpired
    return to_opened(opened.session_id, assistant)


def _read_or_wait_aside(after: int, wait: int) -> SessionEvents | Response:
    request, waiting = current_request(), services().waiting
    aside = Aside(request.environ, wait)
    try:
        aside.on_wake = waiting.enter(session_id(), after, aside.wake, **_counted_as())
        found = waiting.read(session_id(), after)
    except BaseException:
        aside.wake()
        raise
    if found is not None:
        aside.wake()
        return found
    request.is_put_aside = True
    return Response(aside, direct_passthrough=True)


def _counted_as() -> dict[str, Any]:
    most = asked_assistant().settings.limits.streams_per_ip
    return {"client": current_request().client_key, "most_of_client": most}


def _count() -> None:
    perch, request = services(), current_request()
    perch.limits.count_question(request.assistant_id, request.client_key, session_id())


def _watching(environ: dict[str, Any], leave: Any) -> AbstractContextManager[object]:
    watch = Watch.of(environ, leave)
    return closing(watch) if watch is not None else nullcontext()
