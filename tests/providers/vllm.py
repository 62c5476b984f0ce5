"""vLLM: strict chat templates, and thoughts in `reasoning`."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from tests.providers.provider import Provider, Step, alternates, response


class VLLM(Provider):
    """Takes any key, and refuses what the model's own template does not take."""

    title = "vLLM"
    settings: ClassVar = {
        "OPENAI_BASE_URL": "http://localhost:8000/v1",
        "OPENAI_MODEL": "Qwen/Qwen3-8B",
        "OPENAI_EXTRA_BODY": '{"chat_template_kwargs": {"enable_thinking": false}}',
    }
    fails_as = "model_refused"
    thought = "reasoning"

    def thinks(self, body: Mapping[str, Any]) -> bool:
        return bool(body.get("chat_template_kwargs", {}).get("enable_thinking", True))

    def refuse(self, body: Mapping[str, Any]) -> bytes | None:
        if alternates(body):
            return None
        return self.error(
            400, "Conversation roles must alternate user/assistant/user/assistant/..."
        )

    def error(self, status: int, message: str, **more: Any) -> bytes:
        error = {"message": message, "type": "BadRequestError", "param": None, "code": status}
        return response(status, {"error": error})

    def chunk(self, delta: Mapping[str, Any], reason: str | None = None) -> dict[str, Any]:
        chunk = super().chunk(delta, reason)
        chunk["choices"][0] |= {"logprobs": None, "stop_reason": None, "token_ids": None}
        return chunk

    def fail(self, body: Mapping[str, Any]) -> Iterator[Step]:
        message = (
            "This model's maximum context length is 4096 tokens. However, you requested 4900 "
            "tokens (4100 in the messages, 800 in the completion)."
        )
        yield self.error(400, message)
