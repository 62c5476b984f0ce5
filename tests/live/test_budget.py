"""The day's budget over a running server: what is refused, charged, given back and remembered."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from app.domain.conversation import PromptMessage
from app.limits.estimate import estimate_prompt, estimate_text
from app.storage.sqlite import SqliteStore
from app.web.schemas.chat import ChatSchema
from tests.limits.hostile import hostile_texts
from tests.live.eventually import eventually
from tests.live.exchange import Answer
from tests.servers.perch import WIDGET_KEY, Server
from tests.servers.upstream import Upstream
from tests.servers.upstream_script import PROMPT_TOKENS, words

pytestmark = pytest.mark.sqlite  # it reads the figures from the file

PROMPT = "Be brief."
COUNTS = Path(__file__).parents[1] / "limits" / "counts.json"
# What OpenAI's tokenizer makes of the hostile texts that a visitor can send, and of all else.
TRUE_COUNTS = {
    text: count
    for (_, text), count in zip(
        hostile_texts(), json.loads(COUNTS.read_text())["hostile"]["o200k"], strict=True
    )
    if not ChatSchema(only=["message"]).validate({"message": text})
} | {PROMPT: 3, **{" ".join(["well"] * count): count for count in range(1, 41)}}
QUESTION = "What are your hours?"
MAX_OUTPUT_TOKENS = 100
ESTIMATE = estimate_prompt([PromptMessage("system", PROMPT), PromptMessage("user", QUESTION)])
ONE_TURN = ESTIMATE + MAX_OUTPUT_TOKENS
SETTINGS = {
    "SYSTEM_PROMPT": PROMPT,
    "MAX_OUTPUT_TOKENS": str(MAX_OUTPUT_TOKENS),
    "MAX_PROMPT_TOKENS": "100",
    "CLIENT_IP_HEADER": "X-IP",
}


def budgeted(upstream: Upstream, directory: Path | None = None, **environment: str) -> Server:
    return Server.over(upstream, directory, **{**SETTINGS, **environment})


@pytest.fixture(scope="module")
def counting(session_upstream: Upstream) -> Iterator[Server]:
    """A server with no other business than to count."""
    with budgeted(session_upstream, MODEL_READ_TIMEOUT_S="0.3") as server:
        yield server


def ask(server: Server, session: str = "s-1", client: str = "10.0.0.1", **body: object) -> Answer:
    asked = {"sessionId": session, "message": QUESTION, **body}
    return server.request("POST", "/v1/chat", asked, x_api_key=WIDGET_KEY, x_ip=client)


def store_of(server: Server) -> SqliteStore:
    return SqliteStore(server.directory / "chat.db")


def charged(server: Server) -> int:
    """Return what the store knows to be spent today."""
    store = store_of(server)
    try:
        today = datetime.now(UTC).date().isoformat()
        return sum(each.charged_tokens for each in store.read_figures(today, today))
    finally:
        store.close()


def test_spent_budget_answers_in_the_owners_words_and_stores_no_question(
    upstream: Upstream,
) -> None:
    upstream.script(tokens=76)  # 100 tokens a turn
    words = "We have answered a lot today."
    with budgeted(upstream, BUDGET_TOKENS_PER_DAY="240", BUDGET_EXHAUSTED_MESSAGE=words) as server:
        statuses = [ask(server).status for _ in range(2)]

        refused = ask(server, session="s-new", client="10.0.0.2")

        conversations = server.admin("/v1/admin/conversations").json["total"]
        log = [line["event"] for line in server.log_lines() if "budget" in line["event"]]

    assert statuses == [200, 200]
    assert refused.status == 429
    assert refused.json == {
        "error": words,
        "code": "budget_exhausted",
        "requestId": refused.headers["X-Request-Id"],
    }
    assert 1 <= int(refused.headers["Retry-After"]) <= 86_400
    assert conversations == 1
    assert log == [
        "80 % of the day's budget of 240 tokens is spent",
        "The day's budget of 240 tokens is spent",
    ]


@pytest.mark.parametrize(
    ("variable", "session", "client"),
    [
        ("BUDGET_TOKENS_PER_IP_DAY", "s-2", "10.0.0.1"),
        ("BUDGET_TOKENS_PER_SESSION_DAY", "s-1", "10.0.0.2"),
    ],
)
def test_one_who_had_a_share_of_the_day_is_refused_alone(
    upstream: Upstream, variable: str, session: str, client: str
) -> None:
    upstream.script(tokens=176)
    with budgeted(upstream, **{variable: "200"}) as server:
        ask(server)

        refused, other = ask(server, session, client), ask(server, "s-9", "10.0.0.9")

    assert (refused.status, refused.json["code"]) == (429, "daily_limit_reached")
    assert other.status == 200


def test_restarted_server_goes_on_with_the_days_spend(upstream: Upstream, tmp_path: Path) -> None:
    upstream.script(tokens=176)
    with budgeted(upstream, tmp_path, BUDGET_TOKENS_PER_DAY="300") as server:
        ask(server)
    with budgeted(upstream, tmp_path, BUDGET_TOKENS_PER_DAY="300") as server:
        refused = ask(server, session="s-2", client="10.0.0.2")

    assert (refused.status, refused.json["code"]) == (429, "budget_exhausted")


@pytest.mark.parametrize(
    ("script", "charge"),
    [
        ({"tokens": 7}, PROMPT_TOKENS + 7),
        ({"tokens": 7, "usage": "never"}, ESTIMATE + max(7, estimate_text(words(7)))),
        ({"tokens": 9, "fault": "cut", "at": 3}, ONE_TURN),
        ({"status": 500}, ESTIMATE),
        ({"status": 400}, 0),
        ({"status": 401}, 0),
        ({"status": 429}, 0),
        ({"fault": "hang_body"}, ONE_TURN),
    ],
    ids=["usage", "no usage", "cut", "500", "400", "401", "429", "silence"],
)
def test_turn_is_charged_with_what_it_may_have_cost(
    counting: Server, upstream: Upstream, script: dict[str, object], charge: int
) -> None:
    upstream.script(**script)
    before = charged(counting)

    counting.chat(QUESTION)

    assert charged(counting) - before == charge


def test_server_that_reaches_no_model_charges_nothing(upstream: Upstream) -> None:
    with budgeted(upstream, OPENAI_BASE_URL="http://127.0.0.1:1/v1") as server:
        assert ask(server).status == 502

        assert charged(server) == 0


@pytest.mark.parametrize("script", [{"fault": "hang_body"}, {"fault": "stall", "at": 2}, {}])
def test_visitor_who_leaves_pays_for_all_that_may_be_said(
    upstream: Upstream, script: dict[str, Any]
) -> None:
    upstream.script(tokens=["word "] * MAX_OUTPUT_TOKENS, gap_ms=10, **script)
    with budgeted(upstream) as server:
        with server.stream(QUESTION) as stream:
            stream.until("start")
            upstream.wait_for_request()
        assert eventually(lambda: charged(server)) == ONE_TURN


def test_visitor_who_stops_pays_for_all_that_may_be_said(upstream: Upstream) -> None:
    upstream.script(tokens=5, fault="stall", at=2)
    with budgeted(upstream) as server:
        opened = server.request("POST", "/v1/session", {}, x_api_key=WIDGET_KEY).json
        token = {"authorization": f"Bearer {opened['token']}"}
        body = {"message": QUESTION, "turnId": "turn-0001"}
        with server.send("POST", "/v1/chat/stream", body, x_api_key=WIDGET_KEY, **token) as sent:
            sent.begin().until("token")
            server.request("POST", "/v1/turns/turn-0001/stop", {}, **token)
            sent.until("done")

        assert charged(server) == ONE_TURN


def counted(body: dict[str, Any]) -> int:
    """Return what OpenAI counts for a request of the hostile corpus."""
    return 3 + sum(4 + TRUE_COUNTS[each["content"]] for each in body["messages"])


def test_nobody_pays_less_than_the_provider_counts_by_leaving(upstream: Upstream) -> None:
    """One session, hostile texts, gone after the first word; now and then one stays."""
    upstream.script(tokens=["well", *[" well"] * 39], gap_ms=20, prompt_tokens=counted)
    texts = [text for text in TRUE_COUNTS if not text.isspace() and "well" not in text]
    Random(13).shuffle(texts)
    turns: list[tuple[int, int]] = []
    budgets = {"BUDGET_TOKENS_PER_DAY": "100000", "BUDGET_TOKENS_PER_SESSION_DAY": "0"}
    open_doors = {"RATE_LIMIT_MAX_REQUESTS": "9999", "LIMIT_SESSION_PER_MINUTE": "0"}
    settings = {"MAX_PROMPT_TOKENS": "8000", "BUDGET_TOKENS_PER_IP_DAY": "0"}
    with budgeted(upstream, **budgets, **open_doors, **settings) as server:
        for number, text in enumerate(texts):
            before = charged(server)
            with server.stream(text, "s-hostile") as stream:
                if stream.status == 429:
                    break
                stream.until("done" if number % 7 == 6 else "token")
            paid = eventually(lambda before=before: charged(server) - before)
            request = upstream.requests[-1]
            request.wait()
            turns.append((paid, counted(request.body) + len(request.token_times)))
        spent = charged(server)

    assert len(turns) > 12
    assert [turn for turn in turns if turn[0] < turn[1]] == []
    assert sum(count for _, count in turns) <= spent <= 100_000


def test_answer_from_the_store_costs_nothing(counting: Server, upstream: Upstream) -> None:
    before = charged(counting)

    first, again = (counting.chat(QUESTION, "s-twice", turnId="turn-0001") for _ in range(2))

    assert again.json == first.json
    assert charged(counting) - before == PROMPT_TOKENS + 5
    assert len(upstream.requests) == 1


def test_reservations_bound_what_runs_at_once(upstream: Upstream) -> None:
    upstream.script(tokens=5, fault="stall")
    budget = str(2 * ONE_TURN + 10)
    with (
        budgeted(upstream, BUDGET_TOKENS_PER_DAY=budget) as server,
        server.stream(QUESTION, session="s-1"),
        server.stream(QUESTION, session="s-2"),
    ):
        upstream.wait_for_request(2)

        assert ask(server, session="s-3").json["code"] == "budget_exhausted"


def test_long_history_is_cut_to_what_the_owner_allows(upstream: Upstream) -> None:
    upstream.script(usage="never")
    said = "word " * 30
    with budgeted(upstream) as server:
        for number in range(4):
            ask(server, message=said + str(number))

    prompt = upstream.requests[-1].prompt
    assert [role for role, _ in prompt] == ["system", "user", "assistant", "user"]
    assert [text for role, text in prompt if role == "user"] == [said + "2", said + "3"]


def test_history_that_outgrows_the_budget_is_refused_and_its_question_kept(
    upstream: Upstream,
) -> None:
    upstream.script(tokens=["word "] * 100)
    settings = {"MAX_PROMPT_TOKENS": "400", "BUDGET_TOKENS_PER_DAY": "500"}
    with budgeted(upstream, **settings) as server:
        for _ in range(3):
            ask(server)
        conversation = server.admin("/v1/admin/conversations").json["conversations"][0]["_id"]

        refused = ask(server)
        stored = server.messages(conversation)

    assert (refused.status, refused.json["code"]) == (429, "budget_exhausted")
    assert stored[-1]["content"] == QUESTION
    assert stored[-1]["status"] == "error"


def test_switch_in_the_store_stops_all_workers_within_seconds(upstream: Upstream) -> None:
    words = "Back on Monday."
    with budgeted(upstream, WEB_CONCURRENCY="2", SWITCHED_OFF_MESSAGE=words) as server:
        eventually(lambda: len(server.workers) == 2)
        store = store_of(server)
        before = {ask(server, session=f"s-{n}").status for n in range(10)}

        def refused_in_a_row() -> bool:
            return all(ask(server, session=f"s-{n}").status == 503 for n in range(12))

        store.set_switch("off", thrown=True)
        eventually(refused_in_a_row, within_s=20)
        refused = ask(server)
        health = server.request("GET", "/health").status
        store.set_switch("off", thrown=False)
        eventually(
            lambda: all(ask(server, session=f"s-{n}").status == 200 for n in range(12)), within_s=20
        )
        store.close()

    assert (before, health) == ({200}, 200)
    assert refused.json == {
        "error": words,
        "code": "switched_off",
        "requestId": refused.headers["X-Request-Id"],
    }
    assert refused.headers["Retry-After"] == "60"


def test_failing_model_is_left_alone_for_a_while(upstream: Upstream) -> None:
    upstream.script(status=500)
    with budgeted(upstream, BREAKER_FAILURES="2", BREAKER_PAUSE_S="4") as server:
        statuses = [ask(server, session=f"s-{n}").status for n in range(3)]
        paused = ask(server)
        asked = len(upstream.requests)
        stored = server.admin("/v1/admin/conversations").json["total"]
        upstream.script(tokens=1)
        eventually(lambda: ask(server).status == 200, within_s=20)
        log = [line["event"] for line in server.log_lines() if "The model" in line["event"]]

    assert statuses == [502, 502, 503]
    assert paused.json["code"] == "model_paused"
    assert 1 <= int(paused.headers["Retry-After"]) <= 4
    assert (asked, stored) == (4, 2)  # each failure was asked twice, and nothing after
    assert log[0].startswith("The model failed 2 times in a row, the last time with")
    assert log[-1] == "The model answers again"
