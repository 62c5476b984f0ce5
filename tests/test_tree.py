"""Rules about the tree of tests: it mirrors `app/`, and each test runs in a part of the suite."""

import ast
import re
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
APP = ROOT / "app"
LEAST_LINES = 40
# Modules without a test file of their name, and where their tests are.
ELSEWHERE = {
    "tests/cli/test_store.py starts it as a process": ["__main__.py"],
    "tests/cli/test_commands.py asks for each": ["cli/__init__.py"],
    "tests/live/test_stops.py and test_readers.py: two processes": [
        "bus/machines.py",
        "bus/relay.py",
    ],
    "tests/cli/test_conversations.py sees what they make": ["cli/filters.py", "cli/printing.py"],
    "tests/live/test_verify.py has a service for them": [
        "cli/verifying/steps.py",
        "cli/verifying/steps_of_knowledge.py",
        "cli/verifying/steps_of_people.py",
        "cli/verifying/verify.py",
        "cli/verifying/visit.py",
    ],
    "tests/completion/openai/test_events.py: parts of its reader": [
        "completion/openai/chunk_parts.py",
        "completion/openai/surrogates.py",
    ],
    "tests/completion/openai/test_model.py has one who keeps it": ["completion/protocol.py"],
    "tests/dashboard/test_pages.py: pages show them": [
        "dashboard/configuration.py",
        "dashboard/graphs.py",
    ],
    "tests/storage/test_every_field.py and others: values": [
        "domain/conversation.py",
        "domain/events.py",
    ],
    "tests/knowledge/vectors/test_sidecar.py starts it": ["knowledge/vectors/__main__.py"],
    "tests/test_rules.py holds each to its status, code and sentence": ["domain/errors.py"],
    "tests/conftest.py makes every application by it": ["factory/*.py"],
    "tests/knowledge/test_finding.py finds by them": [
        "knowledge/open_index.py",
        "knowledge/ranking.py",
        "knowledge/selection.py",
    ],
    "tests/knowledge/test_library.py finds over them": ["knowledge/connections.py"],
    "tests/knowledge/learner/crawling/test_crawl.py goes by it": [
        "knowledge/learner/crawling/plan.py"
    ],
    "tests/knowledge/learner/crawling/test_fetch.py asks for them": [
        "knowledge/learner/crawling/answer.py"
    ],
    "tests/knowledge/learner/pages/test_html.py sees what they leave": [
        "knowledge/learner/pages/head.py",
        "knowledge/learner/pages/hidden.py",
        "knowledge/learner/pages/outline.py",
    ],
    "tests/knowledge/learner/test_reading.py runs it": ["knowledge/learner/reading_child.py"],
    "tests/knowledge/learner/test_run.py over a store": ["knowledge/learner/settlement.py"],
    "tests/knowledge/learner/crawling/test_spool.py keeps them": [
        "knowledge/learner/pages/page.py"
    ],
    "tests/cli/knowledge/test_learn.py runs them": [
        "cli/knowledge/learning.py",
        "cli/knowledge/learning_progress.py",
    ],
    "tests/limits/test_estimate.py counts by it": ["limits/vocabulary.py"],
    "tests/live/test_log.py reads what gunicorn writes": ["observability/logs.py"],
    "tests/routes/test_admin.py asks for them": ["operations/statistics.py"],
    "tests/notifications/test_webhooks.py posts by them": [
        "notifications/endpoint.py",
        "notifications/payload.py",
    ],
    "tests/notifications/mails/test_owner_mail.py: what decides and says what is mailed": [
        "notifications/owner_rules.py",
        "notifications/owner_texts.py",
    ],
    "tests/notifications/test_sender.py: what its targets are told": ["notifications/facts.py"],
    "tests/operations/test_export.py writes them": ["operations/transcripts.py"],
    "tests/live/test_ai_sdk_clients.py: asked by their own clients": [
        "protocols/ai_sdk.py",
        "routes/front_ends.py",
    ],
    "tests/live/test_deep_chat.py: asked by its own component": ["protocols/deep_chat.py"],
    "tests/live/test_openai_clients.py: asked by their own clients": [
        "protocols/openai_*.py",
        "routes/openai.py",
    ],
    "tests/live/test_bad_requests.py sends the worst": ["server/bad_http.py", "server/incoming.py"],
    "tests/settings/test_loading.py reads their fields": [
        "settings/declaring.py",
        "settings/policies.py",
        "settings/values.py",
    ],
    "tests/operations/knowledge/test_learning.py starts one": ["operations/knowledge/commands.py"],
    "tests/routes/test_people.py asks and answers by them": [
        "operations/people.py",
        "routes/inbox.py",
    ],
    "tests/storage/test_store_contract.py: what any store must do": [
        "storage/protocol.py",
        "storage/*/*.py",
    ],
    "tests/storage/test_document_store_contract.py: what any store must do": [
        "domain/knowledge.py",
        "storage/document_store.py",
    ],
    "tests/storage/test_people_contract.py: what any store must do": [
        "domain/people.py",
        "storage/people_store.py",
    ],
    "tests/turns/test_turn.py asks by it": ["turns/asking.py"],
    "tests/web/test_bodies.py: there is no request without them": [
        "web/current_request.py",
        "web/services.py",
    ],
    "tests/dashboard/knowledge/test_documents.py and test_answers.py: pages name it": [
        "dashboard/knowledge/whose.py"
    ],
    "tests/routes/test_knowledge.py works on it": ["web/owned_knowledge.py"],
    "tests/dashboard/test_door.py: the door's": [
        "web/guards/dashboard.py",
        "web/guards/sign_in_tries.py",
    ],
    "tests/dashboard/knowledge/test_unanswered.py takes one": ["web/download.py"],
    "tests/routes/test_session.py comes to it with every token": ["web/guards/sessions.py"],
    "tests/routes/test_session.py and its siblings send and read them": ["web/schemas/*.py"],
}


def is_code(module: Path) -> bool:
    """Whether a module of some length defines anything."""
    text = module.read_text(encoding="utf-8")
    if len(text.splitlines()) < LEAST_LINES:
        return False
    nodes = ast.walk(ast.parse(text))
    return any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in nodes)


def test_each_module_has_tests_at_the_mirrored_place_or_a_reason() -> None:
    modules = [path.relative_to(APP) for path in APP.rglob("*.py")]
    untested = {
        str(module)
        for module in modules
        if not (ROOT / "tests" / module.with_name(f"test_{module.name}")).exists()
        and is_code(APP / module)
    }
    patterns = [each for row in ELSEWHERE.values() for each in row]

    assert [each for each in untested if not any(fnmatch(each, p) for p in patterns)] == []
    assert [p for p in patterns if not any(fnmatch(each, p) for each in untested)] == []


def test_each_reason_names_tests_that_are_there() -> None:
    named = [reason.split()[0].rstrip(":") for reason in ELSEWHERE]

    assert [each for each in named if not (ROOT / each).is_file()] == []


@pytest.mark.slow
def test_what_the_quick_run_does_not_look_into_is_run_with_the_rest() -> None:
    makefile = (ROOT / "Makefile").read_text()
    settings = dict(re.findall(r"^(UNIT|WITHOUT_UNITS) = (.+)$", makefile, re.MULTILINE))
    folders = [f"tests/{each}" for each in settings["WITHOUT_UNITS"].split()]

    collect = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-m", settings["UNIT"]]
    found = subprocess.run(
        [*collect, *folders], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert found.returncode == pytest.ExitCode.NO_TESTS_COLLECTED, found.stdout
