"""Questions that an assistant's pages did not answer, those with the same words together."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from app.domain.clock import to_utc
from app.domain.errors import NotFound
from app.domain.knowledge import Gap, GapReason
from app.knowledge.words import question_key
from app.operations.export import to_table
from app.storage.document_store import DocumentStore

# Of an assistant, the newest: what is older comes into sight as these are answered.
MAX_GAPS = 1000
_MAX_DISMISSED = 200
COLUMNS = ("question", "count", "first", "last", "reasons", "pageUrl", "conversationId")


@dataclass(slots=True)
class GapGroup:
    """Gaps whose questions have the same words.

    ``id`` is that of the correction that would answer them; ``question`` and
    ``newest`` are the last visitor's. ``reasons`` are counted.
    """

    id: str
    newest: Gap
    first_at: int
    reasons: Counter[GapReason] = field(default_factory=Counter)
    message_ids: list[str] = field(default_factory=list)

    @property
    def question(self) -> str:
        """How it was asked last."""
        return self.newest.question

    @property
    def last_at(self) -> int:
        """When it was asked last, in ms since the Unix epoch."""
        return self.newest.created_at

    @property
    def count(self) -> int:
        """How often it was asked."""
        return len(self.message_ids)


def question_id(question: str) -> str:
    """Return the name of all questions of the same words."""
    return hashlib.sha256(question_key(question).encode("utf-8", "replace")).hexdigest()[:20]


def group_gaps(gaps: Sequence[Gap]) -> Sequence[GapGroup]:
    """Return groups of gaps, given newest first; those that were asked most stand first."""
    groups: dict[str, GapGroup] = {}
    for gap in gaps:
        name = question_id(gap.question)
        group = groups.setdefault(name, GapGroup(name, gap, gap.created_at))
        group.first_at = min(group.first_at, gap.created_at)
        group.reasons[gap.reason] += 1
        group.message_ids.append(gap.message_id)
    return sorted(groups.values(), key=lambda each: (-each.count, -each.last_at))


class Gaps:
    """What was asked of one assistant in vain."""

    def __init__(self, store: DocumentStore, assistant: str) -> None:
        self._store = store
        self._assistant = assistant

    def groups(self) -> Sequence[GapGroup]:
        """Return the groups of the newest ``MAX_GAPS`` gaps, those asked most first."""
        return group_gaps(self._store.list_gaps(self._assistant, limit=MAX_GAPS))

    def dismiss(self, group_id: str) -> int:
        """Take a group off the list; return how many answers that were.

        Raises:
            NotFound: there is no such group.
        """
        dismissed = self.dismiss_if_any(group_id)
        if not dismissed:
            raise NotFound("There is no such question")
        return dismissed

    def dismiss_if_any(self, group_id: str) -> int:
        """Take a group off the list, if it is on it."""
        ids = [
            each for group in self.groups() if group.id == group_id for each in group.message_ids
        ]
        for begin in range(0, len(ids), _MAX_DISMISSED):
            self._store.dismiss_gaps(self._assistant, ids[begin : begin + _MAX_DISMISSED])
        return len(ids)


def gaps_to_csv(groups: Sequence[GapGroup], separator: str = ",") -> Iterator[bytes]:
    """Write groups as a table for spreadsheets, times in UTC; marked as UTF-8."""
    return to_table(COLUMNS, (_to_row(each) for each in groups), separator)


def in_order(reasons: Mapping[GapReason, int]) -> Sequence[GapReason]:
    """Return reasons, the most frequent first."""
    return sorted(reasons, key=lambda each: (-reasons[each], each))


def _to_row(group: GapGroup) -> Sequence[object]:
    return (
        group.question,
        group.count,
        to_utc(group.first_at),
        to_utc(group.last_at),
        " ".join(in_order(group.reasons)),
        group.newest.page_url,
        group.newest.conversation_id,
    )
