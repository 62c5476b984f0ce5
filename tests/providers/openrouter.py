"""OpenRouter: many providers behind one, so that errors come in the stream as well."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from tests.providers.provider import Provider, Step, framed, response


class OpenRouter(Provider):
    """Waits with comments; tells an error of the provider behind it in the stream."""

    title = "OpenRouter"
    settings: ClassVar = {
        "OPENAI_BASE_URL": "https://openrouter.ai/api/v1",
        "OPENAI_API_KEY": "sk-or-v1-…",
        "OPENAI_MODEL": "openai/gpt-6-luna",
        "OPENAI_EXTRA_BODY": '{"reasoning": {"effort": "none"}}',
    }
    filters_as = "model_refused"
    thought = "reasoning"

    def thinks(self, body: Mapping[str, Any]) -> bool:
        return bool(body.get("reasoning") != {"effort": "none"})

    def error(self, status: int, message: str, **more: Any) -> bytes:
        return response(status, {"error": {"message": message, "code": status, **more}})

    def wrong_key(self) -> bytes:
        return self.error(401, "User not found.")

    def head(self) -> bytes:
        return super().head() + framed(b": OPENROUTER PROCESSING\n\n") * 2

    def chunk(self, delta: Mapping[str, Any], reason: str | None = None) -> dict[str, Any]:
        chunk = {**super().chunk(delta, reason), "provider": "OpenAI"}
        chunk["choices"][0]["native_finish_reason"] = reason and "completed"
        return chunk

    def fail(self, body: Mapping[str, Any]) -> Iterator[Step]:
        yield self.head()
        yield from self.events(body, ["Half an"])
        error = {"code": 502, "message": "Provider disconnected unexpectedly"}
        yield self.event({**self.chunk({"content": ""}, "error"), "error": error})
        yield self.done() + b"0\r\n\r\n"

    def filter(self, body: Mapping[str, Any]) -> Iterator[Step]:
        flagged = {
            "reasons": ["violence"],
            "flagged_input": "Something…",
            "provider_name": "OpenAI",
        }
        message = "The model requires moderation on OpenAI. Your input was flagged"
        yield self.error(403, message, metadata=flagged)
