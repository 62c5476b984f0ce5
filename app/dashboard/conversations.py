"""Conversations: found, read, taken along, and deleted."""

import secrets
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

from flask import Response, redirect, request, url_for
from marshmallow import ValidationError

from app.dashboard.operator_zone import day_bounds
from app.dashboard.pages import blueprint, is_known, is_part, render, version_of
from app.dashboard.rendering.markup import PageBudget
from app.domain.clock import now_ms
from app.domain.conversation import MAX_FOUND, ConversationFilter, ConversationPage, Thread
from app.domain.errors import InvalidRequest, NotFound
from app.domain.people import MAX_REPLY_CHARS
from app.domain.prices import Prices
from app.domain.search_query import parse_query
from app.operations.export import MEDIA_TYPES, SEPARATORS, Format
from app.operations.transcripts import Transcripts
from app.web.download import stream_export
from app.web.schemas.conversations import FilterSchema
from app.web.services import services

_PAGE_CONVERSATIONS = 50
_PAGE_MESSAGES = 100
_MAX_QUERY_CHARS = 200
# Set by the page's script while somebody looks at it.
_SEEN = "seen"


@blueprint.get("/conversations")
def conversations() -> Response:
    """List conversations, narrowed by what the form says."""
    asked = _asked()
    where, faults = _filter(asked)
    cursor = request.args.get("cursor") or None
    page = ConversationPage((), None)
    if not faults:
        page = services().store.list_conversations(
            limit=_PAGE_CONVERSATIONS, cursor=cursor, where=where
        )
    version = version_of(
        (each.id, each.updated_at, each.marks, each.message_count, each.state)
        for each in page.conversations
    )
    if is_known(version):
        return Response(status=204)
    return render(
        "conversation_list.html" if is_part() else "conversations.html",
        here="conversations",
        page=page,
        asked=asked,
        faults=faults,
        cursor=cursor,
        version=version,
        terms=parse_query(asked.get("q", "")).terms,
        max_found=MAX_FOUND,
    )


@blueprint.get("/conversations/export")
def export_conversations() -> Response:
    """Download what the list shows, all pages of it."""
    where, faults = _filter(_asked())
    if faults:
        raise InvalidRequest("Invalid query parameters")
    excerpts = Transcripts(services().store).export(where, now_ms=now_ms())
    return stream_export(excerpts, _format(), separator=_separator())


@blueprint.get("/conversations/<conversation_id>")
def conversation(conversation_id: str) -> Response:
    """Show a conversation, its newest messages first."""
    return show_thread(conversation_id, request.args.get("cursor") or None)


def show_thread(conversation_id: str, cursor: str | None = None) -> Response:
    """Return a conversation's page, or the part of it that changes."""
    thread = _read(conversation_id, cursor)
    told = thread.conversation
    version = version_of(
        [
            *((each.id, each.created_at, each.status, each.feedback) for each in thread.messages),
            (told.state, told.contact),
        ]
    )
    if told.unread and (not is_part() or request.args.get(_SEEN) == "true"):
        services().store.people.note_seen(told.id, by_visitor=False)
    if is_known(version):
        return Response(status=204)
    assistant = services().assistants.get(told.assistant) or services().assistants.default
    people = assistant.settings.people
    asked = request.args.get("q", "")[:_MAX_QUERY_CHARS]
    prices = services().settings.model_prices
    return render(
        "messages.html" if is_part() else "conversation.html",
        here="conversations",
        thread=thread,
        conversation=told,
        cursor=cursor,
        version=version,
        budget=PageBudget(),
        prices=prices,
        cost=_cost(thread, prices) if cursor is None else None,
        asked=asked,
        terms=parse_query(asked).terms,
        has_people=services().settings.can_ask(assistant.settings),
        operator_name=people.operator_name,
        reply_key=secrets.token_hex(16),
        max_reply_chars=MAX_REPLY_CHARS,
    )


@blueprint.get("/conversations/<conversation_id>/export")
def export_conversation(conversation_id: str) -> Response:
    """Download one conversation."""
    excerpts = Transcripts(services().store).export_one(conversation_id)
    return stream_export(excerpts, _format(), separator=_separator())


@blueprint.get("/conversations/<conversation_id>/delete")
def ask_to_delete(conversation_id: str) -> Response:
    """Ask whether a conversation shall really go."""
    thread = _read(conversation_id, None)
    return render("delete.html", here="conversations", conversation=thread.conversation)


@blueprint.post("/conversations/<conversation_id>/delete")
def delete_conversation(conversation_id: str) -> Response:
    """Delete a conversation, and go back to the list."""
    Transcripts(services().store, services().end_session).delete(conversation_id)
    return cast(Response, redirect(url_for("dashboard.conversations", deleted=1), 303))


def _read(conversation_id: str, cursor: str | None) -> Thread:
    return services().store.read_thread(
        conversation_id, limit=_PAGE_MESSAGES, cursor=cursor, newest_first=True
    )


def _asked() -> dict[str, str]:
    """Return the fields of the form that are filled in."""
    names = [str(each.data_key) for each in FilterSchema().fields.values()]
    given = {name: request.args.get(name, "").strip() for name in names}
    return {name: value for name, value in given.items() if value}


def _filter(asked: Mapping[str, str]) -> tuple[ConversationFilter, Mapping[str, Any]]:
    try:
        return FilterSchema().load(_by_own_clock(asked)), {}
    except ValidationError as error:
        return ConversationFilter(), cast(Mapping[str, Any], error.messages)


def _format() -> Format:
    name = request.args.get("format", "csv")
    if name not in MEDIA_TYPES:
        raise NotFound("There is no such format")
    return cast(Format, name)


def _separator() -> str:
    name = request.args.get("sep", "comma")
    if name not in SEPARATORS:
        raise NotFound("There is no such format")
    return SEPARATORS[name]


def _by_own_clock(asked: Mapping[str, str]) -> dict[str, str]:
    """Take days as the operator's own, not as those of UTC."""
    given = dict(asked)
    for name, bound in (("from", 0), ("to", 1)):
        with suppress(KeyError, ValueError, OverflowError):
            day = datetime.strptime(given[name], "%Y-%m-%d").date()  # noqa: DTZ007 (a day has none)
            given[name] = str(max(0, day_bounds(day)[bound]))
    return given


def _cost(thread: Thread, prices: Prices) -> Decimal | None:
    """Return what a conversation cost, where all of it is shown."""
    if thread.next_cursor is not None:
        return None
    costs = [
        prices.cost(each.model or "", each.usage.prompt_tokens, each.usage.completion_tokens)
        for each in thread.messages
        if each.usage is not None
    ]
    known = [cost for cost in costs if cost is not None]
    return sum(known, Decimal(0)) if known and len(known) == len(costs) else None
