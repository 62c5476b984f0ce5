"""Conversations: found, read, taken along, and deleted."""

import hashlib
import time
from collections.abc import Mapping
from typing import Any, cast

from flask import Response, redirect, request, url_for
from marshmallow import ValidationError

from app.archive import Archive
from app.conversation import ConversationFilter, ConversationPage, Thread
from app.errors import InvalidRequest, NotFound
from app.routes.dashboard.pages import blueprint, render
from app.web.admin_schemas import FilterSchema, take_filter
from app.web.download import stream_export
from app.web.export import MEDIA_TYPES, Format
from app.web.markup import PageBudget
from app.web.schemas import MAX_CONVERSATION_ID_CHARS
from app.web.services import services

_PAGE_CONVERSATIONS = 50
_PAGE_MESSAGES = 100


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
    version = _version((each.id, each.updated_at) for each in page.conversations)
    if _is_known(version):
        return Response(status=204)
    return render(
        "conversation_list.html" if _is_part() else "conversations.html",
        here="conversations",
        page=page,
        asked=asked,
        faults=faults,
        cursor=cursor,
        version=version,
    )


@blueprint.get("/conversations/export")
def export_conversations() -> Response:
    """Download what the list shows, all pages of it."""
    where, faults = _filter(_asked())
    if faults:
        raise InvalidRequest("Invalid query parameters")
    excerpts = Archive(services().store).export(where, now_ms=time.time_ns() // 1_000_000)
    return stream_export(excerpts, _format(), bom=True)


@blueprint.get("/conversations/<conversation_id>")
def conversation(conversation_id: str) -> Response:
    """Show a conversation, its newest messages first."""
    cursor = request.args.get("cursor") or None
    thread = _read(conversation_id, cursor)
    version = _version(
        (each.id, each.created_at, each.status, each.feedback) for each in thread.messages
    )
    if _is_known(version):
        return Response(status=204)
    return render(
        "messages.html" if _is_part() else "conversation.html",
        here="conversations",
        thread=thread,
        conversation=thread.conversation,
        cursor=cursor,
        version=version,
        budget=PageBudget(),
        prices=services().settings.model_prices,
    )


@blueprint.get("/conversations/<conversation_id>/export")
def export_conversation(conversation_id: str) -> Response:
    """Download one conversation."""
    _refuse_long(conversation_id)
    return stream_export(Archive(services().store).export_one(conversation_id), _format(), bom=True)


@blueprint.get("/conversations/<conversation_id>/delete")
def ask_to_delete(conversation_id: str) -> Response:
    """Ask whether a conversation shall really go."""
    thread = _read(conversation_id, None)
    return render("delete.html", here="conversations", conversation=thread.conversation)


@blueprint.post("/conversations/<conversation_id>/delete")
def delete_conversation(conversation_id: str) -> Response:
    """Delete a conversation, and go back to the list."""
    _refuse_long(conversation_id)
    Archive(services().store).delete(conversation_id)
    return cast(Response, redirect(url_for("dashboard.conversations", deleted=1), 303))


def _read(conversation_id: str, cursor: str | None) -> Thread:
    _refuse_long(conversation_id)
    return services().store.read_thread(
        conversation_id, limit=_PAGE_MESSAGES, cursor=cursor, newest_first=True
    )


def _asked() -> dict[str, str]:
    """Return the fields of the form that are filled in."""
    names = [field.data_key or name for name, field in FilterSchema().fields.items()]
    given = {name: request.args.get(name, "").strip() for name in names}
    return {name: value for name, value in given.items() if value}


def _filter(asked: Mapping[str, str]) -> tuple[ConversationFilter, Mapping[str, Any]]:
    try:
        return take_filter(FilterSchema().load(asked)), {}
    except ValidationError as error:
        return ConversationFilter(), cast(Mapping[str, Any], error.messages)


def _format() -> Format:
    name = request.args.get("format", "csv")
    if name not in MEDIA_TYPES:
        raise NotFound("There is no such format")
    return cast(Format, name)


def _is_part() -> bool:
    # Going back, htmx wants the whole page again.
    asked = request.headers
    return "HX-Request" in asked and "HX-History-Restore-Request" not in asked


def _version(parts: Any) -> str:
    """Return what changes when a page would look different."""
    return hashlib.sha256(repr(tuple(parts)).encode("utf-8", "replace")).hexdigest()[:16]


def _is_known(version: str) -> bool:
    return _is_part() and request.args.get("version") == version


def _refuse_long(conversation_id: str) -> None:
    if len(conversation_id) > MAX_CONVERSATION_ID_CHARS:
        raise NotFound("There is no such page")
