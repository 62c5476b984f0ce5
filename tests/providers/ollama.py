"""Ollama: no key, and a model that may have to be loaded first."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from tests.providers.provider import Provider, Step, response


class Ollama(Provider):
    """Thinks in ``reasoning`` where the model can, unless the effort is ``none``."""

    title = "Ollama"
    settings: ClassVar = {
        "OPENAI_BASE_URL": "http://localhost:11434/v1",
        "OPENAI_MODEL": "qwen3:8b",
        "OPENAI_REASONING_EFFORT": "none",
    }
    takes = "limit as max_tokens, effort none, streamed, usage asked for, system role"
    thought = "reasoning"

    def error(self, status: int, message: str, **more: Any) -> bytes:
        error = {"message": message, "type": "api_error", "param": None, "code": None}
        return response(status, {"error": {**error, **more}})

    def fail(self, body: Mapping[str, Any]) -> Iterator[Step]:
        yield self.error(500, "llama runner process has terminated: signal: killed")

    def filter(self, body: Mapping[str, Any]) -> Iterator[Step]:
        yield from self.stream(body, [], "content_filter")
