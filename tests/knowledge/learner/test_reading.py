"""The process that reads: what a bad file does to it, and what it does not do to us."""

import sys
from collections.abc import Sequence

import pytest

from app.knowledge.learner.pages.page import Unreadable
from app.knowledge.learner.reading import Reading

pytestmark = pytest.mark.slow

# A child that does what it was told to by the bytes it is to read.
_PUPPET = """
import os, sys, time
from app.knowledge.learner import reading_child as child
def answer(asked, body, known=child._answer):
    if body == b"crash": os.kill(os.getpid(), 11)
    if body == b"hang": time.sleep(60)
    if body == b"lie": sys.stdout.buffer.write(b"x" * 100); sys.stdout.flush(); os._exit(0)
    if body == b"memory": bytearray(1 << 40)
    if body == b"env": return {"error": " ".join(sorted(os.environ))}
    return known(asked, body)
def guarded(asked, body):
    try: return answer(asked, body)
    except MemoryError: return {"error": "reading it takes too much memory"}
child._answer = guarded
child.main()
"""


def a_puppet(timeout_s: float = 20) -> Reading:
    command: Sequence[str] = (sys.executable, "-c", _PUPPET)
    return Reading(command=command, timeout_s=timeout_s)


def test_pages_are_read_one_after_the_other() -> None:
    with Reading() as reading:
        page = reading.read(b"<h1>Gr\xf6\xdfe</h1><p>Text</p>", "html", "a.html", "latin-1")
        with pytest.raises(Unreadable, match="said to be a PDF"):
            reading.read(b"no PDF", "pdf", "a.pdf")
        again = reading.read(b"# Title\n\nText", "markdown", "a.md")

    assert (page.title, again.title) == ("Größe", "Title")
    assert again.parts[0].blocks[0].text == "Text"


@pytest.mark.parametrize("deed", [b"crash", b"lie"])
def test_crash_costs_one_page(deed: bytes) -> None:
    with a_puppet() as reading:
        with pytest.raises(Unreadable, match="ended its process"):
            reading.read(deed, "text", "a.txt")

        assert reading.read(b"Text", "text", "a.txt").title == "a.txt"


def test_page_that_takes_for_ever_is_left() -> None:
    with a_puppet(timeout_s=2) as reading:
        assert reading.read(b"Text", "text", "a.txt").title == "a.txt"
        with pytest.raises(Unreadable, match="longer than 2 s"):
            reading.read(b"hang", "text", "a.txt")

        assert reading.read(b"Text", "text", "a.txt").title == "a.txt"


def test_page_that_takes_too_much_memory_is_left() -> None:
    with a_puppet() as reading:
        with pytest.raises(Unreadable, match="memory"):
            reading.read(b"memory", "text", "a.txt")

        assert reading.read(b"Text", "text", "a.txt").title == "a.txt"


def test_child_has_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    with a_puppet() as reading, pytest.raises(Unreadable) as raised:
        reading.read(b"env", "text", "a.txt")

    told = set(str(raised.value).split())
    # Where Sentry is at work in this process, it tells each child of its trace.
    of_sentry = {"SUBPROCESS_SENTRY_TRACE", "SUBPROCESS_BAGGAGE"}
    assert told - of_sentry <= {"PATH", "PYTHONPATH", "PYTHONUTF8", "LC_CTYPE"}


def test_answer_to_another_question_is_never_taken() -> None:
    with a_puppet(timeout_s=2) as reading:
        with pytest.raises(Unreadable):
            reading.read(b"hang", "text", "first.txt")

        assert reading.read(b"Text", "text", "second.txt").title == "second.txt"
