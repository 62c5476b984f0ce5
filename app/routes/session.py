"""A visitor's own session: opened with the widget key, used with its token."""

from flask import Blueprint, Response

from app.assistants import Assistant
from app.domain.conversation import Feedback
from app.domain.errors import (
    IdentityRefused,
    InvalidRequest,
    MessageNotFound,
    NotConfigured,
    Overloaded,
    SessionExpired,
    StorageUnavailable,
    TooManySessions,
    TurnNotFound,
    Unauthorized,
    UserMismatch,
)
from app.protocols.ndjson import NDJSON
from app.routes.turn_response import stream_again
from app.web.contract import contract
from app.web.current_request import current_request
from app.web.guards.identity import verify_identity
from app.web.guards.origins import caller_origin
from app.web.guards.sessions import asked_assistant, assistant_of, session_id
from app.web.guards.tokens import SESSION_PREFIX, new_session_id
from app.web.schemas.base import MAX_MESSAGE_CHARS
from app.web.schemas.session import (
    History,
    HistoryQuerySchema,
    HistorySchema,
    IdentifiedUser,
    IdentifiedUserSchema,
    IdentitySchema,
    OpenedSession,
    OpenedSessionSchema,
    OpenSessionSchema,
    PeopleConfig,
    RatingSchema,
    SessionConfig,
    StoppingSchema,
)
from app.web.services import services

# How a session begins; everything else needs what this gives out.
opening = Blueprint("session_opening", __name__)
blueprint = Blueprint("session", __name__)


@opening.post("/v1/session")
@contract(
    body=OpenSessionSchema, answer=OpenedSessionSchema, raises=(TooManySessions, StorageUnavailable)
)
def open_session(token: str | None = None) -> OpenedSession:
    """Open a session, or renew the token of one; the token is its only proof."""
    assistant = asked_assistant()
    session = _renewable(token) if token else _new_session()
    return to_opened(session, assistant)


def to_opened(session: str, assistant: Assistant) -> OpenedSession:
    """Return a session as who may use it is told of it, with a token for the caller's origin."""
    look, tokens = assistant.settings.look, services().tokens
    return OpenedSession(
        session_id=session,
        token=tokens.mint(session, caller_origin(), assistant.id),
        expires_in=int(tokens.live_s),
        config=SessionConfig(
            title=look.title,
            welcome_message=look.welcome_message,
            starters=look.starters or None,
            max_message_chars=MAX_MESSAGE_CHARS,
            retention_days=services().settings.retention_days,
            people=PeopleConfig(services().settings.can_ask(assistant.settings)),
        ),
    )


@blueprint.get("/v1/session/messages")
@contract(
    query=HistoryQuerySchema, answer=HistorySchema, long="messages", raises=(StorageUnavailable,)
)
def read_messages(limit: int, cursor: str | None = None) -> History:
    """Read the visitor's own messages: newest page first, oldest message first in it."""
    thread = services().store.read_session(session_id(), limit=limit, cursor=cursor)
    if thread is None:
        return History(messages=())
    told = thread.conversation
    if cursor is None:
        services().people.note_read(told)
    return History(
        thread.messages,
        thread.next_cursor,
        thread.running_turn_id,
        state=told.state,
        next_event=told.last_event,
        is_reachable=told.contact is not None,
    )


@blueprint.delete("/v1/session")
@contract(status=204, raises=(StorageUnavailable,))
def delete_session() -> Response:
    """Delete the visitor's conversation for good; the session ends with it."""
    services().store.delete_session(session_id())
    services().end_session(session_id())
    return nothing()


@blueprint.post("/v1/turns/<turn_id>/stop")
@contract(answer=StoppingSchema, status=202, raises=(InvalidRequest,))
def stop_turn(turn_id: str) -> dict[str, str]:
    """Stop a running answer; what was said is kept, and the stream ends with `done`."""
    services().turns.stop(session_id(), turn_id)
    return {"turn_id": turn_id}


@blueprint.get("/v1/turns/<turn_id>/stream")
@contract(tells=NDJSON, raises=(InvalidRequest, TurnNotFound, StorageUnavailable, Overloaded))
def stream_turn(turn_id: str) -> Response:
    """Stream an answer from its beginning: one that runs, or one that is over."""
    return stream_again(turn_id, NDJSON)


@blueprint.post("/v1/messages/<message_id>/feedback")
@contract(body=RatingSchema, status=204, raises=(MessageNotFound, StorageUnavailable))
def rate_message(feedback: Feedback, message_id: str) -> Response:
    """Rate an answer; a later rating takes the place of an earlier one."""
    services().store.rate_message(session_id(), message_id, feedback)
    services().outbox.tell_of_feedback(session_id(), message_id, feedback.rating)
    return nothing()


@blueprint.post("/v1/session/identity")
@contract(
    body=IdentitySchema,
    answer=IdentifiedUserSchema,
    raises=(IdentityRefused, UserMismatch, NotConfigured, StorageUnavailable),
)
def identify(jwt: str) -> IdentifiedUser:
    """Say who the visitor is, by a JWT that the site's own server signed.

    On a new device, whose session has said nothing, the answer leads to the user's latest one.
    """
    secrets = asked_assistant().settings.identity_secrets
    if not secrets:
        raise NotConfigured("IDENTITY_SECRET is not configured on this deployment")
    user = verify_identity(jwt, secrets)
    services().store.set_user(session_id(), user)
    return IdentifiedUser(user, _session_elsewhere(user))


@opening.after_request
@blueprint.after_request
def keep_private(response: Response) -> Response:
    """Keep tokens and histories out of every cache."""
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def nothing() -> Response:
    """Return an answer of nothing."""
    response = Response(status=204)
    del response.headers["Content-Type"]  # of nothing, there is none
    return response


def _session_elsewhere(user: str) -> OpenedSession | None:
    store, assistant = services().store, asked_assistant()
    if store.read_session(session_id(), limit=1) is not None:
        return None
    found = store.people.find_by_user(user, assistant.id)
    # A session that a client made up has no token.
    if found is None or not found.session_id.startswith(SESSION_PREFIX):
        return None
    return to_opened(found.session_id, assistant)


def _new_session() -> str:
    request = current_request()
    services().limits.count_new_session(request.assistant_id, request.client_key)
    return new_session_id()


def _renewable(token: str) -> str:
    try:
        claims = services().tokens.verify_renewable(token, caller_origin())
    except Unauthorized:
        # Whatever is wrong with it, the client's way on is the same: begin anew.
        raise SessionExpired from None
    assistant_of(claims, asked_assistant())
    if services().store.is_session_deleted(claims.session_id):
        raise SessionExpired
    return claims.session_id
