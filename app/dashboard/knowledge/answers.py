"""The owner's own answers: listed, written, changed and deleted."""

from collections.abc import Mapping

from flask import Response, request

from app.dashboard.knowledge.whose import lead_back, owned, render_tab
from app.dashboard.pages import blueprint
from app.dashboard.rendering.markup import PageBudget
from app.domain.clock import now_ms
from app.domain.errors import InvalidRequest, MessageNotFound
from app.operations.knowledge.corrections import MAX_ANSWER_CHARS, MAX_QUESTION_CHARS
from app.web.owned_knowledge import OwnedKnowledge
from app.web.services import services

_PAGE_ANSWERS = 25
# As many as a conversation's page shows.
_PAGE_MESSAGES = 100
_HERE = "dashboard.answers"


@blueprint.get("/answers")
def answers() -> Response:
    """List the owner's answers."""
    whose = owned()
    cursor = request.args.get("cursor") or None
    page = whose.corrections.list(limit=_PAGE_ANSWERS, cursor=cursor)
    return render_tab(
        "answers.html", "answers", whose, page=page, cursor=cursor, budget=PageBudget()
    )


@blueprint.get("/answers/edit")
def write_answer() -> Response:
    """Show the form for an answer: to a question that was asked, or one that is answered."""
    whose = owned()
    given = {"question": request.args.get("question", "")[:MAX_QUESTION_CHARS]}
    if message_id := request.args.get("message", ""):
        given = _of_operator(request.args.get("conversation", ""), message_id)
    correction_id = request.args.get("id", "")
    if correction_id:
        found = whose.corrections.read(correction_id)
        given = {"id": found.id, "question": found.question, "answer": found.answer}
    return _form(whose, given)


@blueprint.post("/answers")
def put_answer() -> Response:
    """Store an answer: the question is unanswered no longer."""
    whose = owned()
    given = {name: request.form.get(name, "") for name in ("id", "question", "answer")}
    try:
        whose.corrections.put(
            given["question"], given["answer"], now_ms=now_ms(), instead_of=given["id"] or None
        )
    except InvalidRequest as error:
        return _form(whose, given, fault=str(error))
    return lead_back(_HERE, whose, "answered")


@blueprint.get("/answers/delete")
def ask_to_delete_answer() -> Response:
    """Ask whether an answer shall really go."""
    whose = owned()
    found = whose.corrections.read(request.args.get("id", ""))
    return render_tab("answer_delete.html", "answers", whose, correction=found)


@blueprint.post("/answers/delete")
def delete_answer() -> Response:
    """Delete an answer, and go back to the list."""
    whose = owned()
    whose.corrections.delete(request.form.get("id", ""))
    return lead_back(_HERE, whose, "deleted")


def _of_operator(conversation_id: str, message_id: str) -> dict[str, str]:
    """Return an operator's words as an answer to what the visitor said last before them."""
    thread = services().store.read_thread(conversation_id, limit=_PAGE_MESSAGES, newest_first=True)
    question = ""
    for each in thread.messages:
        if each.role == "user":
            question = each.content
        elif each.id == message_id:
            return {
                "question": question[:MAX_QUESTION_CHARS],
                "answer": each.content[:MAX_ANSWER_CHARS],
            }
    raise MessageNotFound


def _form(whose: OwnedKnowledge, given: Mapping[str, str], fault: str | None = None) -> Response:
    return render_tab(
        "answer_edit.html",
        "answers",
        whose,
        given=given,
        fault=fault,
        max_question=MAX_QUESTION_CHARS,
        max_answer=MAX_ANSWER_CHARS,
        status=400 if fault else 200,
    )
