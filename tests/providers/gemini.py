"""Gemini, by its compatible address: refuses names that it does not know, in a list."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from tests.providers.provider import Provider, Step, response

_KNOWN = {
    "model",
    "messages",
    "stream",
    "stream_options",
    "max_tokens",
    "max_completion_tokens",
    "reasoning_effort",
}
_STATUSES = {400: "INVALID_ARGUMENT", 404: "NOT_FOUND", 503: "UNAVAILABLE"}


class Gemini(Provider):
    """Thinks by default; its errors are lists of one."""

    title = "Google Gemini"
    settings: ClassVar = {
        "OPENAI_BASE_URL": "https://generativelanguage.googleapis.com/v1beta/openai",
        "OPENAI_API_KEY": "AIza…",
        "OPENAI_MODEL": "gemini-3.8-flash",
        "OPENAI_REASONING_EFFORT": "none",
    }
    takes = "limit as max_tokens, effort low, streamed, usage asked for, system role"
    first_tries = 2

    def models(self) -> Any:
        return {"object": "list", "data": [{"id": f"models/{self.model}", "object": "model"}]}

    def error(self, status: int, message: str, **more: Any) -> bytes:
        error = {"code": status, "message": message, "status": _STATUSES.get(status, ""), **more}
        return response(status, [{"error": error}])

    def wrong_key(self) -> bytes:
        detail = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
        return self.error(400, "API key not valid. Please pass a valid API key.", details=[detail])

    def refuse(self, body: Mapping[str, Any]) -> bytes | None:
        if unknown := sorted(set(body) - _KNOWN):
            message = (
                f'Invalid JSON payload received. Unknown name "{unknown[0]}": Cannot find field.'
            )
            return self.error(400, message)
        if body.get("reasoning_effort") in ("none", "minimal"):
            message = (
                f"The reasoning_effort '{body['reasoning_effort']}' is not supported by this "
                "model. Supported values: low, medium, high."
            )
            return self.error(400, message)
        return None

    def fail(self, body: Mapping[str, Any]) -> Iterator[Step]:
        yield self.error(503, "The model is overloaded. Please try again later.")
