"""Whether the store says what clients were told: lost, duplicated, misordered, intruding."""

from collections.abc import Mapping, Sequence

from tests.checker.ledger import HOLDING, Asked, Conversation, Happened, Reply, Row, Verdict


def compare(
    conversations: Sequence[Conversation],
    stored: Mapping[str, Sequence[Row]],
    replies: Mapping[str, Sequence[Reply]] | None = None,
) -> Verdict:
    """Hold what is stored, by conversation id, against what clients were told."""
    verdict = Verdict()
    for conversation in conversations:
        rows = stored.get(conversation.id or "", ())
        _compare_questions(conversation, rows, verdict)
        _compare_replies(
            conversation, rows, (replies or {}).get(conversation.id or "", ()), verdict
        )
        _compare_events(conversation, rows, verdict)
        _find_intruders(conversation, rows, verdict)
    return verdict


def _compare_questions(conversation: Conversation, rows: Sequence[Row], verdict: Verdict) -> None:
    places: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        if row.role == "user":
            places.setdefault(row.content, []).append(place)
    last = -1
    for asked in conversation.asked:
        found = places.get(asked.content, [])
        name = f"{conversation.session}: {asked.turn_id}"
        _compare_readings(name, asked, verdict)
        if len(found) > 1:
            verdict.duplicated.append(f"{name}: the question stands {len(found)} times")
        if not found:
            if asked.stored:
                verdict.lost.append(f"{name}: the question")
            continue
        if found[0] < last:
            verdict.misordered.append(f"{name}: the question stands before an earlier one")
        last = found[0]
        _compare_answer(name, asked, _answers_behind(rows, found[0]), verdict)


def _compare_readings(name: str, asked: Asked, verdict: Verdict) -> None:
    for each in asked.readings:
        if each.answer is not None and each.seen.strip() != each.answer:
            verdict.misordered.append(f"{name}: {each.seen!r} was seen of {each.answer!r}")
        elif not any(whole.startswith(each.seen) for whole in (asked.says, HOLDING)):
            verdict.misordered.append(f"{name}: {each.seen!r} was seen of {asked.says!r}")


def _compare_answer(
    name: str, asked: Asked, answers: Sequence[tuple[str, str]], verdict: Verdict
) -> None:
    if len(answers) > 1:
        verdict.duplicated.append(f"{name}: {len(answers)} answers")
    for each in asked.readings:
        is_replaced = each.is_cut and each.came_at < asked.sent_at
        # Where nothing was said before a person took over, no answer stands.
        is_none = each.is_held or is_replaced or not each.answer
        told = each.answer, each.sources
        if not is_none and told not in answers:
            verdict.lost.append(f"{name}: {told}; stored is {list(answers)}")


def _answers_behind(rows: Sequence[Row], question: int) -> list[tuple[str, str]]:
    answers: list[tuple[str, str]] = []
    for row in rows[question + 1 :]:
        if row.role == "user":
            break
        if row.role == "assistant":
            answers.append((row.content, row.sources))
    return answers


def _compare_replies(
    conversation: Conversation, rows: Sequence[Row], replies: Sequence[Reply], verdict: Verdict
) -> None:
    said = [row.content for row in rows if row.role == "operator"]
    for reply in replies:
        name = f"{conversation.session}: reply {reply.key}"
        if reply.stored and reply.text not in said:
            verdict.lost.append(name)
        if said.count(reply.text) > 1:
            verdict.duplicated.append(f"{name} stands {said.count(reply.text)} times")
    if list(dict.fromkeys(said)) != [each.text for each in replies if each.text in said]:
        verdict.misordered.append(f"{conversation.session}: the replies are {said}")


def _compare_events(conversation: Conversation, rows: Sequence[Row], verdict: Verdict) -> None:
    there = [
        Happened(place + 1, row.event or "message", row.content)
        for place, row in enumerate(row for row in rows if row.role in ("operator", "system"))
    ]
    told = conversation.happened
    name = f"{conversation.session}: the events"
    if len({each.n for each in told}) < len(told):
        verdict.duplicated.append(f"{name} {told}")
    elif lost := set(told) - set(there):
        verdict.lost.append(f"{name} {lost}; stored are {there}")
    elif told != there[: len(told)]:
        verdict.misordered.append(f"{name} {told}; stored are {there}")


def _find_intruders(conversation: Conversation, rows: Sequence[Row], verdict: Verdict) -> None:
    """Find what a model said where it was not to be asked, or whole behind a take-over."""
    asked_at = 0
    for row in rows:
        if row.role == "user":
            asked_at = row.at
        if row.role != "assistant":
            continue
        for begun, taken, ended in _stretches_of_people(rows):
            is_whole_behind = row.status == "complete" and taken < row.at < ended
            if is_whole_behind or begun < asked_at <= row.at < ended:
                verdict.intruding.append(f"{conversation.session}: {row}")


def _stretches_of_people(rows: Sequence[Row]) -> list[tuple[float, float, float]]:
    """Return when people were asked for, when they took over, and when it was over."""
    never = float("inf")
    found: list[tuple[float, float, float]] = []
    begun = taken = never
    for row in rows:
        if row.event in ("asked", "taken"):
            begun = min(begun, row.at)
            taken = min(taken, row.at if row.event == "taken" else never)
        if row.event in ("released", "closed"):
            found.append((begun, taken, row.at))
            begun = taken = never
    return [*found, (begun, taken, never)]
