"""Anthropic, by its compatible address: ignores what it does not know."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from tests.providers.provider import Provider, Step, response


class Anthropic(Provider):
    """Writes its own shape of errors, and 529 where it is overloaded."""

    title = "Anthropic"
    settings: ClassVar = {
        "OPENAI_BASE_URL": "https://api.anthropic.com/v1",
        "OPENAI_API_KEY": "sk-ant-…",
        "OPENAI_MODEL": "claude-haiku-4-5",
    }

    def error(self, status: int, message: str, **more: Any) -> bytes:
        kind = {401: "authentication_error", 404: "not_found_error", 529: "overloaded_error"}
        error = {"type": kind.get(status, "invalid_request_error"), "message": message}
        return response(status, {"type": "error", "error": error, "request_id": "req_1"})

    def wrong_key(self) -> bytes:
        return self.error(401, "invalid x-api-key")

    def fail(self, body: Mapping[str, Any]) -> Iterator[Step]:
        yield self.error(529, "Overloaded")

    def filter(self, body: Mapping[str, Any]) -> Iterator[Step]:
        yield from self.stream(body, [], "refusal")
