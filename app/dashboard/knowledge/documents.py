"""What an assistant knows: its documents, and how more of them are learnt."""

from collections.abc import Mapping

from flask import Response, request

from app.dashboard.knowledge.whose import lead_back, owned, render_tab
from app.dashboard.pages import blueprint, is_known, version_of
from app.dashboard.rendering.markup import PageBudget
from app.domain.clock import now_ms
from app.domain.errors import InvalidRequest
from app.domain.knowledge import Document
from app.limits.estimate import estimate_text
from app.operations.knowledge.documents import MAX_TEXT_CHARS, MAX_TITLE_CHARS, state_of
from app.operations.knowledge.learning import FILE_ENDINGS
from app.web.owned_knowledge import OwnedKnowledge

_PAGE_DOCUMENTS = 50
_MAX_ENTRIES = 300
_TEXT_KEY = "text:"
_HERE = "dashboard.knowledge"


@blueprint.get("/knowledge")
def knowledge() -> Response:
    """List documents, and show how learning goes."""
    whose = owned()
    cursor = request.args.get("cursor") or None
    return render_tab(
        "knowledge.html",
        "pages",
        whose,
        page=whose.documents.list(limit=_PAGE_DOCUMENTS, cursor=cursor),
        cursor=cursor,
        cited=whose.count_citations(),
        state_of=state_of,
        site_url=whose.assistant.settings.knowledge.site_url,
        endings=FILE_ENDINGS,
        **_progress(whose),
    )


@blueprint.get("/knowledge/learning")
def learning() -> Response:
    """Show how learning goes, for a page that stays open."""
    whose = owned()
    shown = _progress(whose)
    if is_known(str(shown["version"])):
        return Response(status=204)
    return render_tab("knowledge_learning.html", "pages", whose, **shown)


@blueprint.post("/knowledge/learning")
def learn() -> Response:
    """Start learning, or ask whoever learns to stop."""
    whose = owned()
    order, url = request.form.get("order", ""), request.form.get("url", "")
    if order == "cancel":
        whose.learning.cancel()
        return lead_back(_HERE, whose, "cancelled")
    if order == "again":
        whose.learning.learn_again()
    elif order == "sitemap":
        whose.learning.learn_sitemap(url)
    else:
        patterns = {name: request.form.get(name, "").split() for name in ("only", "excluded")}
        whose.learning.learn_site(url, **patterns)
    return lead_back(_HERE, whose, "started", _anchor="learning")


@blueprint.post("/knowledge/file")
def learn_file() -> Response:
    """Take a file, and learn it."""
    whose = owned()
    given = request.files.get("file")
    if given is None or not given.filename:
        raise InvalidRequest("Choose a file first")
    with whose.learning.taking(given.filename) as file:
        given.save(file)
        file.chmod(0o600)
    whose.learning.learn_file(file)
    return lead_back(_HERE, whose, "started", _anchor="learning")


@blueprint.get("/knowledge/document")
def document() -> Response:
    """Show a document as it was read."""
    whose = owned()
    found = whose.documents.read(_key())
    return render_tab(
        "knowledge_document.html",
        "pages",
        whose,
        document=found,
        state=state_of(found),
        is_text=found.key.startswith(_TEXT_KEY),
        tokens=sum(estimate_text(each.text) for each in found.sections),
        times_cited=whose.count_citations().get(found.url or found.title, 0),
        budget=PageBudget(),
    )


@blueprint.post("/knowledge/pin")
def pin() -> Response:
    """Tell a document with every question, or no longer."""
    whose = owned()
    pinned = request.form.get("to") == "pinned"
    whose.documents.pin(_key(), pinned=pinned)
    return lead_back("dashboard.document", whose, "pinned" if pinned else "unpinned", key=_key())


@blueprint.get("/knowledge/forget")
def ask_to_forget() -> Response:
    """Ask whether a document shall really be forgotten."""
    whose = owned()
    return render_tab(
        "knowledge_forget.html", "pages", whose, document=whose.documents.read(_key())
    )


@blueprint.post("/knowledge/forget")
def forget() -> Response:
    """Forget a document, and go back to the list."""
    whose = owned()
    whose.documents.forget(_key())
    return lead_back(_HERE, whose, "forgotten")


@blueprint.get("/knowledge/text")
def write_text() -> Response:
    """Show the form for a text, empty or with one that is known."""
    whose = owned()
    given: dict[str, str] = {"title": request.args.get("title", "")}
    if _key():
        given = _as_form(whose.documents.read(_key()))
    return _text_form(whose, given)


@blueprint.post("/knowledge/text")
def put_text() -> Response:
    """Know a text that the operator wrote."""
    whose = owned()
    names = ("key", "title", "text", "url", "pinned")
    given = {name: request.form.get(name, "") for name in names}
    try:
        whose.documents.put_text(
            given["title"],
            given["text"],
            now_ms=now_ms(),
            text_id=given["key"].removeprefix(_TEXT_KEY) or None,
            url=given["url"],
            pinned=bool(given["pinned"]),
        )
    except InvalidRequest as error:
        return _text_form(whose, given, fault=str(error))
    return lead_back(_HERE, whose, "text")


def _text_form(
    whose: OwnedKnowledge, given: Mapping[str, str], fault: str | None = None
) -> Response:
    return render_tab(
        "knowledge_text.html",
        "pages",
        whose,
        given=given,
        fault=fault,
        max_title=MAX_TITLE_CHARS,
        max_text=MAX_TEXT_CHARS,
        status=400 if fault else 200,
    )


def _as_form(document: Document) -> dict[str, str]:
    parts = [
        f"# {each.heading}\n{each.text}" if each.heading else each.text
        for each in document.sections
    ]
    return {
        "key": document.key,
        "title": document.title,
        "text": "\n\n".join(parts),
        "url": document.url or "",
        "pinned": "yes" if document.is_pinned else "",
    }


def _key() -> str:
    return request.args.get("key") or request.form.get("key") or ""


def _progress(whose: OwnedKnowledge) -> dict[str, object]:
    report = whose.report()
    is_running = report is not None and report.is_running(now_ms())
    return {
        "report": report,
        "is_running": is_running,
        "max_entries": _MAX_ENTRIES,
        "version": version_of((report and report.raw, is_running)),
    }
