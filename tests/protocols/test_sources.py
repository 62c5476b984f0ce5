"""What an answer cites, as each protocol's clients are told of it."""

import json
from typing import Any

import pytest

from app.domain.events import SourcesFound, TurnDone, TurnStarted
from app.domain.knowledge import Source
from app.protocols.ag_ui import AG_UI
from app.protocols.ai_sdk import AI_SDK
from app.protocols.deep_chat import DEEP_CHAT, to_text
from app.protocols.ndjson import NDJSON
from app.protocols.openai_chat import OPENAI_CHAT, to_completion
from app.protocols.openai_responses import OPENAI_RESPONSES, to_response
from app.protocols.protocol import AnswerProtocol
from app.protocols.source_list import list_sources

HOURS, FILE = Source(2, "Opening hours", "https://example.org/h#sunday"), Source(1, "Prices.pdf")
MESSAGE = "From 10 [2], five euros [1, 2]."
PLACES = [(8, 11), (24, 30)]


def told(protocol: AnswerProtocol, *sources: Source, name: str = "done") -> list[Any]:
    """The objects with which an answer begins and ends."""
    encoder = protocol.encoder()
    data = encoder.started(TurnStarted("c-1", "turn-0001"))
    data += encoder.sources(SourcesFound(sources)) + encoder.tokens([MESSAGE])
    data += encoder.done(TurnDone(MESSAGE, "c-1", "turn-0001", sources=sources))
    lines = [line.removeprefix("data: ") for line in data.decode().splitlines()]
    return [json.loads(line) for line in lines if line.startswith("{")]


def test_ndjson_tells_them_before_the_first_token_and_the_cited_at_the_end() -> None:
    body = [{"n": 2, "title": "Opening hours", "url": HOURS.url}, {"n": 1, "title": "Prices.pdf"}]

    start, sources, _, done = told(NDJSON, HOURS, FILE)

    assert start["type"] == "start"
    assert sources == {"type": "sources", "sources": body}
    assert done["sources"] == body


def test_ndjson_says_who_spoke_where_no_model_did() -> None:
    done = TurnDone(MESSAGE, "c-1", "turn-0001", answered_by="owner")

    line = json.loads(NDJSON.done(done))

    assert line["answeredBy"] == "owner"
    assert "sources" not in line


def test_ai_sdk_has_a_part_for_each_before_the_text_ends() -> None:
    kinds = told(AI_SDK, HOURS, FILE)

    assert [each for each in kinds if each["type"].startswith("source")] == [
        {"type": "source-url", "sourceId": "2", "title": "Opening hours", "url": HOURS.url},
        {"type": "source-document", "sourceId": "1", "title": "Prices.pdf",
         "mediaType": "text/plain"},
    ]  # fmt: skip
    assert [each["type"] for each in kinds[-3:]] == ["text-end", "finish-step", "finish"]


def test_ag_ui_has_an_event_of_its_own() -> None:
    custom = [each for each in told(AG_UI, HOURS) if each["type"] == "CUSTOM"]

    assert custom == [
        {"type": "CUSTOM", "name": "sources",
         "value": [{"n": 2, "title": "Opening hours", "url": HOURS.url}]}
    ]  # fmt: skip


def test_openai_has_an_annotation_for_each_place_that_cites_an_address() -> None:
    cited = [
        {"start_index": start, "end_index": end, "title": "Opening hours", "url": HOURS.url}
        for start, end in PLACES
    ]

    last = told(OPENAI_CHAT, HOURS, FILE)[-1]
    whole = to_completion(TurnDone(MESSAGE, "c-1", "t", sources=(HOURS, FILE)), "default")

    nested = [{"type": "url_citation", "url_citation": each} for each in cited]
    assert last["choices"][0]["delta"]["annotations"] == nested
    assert whole["choices"][0]["message"]["annotations"] == nested  # type: ignore[index]
    assert [MESSAGE[start:end] for start, end in PLACES] == ["[2]", "[1, 2]"]


def test_open_responses_has_them_in_the_stream_and_in_the_text() -> None:
    events = told(OPENAI_RESPONSES, HOURS, FILE)
    added = [each for each in events if each["type"].endswith("annotation.added")]
    whole = to_response(TurnDone(MESSAGE, "c-1", "t", sources=(HOURS, FILE)), "default")

    assert [each["annotation_index"] for each in added] == [0, 1]
    [item] = events[-1]["response"]["output"]
    assert item["content"][0]["annotations"] == [each["annotation"] for each in added]
    assert whole["output"][0]["content"][0]["annotations"] == [  # type: ignore[index]
        each["annotation"] for each in added
    ]
    assert [each["sequence_number"] for each in events] == list(range(len(events)))


def test_deep_chat_has_a_list_at_the_end_streamed_or_whole() -> None:
    streamed = "".join(each["text"] for each in told(DEEP_CHAT, HOURS, FILE))

    assert streamed == MESSAGE + list_sources([HOURS, FILE])
    assert to_text(TurnDone(MESSAGE, "c-1", "t", sources=(HOURS, FILE))) == {"text": streamed}


@pytest.mark.parametrize("protocol", [OPENAI_CHAT, OPENAI_RESPONSES, AI_SDK, AG_UI, DEEP_CHAT])
def test_an_answer_that_cites_nothing_is_told_as_before(protocol: AnswerProtocol) -> None:
    assert "ource" not in json.dumps(told(protocol)).replace("sources", "")
    assert all("annotation.added" not in each.get("type", "") for each in told(protocol))
