"""Together: ends with the name of a token."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from tests.providers.provider import Provider, Step, response


class Together(Provider):
    """Says ``eos`` where others say ``stop``, and each text twice."""

    title = "Together"
    settings: ClassVar = {
        "OPENAI_BASE_URL": "https://api.together.xyz/v1",
        "OPENAI_API_KEY": "…",
        "OPENAI_MODEL": "meta-llama/Llama-3.3-70B-Instruct-Turbo",
    }

    def models(self) -> Any:
        return [{"id": self.model, "object": "model", "type": "chat"}]

    def error(self, status: int, message: str, **more: Any) -> bytes:
        error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
        return response(status, {"id": "oCf", "error": {**error, **more}})

    def chunk(self, delta: Mapping[str, Any], reason: str | None = None) -> dict[str, Any]:
        chunk = super().chunk({"token_id": 128, "role": "assistant", **delta}, reason)
        chunk["choices"][0] |= {"text": delta.get("content", ""), "logprobs": None, "seed": 7}
        return chunk

    def reason(self, kind: str) -> str:
        return {"stop": "eos"}.get(kind, kind)

    def fail(self, body: Mapping[str, Any]) -> Iterator[Step]:
        message = "The server is overloaded or not ready yet."
        yield self.error(503, message, type="service_unavailable", code="service_unavailable")
