"""The inbox: who waits for a person, answering them, and what was told outside."""

from collections.abc import Callable
from typing import cast

from flask import Response, redirect, render_template, request, url_for

from app.dashboard.conversations import show_thread
from app.dashboard.pages import as_page, blueprint, is_known, is_part, render, version_of
from app.dashboard.service_status import MAX_INBOX, count_waiting
from app.domain.people import Notice
from app.notifications.sender import Outcome
from app.web.services import services

_MAX_NOTICES = 100


@blueprint.get("/inbox")
def inbox() -> Response:
    """List who waits for a person, and who has one."""
    found = services().store.people.list_inbox(assistant=None, limit=MAX_INBOX)
    version = version_of(
        (each.id, each.state, each.unread, each.updated_at, each.contact is None) for each in found
    )
    if is_known(version):
        return Response(status=204)
    return render(
        "inbox_list.html" if is_part() else "inbox.html",
        here="inbox",
        tab="inbox",
        found=found,
        version=version,
        is_full=len(found) == MAX_INBOX,
    )


@blueprint.get("/inbox/count")
def inbox_count() -> Response:
    """Tell how many need an answer, for a page that stays open."""
    count = count_waiting()
    if is_known(version_of((count,))):
        return Response(status=204)
    return as_page(
        render_template("dashboard/inbox_link.html", waiting=count, here=request.args.get("here"))
    )


@blueprint.get("/deliveries")
def deliveries() -> Response:
    """Show what was told outside lately, and what was not taken."""
    return _deliveries(None)


@blueprint.post("/deliveries/test")
def test_deliveries() -> Response:
    """Tell every target that this is a test, and show what came of it."""
    assistant = services().assistants.default.id
    return _deliveries(services().sender.test(assistant))


@blueprint.post("/conversations/<conversation_id>/take")
def take_over(conversation_id: str) -> Response:
    """Take a conversation over."""
    return _act(conversation_id, services().people.take)


@blueprint.post("/conversations/<conversation_id>/release")
def give_back(conversation_id: str) -> Response:
    """Give a conversation back to the assistant."""
    return _act(conversation_id, services().people.release)


@blueprint.post("/conversations/<conversation_id>/close")
def close_conversation(conversation_id: str) -> Response:
    """End a conversation with a person."""
    return _act(conversation_id, services().people.close)


@blueprint.post("/conversations/<conversation_id>/reply")
def reply(conversation_id: str) -> Response:
    """Answer a visitor."""
    text, key = request.form.get("text", ""), request.form.get("key", "")
    # A browser sends each line's end as two characters.
    text = text.replace("\r\n", "\n")
    services().people.say(conversation_id, text, key=key[:128] or None)
    return _lead_back(conversation_id)


def _act(conversation_id: str, step: Callable[[str], object]) -> Response:
    step(conversation_id)
    return _lead_back(conversation_id)


def _lead_back(conversation_id: str) -> Response:
    if is_part():
        return show_thread(conversation_id)
    address = url_for("dashboard.conversation", conversation_id=conversation_id, _anchor="people")
    return cast(Response, redirect(address, 303))


def _deliveries(outcomes: list[Outcome] | None) -> Response:
    notices = services().store.people.list_notices(limit=_MAX_NOTICES)
    return render(
        "deliveries.html",
        here="inbox",
        tab="deliveries",
        rows=[(each, _outcome(each)) for each in notices],
        targets=[each.name for each in services().sender.targets],
        outcomes=outcomes,
    )


def _outcome(notice: Notice) -> str:
    if notice.is_given_up:
        return "failed"
    if notice.pending is None:
        return "new"
    return "retried" if notice.pending else "done"
