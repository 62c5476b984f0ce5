"""``learn``: a real site on this machine, read by the real child, into a real store."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from flask.testing import FlaskCliRunner

from app.factory import Parts, create_app
from app.storage.sqlite import SqliteStore
from tests.cli.running import run
from tests.data import some_settings
from tests.knowledge.learner.documents_made import a_docx, a_pdf
from tests.knowledge.learner.site import a_page, send, serving, words_of

pytestmark = pytest.mark.slow

LINKS = ("/hours", "/price.pdf", "/logo", "/lost")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "chat.db")
    store.ping()
    yield store
    store.close()


def paths_below(directory: Path) -> dict[str, str]:
    return {
        "SQLITE_PATH": str(directory / "chat.db"),
        "KNOWLEDGE_PATH": str(directory / "knowledge"),
    }


def a_runner(store: SqliteStore, tmp_path: Path, **variables: str) -> FlaskCliRunner:
    settings = some_settings(**paths_below(tmp_path) | variables)
    return create_app(settings, Parts(store=store)).test_cli_runner()


@pytest.fixture
def runner(store: SqliteStore, tmp_path: Path) -> FlaskCliRunner:
    return a_runner(store, tmp_path)


@pytest.fixture
def site() -> Iterator[str]:
    pages = {
        "/": a_page("Shop", words_of("us"), links=LINKS).encode(),
        "/hours": b"<h1>Hours</h1><h2 id=sunday>Sunday</h2><p>" + words_of("Sunday").encode(),
        "/price.pdf": a_pdf([words_of("prices")], title="Prices"),
        "/logo": b"\x89PNG",
    }  # fmt: skip
    types = {"/price.pdf": "application/pdf", "/logo": "image/png"}

    def handle(request: BaseHTTPRequestHandler) -> None:
        body = pages.get(request.path)
        if body is None:
            send(request, b"gone", 404)
        else:
            send(request, body, Content_Type=types.get(request.path, "text/html"))

    with serving(handle) as port:
        yield f"http://127.0.0.1:{port}"


def keys(store: SqliteStore) -> list[str]:
    return [each.key for each in store.documents.list_documents("default", limit=99).documents]


def test_site_is_learnt_listed_refreshed_and_forgotten(
    site: str, store: SqliteStore, runner: FlaskCliRunner
) -> None:
    learnt = run(runner, "learn", site).stdout
    again = run(runner, "learn", "--refresh").stdout
    listed = run(runner, "learn", "--list").stdout
    reported = run(runner, "learn", "--report").stdout
    run(runner, "learn", "--forget", f"{site}/hours")
    run(runner, "learn", "--forget", f"{site}/none", code=1)

    assert "Done: 2 skipped, 3 learned" in learnt
    assert "not a type that is learnt: image/png" in learnt
    assert "Scope: 127.0.0.1 below /" in learnt
    assert "Done: 2 skipped, 3 unchanged" in again
    assert f"{site}/price.pdf" in listed
    assert "the server answers 404" in reported
    assert keys(store) == [f"{site}/", f"{site}/price.pdf"]


def test_section_has_its_anchor(site: str, store: SqliteStore, runner: FlaskCliRunner) -> None:
    run(runner, "learn", site)

    found = store.documents.read_document("default", f"{site}/hours")
    assert found is not None
    assert found.sections == (("Sunday", words_of("Sunday"), "sunday"),)


def test_site_of_the_settings_is_learnt_without_naming_it(
    site: str, store: SqliteStore, tmp_path: Path
) -> None:
    run(a_runner(store, tmp_path, SITE_URL=site), "learn", "--not", "/h*", "--max-pages", "5")

    assert keys(store) == [f"{site}/", f"{site}/price.pdf"]


def test_files_and_folders_are_learnt(
    tmp_path: Path, store: SqliteStore, runner: FlaskCliRunner
) -> None:
    folder = tmp_path / "docs"
    (folder / "sub").mkdir(parents=True)
    (folder / ".git").mkdir()
    (folder / "a.md").write_text(f"# A\n\n{words_of('a')}")
    (folder / "sub" / "b.docx").write_bytes(a_docx([("Heading1", "B"), (None, words_of("b"))]))
    (folder / ".git" / "c.md").write_text("hidden")
    (folder / "d.exe").write_bytes(b"MZ")
    (tmp_path / "faq.csv").write_text(f"question,answer\nWhen?,{words_of('time')}\n")

    run(runner, "learn", str(folder), str(tmp_path / "faq.csv"))

    assert keys(store) == ["file:a.md", "file:faq.csv", "file:sub/b.docx"]


def test_text_is_learnt_by_its_title(store: SqliteStore, runner: FlaskCliRunner) -> None:
    run(runner, "learn", "--text", "Nine to five.", "--title", "Hours")
    run(runner, "learn", "--text", "Nine to six.", "--title", " hours ")
    run(runner, "learn", "--text", "Nine to six.", code=2)

    (key,) = keys(store)
    document = store.documents.read_document("default", key)
    assert document is not None
    assert (document.title, document.sections) == ("hours", (("", "Nine to six.", None),))


def test_text_is_kept_as_the_dashboard_keeps_it(store: SqliteStore, runner: FlaskCliRunner) -> None:
    run(runner, "learn", "--text", "All week.\n# Sunday\nClosed.", "--title", "Hours")
    result = run(runner, "learn", "--text", "x" * 100_001, "--title", "Long", code=1)

    (key,) = keys(store)
    document = store.documents.read_document("default", key)
    assert document is not None
    assert [each.heading for each in document.sections] == ["", "Sunday"]
    assert "The text is too long" in result.output


def test_dry_run_stores_nothing(site: str, store: SqliteStore, runner: FlaskCliRunner) -> None:
    assert "Would be: 2 skipped, 3 learned" in run(runner, "learn", site, "--dry-run").stdout
    assert keys(store) == []


def test_nothing_that_could_be_learnt_is_a_failure(runner: FlaskCliRunner) -> None:
    result = run(runner, "learn", "http://127.0.0.1:9/", code=1)

    assert "Connection refused" in result.stdout


def test_second_learner_is_refused(site: str, store: SqliteStore, runner: FlaskCliRunner) -> None:
    store.begin_job("learn:default", "another", lease_s=60, every_s=0)

    assert "already" in run(runner, "learn", site, code=1).output


@pytest.mark.parametrize(
    "words",
    [[], ["no-such-file"], ["ftp://a/"], ["http://a:b@c/"], ["x", "--assistant", "nobody"]],
)
def test_what_cannot_be_learnt_is_said(runner: FlaskCliRunner, words: list[str]) -> None:
    run(runner, "learn", *words, code=2)


def test_report_is_json_that_the_dashboard_reads(
    site: str, store: SqliteStore, runner: FlaskCliRunner
) -> None:
    run(runner, "learn", site)

    found = json.loads(store.documents.read_report("default") or "")
    assert found["state"] == "done"
    assert found["counts"] == {"skipped": 2, "learned": 3}
    assert {each["state"] for each in found["entries"]} == {"learned", "skipped"}


def test_index_that_cannot_be_written_is_told_without_a_traceback(
    site: str, store: SqliteStore, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    runner = a_runner(store, tmp_path, KNOWLEDGE_PATH=str(tmp_path / "file" / "knowledge"))

    learnt = run(runner, "learn", site, code=1)
    built = run(runner, "learn", "--build", code=1)

    assert "cannot be written: Not a directory" in learnt.stdout
    assert "Failed: 2 skipped, 3 learned" in learnt.stdout
    assert built.stderr.splitlines()[-1].startswith("Error: The index in ")


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_it_and_keeps_what_was_learnt(
    tmp_path: Path, store: SqliteStore, sent: signal.Signals
) -> None:
    is_asked, may_answer = threading.Event(), threading.Event()

    def handle(request: BaseHTTPRequestHandler) -> None:
        if request.path == "/2":
            is_asked.set()
            may_answer.wait(20)
        links = tuple(f"/{n}" for n in range(9))
        send(request, a_page(request.path, words_of(request.path), links=links).encode())

    with serving(handle) as port:
        learner = a_learner(tmp_path, f"http://127.0.0.1:{port}/")
        assert is_asked.wait(30)
        learner.send_signal(sent)
        assert learner.stderr is not None
        assert any("what was learnt is kept" in line for line in learner.stderr)
        may_answer.set()
        said = learner.communicate(timeout=30)[0]

    assert learner.returncode == 0
    assert "Stopped: " in said
    assert {f"http://127.0.0.1:{port}/{path}" for path in ("", "0", "1", "2")} <= set(keys(store))
    assert len(keys(store)) < 10


def test_killed_learner_leaves_what_was_known_and_another_goes_on_when_its_lease_is_over(
    tmp_path: Path, store: SqliteStore, site: str, runner: FlaskCliRunner
) -> None:
    run(runner, "learn", site)
    is_asked = threading.Event()

    def handle(request: BaseHTTPRequestHandler) -> None:
        is_asked.set()
        threading.Event().wait(20)

    with serving(handle) as port:
        learner = a_learner(tmp_path, f"http://127.0.0.1:{port}/")
        assert is_asked.wait(30)
        learner.kill()
        learner.communicate()

    assert len(keys(store)) == 3
    assert "already" in run(runner, "learn", site, code=1).output


def a_learner(tmp_path: Path, url: str) -> "subprocess.Popen[str]":
    variables = {"APP_ENV": "development", **paths_below(tmp_path)}
    return subprocess.Popen(
        [sys.executable, "-m", "app", "learn", url],
        env={"PATH": os.environ["PATH"], "PERCH_ENV_FILE": os.devnull, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
