"""What an assistant knows, for the operator's scripts."""

from collections.abc import Mapping

from flask import Blueprint, Response

from app.domain.clock import now_ms
from app.domain.errors import (
    Conflict,
    NotConfigured,
    NotFound,
    PayloadTooLarge,
    RequestTimeout,
    StorageUnavailable,
    TooManyRequests,
)
from app.domain.knowledge import Document, DocumentPage, Inquiry
from app.operations.export import SEPARATORS
from app.operations.knowledge.corrections import Correction, CorrectionPage
from app.operations.knowledge.gaps import gaps_to_csv
from app.operations.knowledge.learning import MAX_FILE_BYTES
from app.operations.knowledge.trial import Trial
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
    AskOrder,
    AskSchema,
    CorrectionInputSchema,
    CorrectionOrder,
    FileQuery,
    FileQuerySchema,
    GapsQuery,
    GapsQuerySchema,
    KeyQuery,
    KeyQuerySchema,
    LearnOrder,
    LearnSchema,
    PageQuery,
    PageQuerySchema,
    PinOrder,
    PinSchema,
    TableQuery,
    TableQuerySchema,
    TextOrder,
    TextSchema,
    WhoseQuery,
    WhoseQuerySchema,
)

blueprint = Blueprint("knowledge", __name__, url_prefix="/v1/admin/knowledge")

_FAILURES = (TooManyRequests, NotConfigured, StorageUnavailable, NotFound)
_STARTED = {"started": True}


@blueprint.get("/documents")
@contract(query=PageQuerySchema, answer=DocumentListSchema, raises=_FAILURES)
def list_documents(query: PageQuery) -> DocumentPage:
    """List what was learnt, by key; a page may be short, and lead on."""
    documents = knowledge_of(query.assistant).documents
    return documents.list(limit=query.limit, cursor=query.cursor)


@blueprint.get("/document")
@contract(query=KeyQuerySchema, answer=WholeDocumentSchema, raises=_FAILURES)
def read_document(query: KeyQuery) -> Document:
    """Read a document, as it was learnt."""
    return knowledge_of(query.assistant).documents.read(query.key)


@blueprint.delete("/document")
@contract(query=KeyQuerySchema, answer=DeletedSchema, raises=_FAILURES)
def forget_document(query: KeyQuery) -> dict[str, int]:
    """Forget a document; a page that still stands on the site is learnt again with it."""
    knowledge_of(query.assistant).documents.forget(query.key)
    return {"deleted": 1}


@blueprint.post("/pin")
@contract(body=PinSchema, query=WhoseQuerySchema, answer=DocumentSchema, raises=_FAILURES)
def pin_document(order: PinOrder, query: WhoseQuery) -> Document:
    """Tell a document with every question, or no longer."""
    return knowledge_of(query.assistant).documents.pin(order.key, pinned=order.pinned)


@blueprint.post("/texts")
@contract(body=TextSchema, query=WhoseQuerySchema, answer=DocumentSchema, raises=_FAILURES)
def put_text(order: TextOrder, query: WhoseQuery) -> Document:
    """Know a text; with an id in place of the one that has it."""
    return knowledge_of(query.assistant).documents.put_text(
        order.title,
        order.text,
        now_ms=now_ms(),
        text_id=order.id,
        url=order.url,
        pinned=order.pinned,
    )


@blueprint.post("/learn")
@contract(
    body=LearnSchema,
    query=WhoseQuerySchema,
    answer=StartedSchema,
    status=202,
    raises=(*_FAILURES, Conflict),
)
def learn(order: LearnOrder, query: WhoseQuery) -> Mapping[str, bool]:
    """Start learning a site, a sitemap's pages, or all that is known again."""
    learning = knowledge_of(query.assistant).learning
    if order.url:
        learning.learn_site(order.url, only=order.included, excluded=order.excluded)
    elif order.sitemap:
        learning.learn_sitemap(order.sitemap)
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
def learn_file(query: FileQuery) -> Mapping[str, bool]:
    """Learn the file that is the request's body: 20 MiB at most, and of any Content-Type."""
    learning = knowledge_of(query.assistant).learning
    with learning.taking(query.name) as file:
        receive_file(current_request(), file, MAX_FILE_BYTES)
    learning.learn_file(file)
    return _STARTED


@blueprint.get("/report")
@contract(query=WhoseQuerySchema, answer=ReportSchema, raises=_FAILURES)
def read_report(query: WhoseQuery) -> Mapping[str, object]:
    """Tell how learning goes, or went: counts, and a reason for whatever was left out."""
    found = knowledge_of(query.assistant).report()
    return {
        "learning": found is not None and found.is_running(now_ms()),
        "report": found.raw if found else None,
    }


@blueprint.post("/cancel")
@contract(query=WhoseQuerySchema, answer=StartedSchema, status=202, raises=_FAILURES)
def cancel_learning(query: WhoseQuery) -> Mapping[str, bool]:
    """Ask whoever learns to stop; what was learnt until then is kept."""
    knowledge_of(query.assistant).learning.cancel()
    return _STARTED


@blueprint.get("/corrections")
@contract(query=PageQuerySchema, answer=CorrectionListSchema, raises=_FAILURES)
def list_corrections(query: PageQuery) -> CorrectionPage:
    """List the owner's own answers."""
    corrections = knowledge_of(query.assistant).corrections
    return corrections.list(limit=query.limit, cursor=query.cursor)


@blueprint.post("/corrections")
@contract(
    body=CorrectionInputSchema, query=WhoseQuerySchema, answer=CorrectionSchema, raises=_FAILURES
)
def put_correction(order: CorrectionOrder, query: WhoseQuery) -> Correction:
    """Answer a question, in place of the answer that it had; it is unanswered no longer."""
    corrections = knowledge_of(query.assistant).corrections
    return corrections.put(order.question, order.answer, now_ms=now_ms())


@blueprint.get("/corrections/<correction_id>")
@contract(query=WhoseQuerySchema, answer=CorrectionSchema, raises=_FAILURES)
def read_correction(query: WhoseQuery, correction_id: str) -> Correction:
    """Read one of the owner's own answers."""
    return knowledge_of(query.assistant).corrections.read(correction_id)


@blueprint.post("/corrections/<correction_id>")
@contract(
    body=CorrectionInputSchema, query=WhoseQuerySchema, answer=CorrectionSchema, raises=_FAILURES
)
def change_correction(order: CorrectionOrder, query: WhoseQuery, correction_id: str) -> Correction:
    """Change an answer, its question, or both; another question makes another id."""
    corrections = knowledge_of(query.assistant).corrections
    return corrections.put(order.question, order.answer, now_ms=now_ms(), instead_of=correction_id)


@blueprint.delete("/corrections/<correction_id>")
@contract(query=WhoseQuerySchema, answer=DeletedSchema, raises=_FAILURES)
def delete_correction(query: WhoseQuery, correction_id: str) -> dict[str, int]:
    """Delete one of the owner's own answers."""
    knowledge_of(query.assistant).corrections.delete(correction_id)
    return {"deleted": 1}


@blueprint.get("/gaps")
@contract(query=GapsQuerySchema, answer=GapListSchema, raises=_FAILURES)
def list_gaps(query: GapsQuery) -> GapList:
    """List what the pages did not answer, the questions asked most first."""
    return GapList(knowledge_of(query.assistant).gaps.groups()[: query.limit])


@blueprint.get("/gaps.csv")
@contract(query=TableQuerySchema, media_type="text/csv", raises=_FAILURES)
def export_gaps(query: TableQuery) -> Response:
    """Download what the pages did not answer, as a table for spreadsheets."""
    groups = knowledge_of(query.assistant).gaps.groups()
    return download_table(gaps_to_csv(groups, SEPARATORS[query.separator]), "unanswered")


@blueprint.delete("/gaps/<gap_id>")
@contract(query=WhoseQuerySchema, answer=DeletedSchema, raises=_FAILURES)
def dismiss_gap(query: WhoseQuery, gap_id: str) -> dict[str, int]:
    """Take a question off the list; the conversations stay."""
    return {"deleted": knowledge_of(query.assistant).gaps.dismiss(gap_id)}


@blueprint.post("/ask")
@contract(body=AskSchema, query=WhoseQuerySchema, answer=TrialSchema, raises=_FAILURES)
def ask(order: AskOrder, query: WhoseQuery) -> Trial:
    """Tell what the chat would answer a question from; no model is asked."""
    inquiry = Inquiry(order.question, before=order.before, page_url=order.page_url)
    return knowledge_of(query.assistant).try_question(inquiry)
