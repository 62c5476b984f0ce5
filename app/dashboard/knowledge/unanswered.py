"""What was asked in vain: grouped, with the passages that come nearest."""

from collections.abc import Sequence
from contextlib import suppress

from flask import Response, request

from app.dashboard.knowledge.whose import lead_back, owned, render_tab
from app.dashboard.pages import blueprint
from app.domain.knowledge import Inquiry, Passage
from app.operations.export import SEPARATORS
from app.operations.knowledge.gaps import GapGroup, gaps_to_csv, in_order
from app.web.download import download_table
from app.web.owned_knowledge import OwnedKnowledge

_PAGE_GROUPS = 20
_NEAREST = 3


@blueprint.get("/unanswered")
def unanswered() -> Response:
    """List what the pages did not answer, the questions asked most first."""
    whose = owned()
    groups = whose.gaps.groups()
    begin = _begin()
    shown = groups[begin : begin + _PAGE_GROUPS]
    return render_tab(
        "unanswered.html",
        "unanswered",
        whose,
        rows=[(each, in_order(each.reasons), _nearest(whose, each)) for each in shown],
        total=len(groups),
        asked=sum(each.count for each in groups),
        begin=begin,
        size=_PAGE_GROUPS,
    )


@blueprint.get("/unanswered/export")
def export_unanswered() -> Response:
    """Download the whole list as a table for spreadsheets."""
    separator = SEPARATORS.get(request.args.get("sep", ""), ",")
    return download_table(gaps_to_csv(owned().gaps.groups(), separator), "unanswered")


@blueprint.post("/unanswered/dismiss")
def dismiss() -> Response:
    """Take a question off the list."""
    whose = owned()
    whose.gaps.dismiss_if_any(request.form.get("id", ""))
    return lead_back("dashboard.unanswered", whose, "dismissed")


def _nearest(whose: OwnedKnowledge, group: GapGroup) -> Sequence[Passage]:
    knowledge = whose.assistant.knowledge
    if knowledge is None:
        return ()
    inquiry = Inquiry(group.question, page_url=group.newest.page_url)
    return knowledge.find(inquiry).passages[:_NEAREST]


def _begin() -> int:
    with suppress(ValueError):
        return max(0, int(request.args.get("begin", "")[:6]))
    return 0
