"""Text Generation Inference: errors are a sentence and a kind."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from tests.providers.provider import Provider, Step, alternates, response


class TGI(Provider):
    """Serves one model, which it calls ``tgi``, and ends with the name of a token."""

    title = "Text Generation Inference"
    settings: ClassVar = {
        "OPENAI_BASE_URL": "http://localhost:3000/v1",
        "OPENAI_MODEL": "tgi",
    }
    fails_as = "model_rate_limited"

    def refuse(self, body: Mapping[str, Any]) -> bytes | None:
        if alternates(body):
            return None
        return self.error(
            422, "Template error: conversation roles must alternate", "template_error"
        )

    def error(self, status: int, message: str, kind: str = "validation", **more: Any) -> bytes:
        return response(status, {"error": message, "error_type": kind})

    def reason(self, kind: str) -> str:
        return {"stop": "eos_token"}.get(kind, kind)

    def fail(self, body: Mapping[str, Any]) -> Iterator[Step]:
        yield self.error(429, "Model is overloaded", "overloaded")
