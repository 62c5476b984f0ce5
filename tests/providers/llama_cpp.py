"""llama.cpp's server: loads for a while, and its templates may know no system role."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from tests.providers.provider import Provider, Step, alternates, response


class LlamaCpp(Provider):
    """Runs a model whose template has no system role, as Gemma's has none."""

    title = "llama.cpp"
    settings: ClassVar = {
        "OPENAI_BASE_URL": "http://localhost:8080/v1",
        "OPENAI_MODEL": "gemma-3-4b",
    }
    takes = (
        "limit as max_tokens, no effort, streamed, usage asked for, "
        "instructions in the first question"
    )
    first_tries = 2

    def refuse(self, body: Mapping[str, Any]) -> bytes | None:
        if any(said["role"] == "system" for said in body["messages"]):
            return self.error(400, "System role not supported")
        if not alternates(body):
            return self.error(400, "Conversation roles must alternate user/assistant")
        return None

    def error(self, status: int, message: str, **more: Any) -> bytes:
        kind = "unavailable_error" if status == 503 else "invalid_request_error"
        return response(status, {"error": {"code": status, "message": message, "type": kind}})

    def events(self, body: Mapping[str, Any], words: Any) -> Iterator[Step]:
        yield self.event(self.chunk({"role": "assistant", "content": None}))
        for word in words:
            yield self.event(self.chunk({"content": word}))

    def chunk(self, delta: Mapping[str, Any], reason: str | None = None) -> dict[str, Any]:
        timings = {"timings": {"predicted_n": 4, "predicted_ms": 81.5}} if reason else {}
        return {**super().chunk(delta, reason), "system_fingerprint": "b6700", **timings}

    def fail(self, body: Mapping[str, Any]) -> Iterator[Step]:
        yield self.error(503, "Loading model")
