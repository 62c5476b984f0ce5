"""Any store, with every call of it timed."""

import time
from collections.abc import Callable
from typing import ParamSpec, Protocol, TypeVar

from app.domain.errors import StorageUnavailable
from app.storage.document_store import DocumentStore
from app.storage.people_store import PeopleStore
from app.storage.protocol import ConversationStore

P = ParamSpec("P")
T = TypeVar("T")


class TimeCall(Protocol):
    """Takes the name of a call, its seconds, and whether the store was at fault."""

    def __call__(self, call: str, seconds: float, *, failed: bool) -> None:
        """Note one call."""
        ...


class MeasuredStore:
    """A ``ConversationStore`` that tells ``note`` of the calls of another one."""

    def __init__(self, store: ConversationStore, note: TimeCall) -> None:
        def timed(call: str, ask: Callable[P, T]) -> Callable[P, T]:
            return _timed(call, ask, note)

        self.begin_turn = timed("begin_turn", store.begin_turn)
        self.finish_turn = timed("finish_turn", store.finish_turn)
        self.list_conversations = timed("list_conversations", store.list_conversations)
        self.list_marked_turns = timed("list_marked_turns", store.list_marked_turns)
        self.read_thread = timed("read_thread", store.read_thread)
        self.read_session = timed("read_session", store.read_session)
        self.delete_session = timed("delete_session", store.delete_session)
        self.is_session_deleted = timed("is_session_deleted", store.is_session_deleted)
        self.set_user = timed("set_user", store.set_user)
        self.delete_conversation = timed("delete_conversation", store.delete_conversation)
        self.rate_message = timed("rate_message", store.rate_message)
        self.read_figures = timed("read_figures", store.read_figures)
        self.add_figures = timed("add_figures", store.add_figures)
        self.backfill_figures = timed("backfill_figures", store.backfill_figures)
        self.read_state = timed("read_state", store.read_state)
        self.set_switch = timed("set_switch", store.set_switch)
        self.revoke = timed("revoke", store.revoke)
        self.is_revoked = timed("is_revoked", store.is_revoked)
        self.begin_job = timed("begin_job", store.begin_job)
        self.end_job = timed("end_job", store.end_job)
        self.purge = timed("purge", store.purge)
        self.ping = timed("ping", store.ping)
        self.close = timed("close", store.close)
        self.documents = MeasuredDocuments(store.documents, note)
        self.people = MeasuredPeople(store.people, note)


class MeasuredDocuments:
    """A ``DocumentStore`` that tells ``note`` of the calls of another one."""

    def __init__(self, documents: DocumentStore, note: TimeCall) -> None:
        def timed(call: str, ask: Callable[P, T]) -> Callable[P, T]:
            return _timed(call, ask, note)

        self.put_documents = timed("put_documents", documents.put_documents)
        self.forget_documents = timed("forget_documents", documents.forget_documents)
        self.documents_since = timed("documents_since", documents.documents_since)
        self.list_documents = timed("list_documents", documents.list_documents)
        self.read_document = timed("read_document", documents.read_document)
        self.put_report = timed("put_report", documents.put_report)
        self.read_report = timed("read_report", documents.read_report)
        self.cancel_learning = timed("cancel_learning", documents.cancel_learning)
        self.list_gaps = timed("list_gaps", documents.list_gaps)
        self.dismiss_gaps = timed("dismiss_gaps", documents.dismiss_gaps)
        self.count_citations = timed("count_citations", documents.count_citations)


class MeasuredPeople:
    """A ``PeopleStore`` that tells ``note`` of the calls of another one."""

    def __init__(self, people: PeopleStore, note: TimeCall) -> None:
        def timed(call: str, ask: Callable[P, T]) -> Callable[P, T]:
            return _timed(call, ask, note)

        self.hand_over = timed("hand_over", people.hand_over)
        self.say = timed("say", people.say)
        self.events_since = timed("events_since", people.events_since)
        self.set_contact = timed("set_contact", people.set_contact)
        self.list_inbox = timed("list_inbox", people.list_inbox)
        self.note_seen = timed("note_seen", people.note_seen)
        self.find_by_user = timed("find_by_user", people.find_by_user)
        self.put_notice = timed("put_notice", people.put_notice)
        self.claim_notices = timed("claim_notices", people.claim_notices)
        self.settle_notice = timed("settle_notice", people.settle_notice)
        self.list_notices = timed("list_notices", people.list_notices)


def _timed(name: str, call: Callable[P, T], note: TimeCall) -> Callable[P, T]:
    def timed(*args: P.args, **kwargs: P.kwargs) -> T:
        started_at = time.perf_counter()
        failed = False
        try:
            return call(*args, **kwargs)
        except StorageUnavailable:
            failed = True
            raise
        finally:
            note(name, time.perf_counter() - started_at, failed=failed)

    return timed
