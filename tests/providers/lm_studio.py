"""LM Studio: no key, thoughts in the text, and errors under a name of their own."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from tests.providers.provider import Provider, Request, Step, response


class LMStudio(Provider):
    """Answers 200 to what it does not know, and names the events of errors."""

    title = "LM Studio"
    settings: ClassVar = {
        "OPENAI_BASE_URL": "http://localhost:1234/v1",
        "OPENAI_MODEL": "qwen/qwen3-8b",
    }

    def respond(self, request: Request) -> Iterator[Step]:
        if not request.path.startswith("/v1/"):
            told = f"Unexpected endpoint or method. ({request.method} {request.path})"
            yield response(200, {"error": f"{told}. Returning 200 anyway"})
        else:
            yield from super().respond(request)

    def events(self, body: Mapping[str, Any], words: Any) -> Iterator[Step]:
        said = ["<th", "ink>The visitor", " is brief.</thi", "nk>\n\n"] if words else []
        yield from super().events(body, [*said, *words])

    def fail(self, body: Mapping[str, Any]) -> Iterator[Step]:
        yield self.head()
        yield from self.events(body, ["Half an"])
        message = "The model has crashed without additional information. (Exit code: 137)"
        yield self.event({"error": {"message": message}}, "error")
        yield b"0\r\n\r\n"
