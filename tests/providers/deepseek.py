"""DeepSeek: keeps the connection alive with comments, and ends for lack of resources."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from tests.providers.provider import Provider, Step, framed, response


class DeepSeek(Provider):
    """Thinks in ``reasoning_content``; says 400 for what it does not like to hear."""

    title = "DeepSeek"
    settings: ClassVar = {
        "OPENAI_BASE_URL": "https://api.deepseek.com/v1",
        "OPENAI_API_KEY": "sk-…",
        "OPENAI_MODEL": "deepseek-chat",
    }
    filters_as = "model_refused"
    thought = "reasoning_content"

    def error(self, status: int, message: str, **more: Any) -> bytes:
        error = {"message": message, "type": "invalid_request_error", "param": None}
        return response(status, {"error": {**error, "code": "invalid_request_error", **more}})

    def wrong_key(self) -> bytes:
        message = "Authentication Fails, Your api key: ****6789 is invalid"
        return self.error(401, message, type="authentication_error")

    def head(self) -> bytes:
        return super().head() + framed(b": keep-alive\n\n") * 3

    def fail(self, body: Mapping[str, Any]) -> Iterator[Step]:
        yield self.head()
        yield from self.events(body, ["Half an"])
        yield self.event(self.chunk({"content": ""}, "insufficient_system_resource"))
        yield self.done() + b"0\r\n\r\n"

    def filter(self, body: Mapping[str, Any]) -> Iterator[Step]:
        yield self.error(400, "Content Exists Risk")
