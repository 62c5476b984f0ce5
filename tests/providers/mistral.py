"""Mistral: knows neither `max_completion_tokens` nor, for long, `stream_options`."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from tests.providers.provider import Provider, Step, alternates, response

_KNOWN = {"model", "messages", "stream", "max_tokens"}


class Mistral(Provider):
    """Thinks in parts of the content, and breaks off with ``error``."""

    title = "Mistral"
    settings: ClassVar = {
        "OPENAI_BASE_URL": "https://api.mistral.ai/v1",
        "OPENAI_API_KEY": "…",
        "OPENAI_MODEL": "mistral-small-latest",
    }
    takes = "limit as max_tokens, no effort, streamed, usage not asked for, system role"
    first_tries = 2

    def refuse(self, body: Mapping[str, Any]) -> bytes | None:
        if unknown := sorted(set(body) - _KNOWN):
            detail = {
                "type": "extra_forbidden",
                "loc": ["body", unknown[0]],
                "msg": "Extra inputs are not permitted",
            }
            return response(422, {"object": "error", "message": {"detail": [detail]}})
        if not alternates(body):
            return self.error(400, "Expected last role User or Tool but got another")
        return None

    def error(self, status: int, message: str, **more: Any) -> bytes:
        error = {"object": "error", "message": message, "type": "invalid_request", "code": "3230"}
        return response(status, {**error, **more})

    def wrong_key(self) -> bytes:
        return response(401, {"detail": "Unauthorized"})

    def events(self, body: Mapping[str, Any], words: Any) -> Iterator[Step]:
        yield self.event(self.chunk({"role": "assistant", "content": ""}))
        thought = {"type": "thinking", "thinking": [{"type": "text", "text": "A visitor."}]}
        yield self.event(self.chunk({"content": [thought]}))
        for word in words:
            yield self.event(self.chunk({"content": word}))

    def usage(self, body: Mapping[str, Any], count: int, reasoning: int = 0) -> Iterator[bytes]:
        yield from super().usage({"stream_options": {"include_usage": True}}, count, reasoning)

    def reason(self, kind: str) -> str:
        return {"length": "model_length"}.get(kind, kind)

    def fail(self, body: Mapping[str, Any]) -> Iterator[Step]:
        yield self.head()
        yield from self.events(body, ["Half an"])
        yield self.event(self.chunk({"content": ""}, "error"))
        yield self.done() + b"0\r\n\r\n"
