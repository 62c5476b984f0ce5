"""Which assistant's knowledge the operator works on, and how a page leads back to its list."""

from typing import Any, cast

from flask import Response, redirect, request, url_for

from app.dashboard.pages import render
from app.web.owned_knowledge import OwnedKnowledge, knowledge_of
from app.web.services import services

# What was done, told on the page that follows.
_DONE = {
    "started": "The learner is started: how it goes shows below within seconds.",
    "cancelled": "The learner stops at its next page. What it learnt until then is kept.",
    "forgotten": "The document is forgotten.",
    "pinned": "It is told with every question now.",
    "unpinned": "It is told no longer with every question.",
    "text": "The text is known: it can be found within seconds.",
    "answered": "From now on, that question is answered with your words.",
    "deleted": "The answer is deleted.",
    "dismissed": "The question is off the list.",
}


def owned() -> OwnedKnowledge:
    """Return the knowledge of the assistant that the page, or the form, names.

    Raises:
        NotFound: there is no such assistant.
    """
    given = request.args.get("assistant") or request.form.get("assistant")
    return knowledge_of(given or services().assistants.default.id)


def render_tab(template: str, tab: str, whose: OwnedKnowledge, **context: Any) -> Response:
    """Render one of the pages of knowledge."""
    return render(
        template,
        here="knowledge",
        tab=tab,
        chosen=whose.assistant.id,
        named=named(whose),
        done=_DONE.get(request.args.get("done", "")),
        **context,
    )


def lead_back(endpoint: str, whose: OwnedKnowledge, done: str, **values: Any) -> Response:
    """Lead to a page that says what was done."""
    address = url_for(endpoint, assistant=named(whose), done=done, **values)
    return cast(Response, redirect(address, 303))


def named(whose: OwnedKnowledge) -> str | None:
    """Return what an address must name, where there are several assistants."""
    return whose.assistant.id if services().assistants.are_several else None
