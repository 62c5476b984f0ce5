"""What clients were told, and whether the store says the same: lost, duplicated, misordered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Said = tuple[str, str]
"""Role and content of a stored message."""


@dataclass
class Asked:
    """One question, and what its client knows of it.

    ``stored`` after a ``start`` line, ``answer`` after a ``done`` line, before which
    its tokens were ``seen``.
    """

    content: str
    turn_id: str
    stored: bool = False
    answer: str | None = None
    seen: str | None = None
    attempts: int = 0


@dataclass
class Conversation:
    """Everything that one client asked, in order."""

    session: str
    id: str | None = None
    asked: list[Asked] = field(default_factory=list)


@dataclass
class Verdict:
    """How the store differs from what was acknowledged; every list should be empty."""

    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    misordered: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.duplicated or self.misordered)

    def __str__(self) -> str:
        return (
            f"lost {len(self.lost)}, duplicated {len(self.duplicated)}, "
            f"misordered {len(self.misordered)}"
        )


def compare(conversations: Sequence[Conversation], stored: Mapping[str, Sequence[Said]]) -> Verdict:
    """Hold what is stored, by conversation id, against what clients were told."""
    verdict = Verdict()
    for conversation in conversations:
        said = stored.get(conversation.id or "", ())
        _compare_one(conversation, said, verdict)
    return verdict


def _compare_one(conversation: Conversation, said: Sequence[Said], verdict: Verdict) -> None:
    places: dict[str, list[int]] = {}
    for place, (role, content) in enumerate(said):
        if role == "user":
            places.setdefault(content, []).append(place)
    last = -1
    for asked in conversation.asked:
        found = places.get(asked.content, [])
        name = f"{conversation.session}: {asked.turn_id}"
        if len(found) > 1:
            verdict.duplicated.append(f"{name}: the question stands {len(found)} times")
        if not found:
            if asked.stored:
                verdict.lost.append(f"{name}: the question")
            continue
        if found[0] < last:
            verdict.misordered.append(f"{name}: the question stands before an earlier one")
        last = found[0]
        _compare_answer(name, asked, _answers_behind(said, found[0]), verdict)


def _compare_answer(name: str, asked: Asked, answers: Sequence[str], verdict: Verdict) -> None:
    if len(answers) > 1:
        verdict.duplicated.append(f"{name}: {len(answers)} answers")
    if asked.answer is None:
        return
    if asked.answer not in answers:
        verdict.lost.append(f"{name}: the answer; stored is {list(answers)}")
    if asked.seen is not None and asked.seen.strip() != asked.answer:
        verdict.misordered.append(f"{name}: {asked.seen!r} was seen of {asked.answer!r}")


def _answers_behind(said: Sequence[Said], question: int) -> list[str]:
    answers: list[str] = []
    for role, content in said[question + 1 :]:
        if role == "user":
            break
        answers.append(content)
    return answers
