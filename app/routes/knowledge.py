"""What an assistant knows, for the operator's scripts."""

from collections.abc import Mapping, Sequence

from flask import Blueprint, Response

from app.domain.clock import now_ms
from app.domain.errors import Conflict, NotFound, PayloadTooLarge, RequestTimeout
from app.domain.knowledge import Document, DocumentPage, Inquiry
from app.operations.export import SEPARATORS
from app.operations.knowledge.corrections import Correction, CorrectionPage
from app.operations.knowledge.gaps import gaps_to_csv
from app.operations.knowledge.learning import MAX_FILE_BYTES
from app.operations.knowledge.trial import Trial
from app.routes.admin import OPERATOR_FAILURES
from app.web.bodies import receive_file
from app.web.contract import contract
from app.web.current_request import current_request
from app.web.download import download_table
from app.web.owned_knowledge import knowledge_of
from app.web.schemas.conversations import DeletedSchema
from app.web.schemas.knowledge import (
    CorrectionListSchema,
    CorrectionSchema,
    DocumentListSchema,
    DocumentSchema,
    GapList,
    GapListSchema,
    ReportSchema,
    StartedSchema,
    TrialSchema,
    WholeDocumentSchema,
)
from app.web.schemas.knowledge_orders import (
    AskSchema,
    CorrectionInputSchema,
    FileQuerySchema,
    GapsQuerySchema,
    KeyQuerySchema,
    LearnSchema,
    PageQuerySchema,
    PinSchema,
    TableQuerySchema,
    TextSchema,
    WhoseQuerySchema,
)

blueprint = Blueprint("knowledge", __name__, url_prefix="/v1/admin/knowledge")

_FAILURES = (*OPERATOR_FAILURES, NotFound)
_STARTED = {"started": True}


@blueprint.get("/documents")
@contract(query=PageQuerySchema, answer=DocumentListSchema, raises=_FAILURES)
def list_documents(assistant: str, limit: int, cursor: str | None = None) -> DocumentPage:
    """List what was learnt, by key; a page may be short, and lead on."""
    documents = knowledge_of(assistant).documents
    return documents.list(limit=limit, cursor=cursor)


@blueprint.get("/document")
@contract(query=KeyQuerySchema, answer=WholeDocumentSchema, raises=_FAILURES)
def read_document(assistant: str, key: str) -> Document:
    """Read a document, as it was learnt."""
    return knowledge_of(assistant).documents.read(key)


@blueprint.delete("/document")
@contract(query=KeyQuerySchema, answer=DeletedSchema, raises=_FAILURES)
def forget_document(assistant: str, key: str) -> dict[str, int]:
    """Forget a document; a page that still stands on the site is learnt again with it."""
    knowledge_of(assistant).documents.forget(key)
    return {"deleted": 1}


@blueprint.post("/pin")
@contract(body=PinSchema, query=WhoseQuerySchema, answer=DocumentSchema, raises=_FAILURES)
def pin_document(assistant: str, key: str, pinned: bool) -> Document:
    """Tell a document with every question, or no longer."""
    return knowledge_of(assistant).documents.pin(key, pinned=pinned)


@blueprint.post("/texts")
@contract(body=TextSchema, query=WhoseQuerySchema, answer=DocumentSchema, raises=_FAILURES)
def put_text(
    assistant: str,
    title: str,
    text: str,
    text_id: str | None = None,
    url: str | None = None,
    pinned: bool | None = None,
) -> Document:
    """Know a text; with an id in place of the one that has it."""
    return knowledge_of(assistant).documents.put_text(
        title, text, now_ms=now_ms(), text_id=text_id, url=url, pinned=pinned
    )


@blueprint.post("/learn")
@contract(
    body=LearnSchema,
    query=WhoseQuerySchema,
    answer=StartedSchema,
    status=202,
    raises=(*_FAILURES, Conflict),
)
def learn(
    assistant: str,
    url: str | None = None,
    sitemap: str | None = None,
    refresh: bool = False,
    included: Sequence[str] = (),
    excluded: Sequence[str] = (),
) -> Mapping[str, bool]:
    """Start learning a site, a sitemap's pages, or all that is known again."""
    learning = knowledge_of(assistant).learning
    if url:
        learning.learn_site(url, only=included, excluded=excluded)
    elif sitemap:
        learning.learn_sitemap(sitemap)
    else:
        learning.learn_again()
    return _STARTED


@blueprint.post("/files")
@contract(
    query=FileQuerySchema,
    answer=StartedSchema,
    status=202,
    raises=(*_FAILURES, Conflict, PayloadTooLarge, RequestTimeout),
)
def learn_file(assistant: str, name: str) -> Mapping[str, bool]:
    """Learn the file that is the request's body: 20 MiB at most, and of any Content-Type."""
    learning = knowledge_of(assistant).learning
    with learning.taking(name) as file:
        receive_file(current_request(), file, MAX_FILE_BYTES)
    learning.learn_file(file)
    return _STARTED


@blueprint.get("/report")
@contract(query=WhoseQuerySchema, answer=ReportSchema, raises=_FAILURES)
def read_report(assistant: str) -> Mapping[str, object]:
    """Tell how learning goes, or went: counts, and a reason for whatever was left out."""
    found = knowledge_of(assistant).report()
    return {
        "learning": found is not None and found.is_running(now_ms()),
        "report": found.raw if found else None,
    }


@blueprint.post("/cancel")
@contract(query=WhoseQuerySchema, answer=StartedSchema, status=202, raises=_FAILURES)
def cancel_learning(assistant: str) -> Mapping[str, bool]:
    """Ask whoever learns to stop; what was learnt until then is kept."""
    knowledge_of(assistant).learning.cancel()
    return _STARTED


@blueprint.get("/corrections")
@contract(query=PageQuerySchema, answer=CorrectionListSchema, raises=_FAILURES)
def list_corrections(assistant: str, limit: int, cursor: str | None = None) -> CorrectionPage:
    """List the owner's own answers."""
    corrections = knowledge_of(assistant).corrections
    return corrections.list(limit=limit, cursor=cursor)


@blueprint.post("/corrections")
@contract(
    body=CorrectionInputSchema, query=WhoseQuerySchema, answer=CorrectionSchema, raises=_FAILURES
)
def put_correction(assistant: str, question: str, answer: str) -> Correction:
    """Answer a question, in place of the answer that it had; it is unanswered no longer."""
    corrections = knowledge_of(assistant).corrections
    return corrections.put(question, answer, now_ms=now_ms())


@blueprint.get("/corrections/<correction_id>")
@contract(query=WhoseQuerySchema, answer=CorrectionSchema, raises=_FAILURES)
def read_correction(assistant: str, correction_id: str) -> Correction:
    """Read one of the owner's own answers."""
    return knowledge_of(assistant).corrections.read(correction_id)


@blueprint.post("/corrections/<correction_id>")
@contract(
    body=CorrectionInputSchema, query=WhoseQuerySchema, answer=CorrectionSchema, raises=_FAILURES
)
def change_correction(assistant: str, correction_id: str, question: str, answer: str) -> Correction:
    """Change an answer, its question, or both; another question makes another id."""
    corrections = knowledge_of(assistant).corrections
    return corrections.put(question, answer, now_ms=now_ms(), instead_of=correction_id)


@blueprint.delete("/corrections/<correction_id>")
@contract(query=WhoseQuerySchema, answer=DeletedSchema, raises=_FAILURES)
def delete_correction(assistant: str, correction_id: str) -> dict[str, int]:
    """Delete one of the owner's own answers."""
    knowledge_of(assistant).corrections.delete(correction_id)
    return {"deleted": 1}


@blueprint.get("/gaps")
@contract(query=GapsQuerySchema, answer=GapListSchema, raises=_FAILURES)
def list_gaps(assistant: str, limit: int) -> GapList:
    """List what the pages did not answer, the questions asked most first."""
    return GapList(knowledge_of(assistant).gaps.groups()[:limit])


@blueprint.get("/gaps.csv")
@contract(query=TableQuerySchema, media_type="text/csv", raises=_FAILURES)
def export_gaps(assistant: str, separator: str) -> Response:
    """Download what the pages did not answer, as a table for spreadsheets."""
    groups = knowledge_of(assistant).gaps.groups()
    return download_table(gaps_to_csv(groups, SEPARATORS[separator]), "unanswered")


@blueprint.delete("/gaps/<gap_id>")
@contract(query=WhoseQuerySchema, answer=DeletedSchema, raises=_FAILURES)
def dismiss_gap(assistant: str, gap_id: str) -> dict[str, int]:
    """Take a question off the list; the conversations stay."""
    return {"deleted": knowledge_of(assistant).gaps.dismiss(gap_id)}


@blueprint.post("/ask")
@contract(body=AskSchema, query=WhoseQuerySchema, answer=TrialSchema, raises=_FAILURES)
def ask(
    assistant: str, question: str, before: str | None = None, page_url: str | None = None
) -> Trial:
    """Tell what the chat would answer a question from; no model is asked."""
    inquiry = Inquiry(question, before=before, page_url=page_url)
    return knowledge_of(assistant).try_question(inquiry)
