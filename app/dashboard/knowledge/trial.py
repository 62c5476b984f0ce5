"""A question tried: what the chat finds for it, and what it would send."""

from flask import Response, request

from app.dashboard.knowledge.whose import owned, render_tab
from app.dashboard.pages import blueprint
from app.domain.knowledge import Inquiry
from app.web.schemas.base import MAX_MESSAGE_CHARS


@blueprint.get("/knowledge/test")
def test_question() -> Response:
    """Show what a question would be answered from, and what that costs."""
    whose = owned()
    names = ("question", "before", "page")
    given = {name: request.args.get(name, "").strip()[:MAX_MESSAGE_CHARS] for name in names}
    trial = None
    if given["question"]:
        inquiry = Inquiry(
            given["question"], before=given["before"] or None, page_url=given["page"] or None
        )
        trial = whose.try_question(inquiry)
    policy = whose.assistant.settings.knowledge
    return render_tab(
        "knowledge_test.html",
        "test",
        whose,
        given=given,
        trial=trial,
        policy=policy,
        max_chars=MAX_MESSAGE_CHARS,
    )
