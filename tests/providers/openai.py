"""OpenAI: gpt-6-luna, which thinks unless it is told not to."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from tests.providers.provider import Provider, Step, response

OLD_MODEL, SWITCHED_OFF = "gpt-4.1-mini", date(2027, 1, 14)
_EFFORTS = ("none", "low", "medium", "high", "xhigh")
_KNOWN = {
    "model",
    "messages",
    "stream",
    "stream_options",
    "max_completion_tokens",
    "reasoning_effort",
}


class OpenAI(Provider):
    """Thinks at ``medium`` where nothing is said: then all of a small limit goes on thoughts."""

    title = "OpenAI"
    settings: Mapping[str, str] = {"OPENAI_API_KEY": "sk-…"}
    takes = "limit as max_completion_tokens, effort none, streamed, usage asked for, system role"

    def __init__(self, today: date = date(2026, 11, 25)) -> None:
        self.has_old = today < SWITCHED_OFF

    def models(self) -> Any:
        old = {"id": OLD_MODEL, "object": "model", "shutdown_date": SWITCHED_OFF.isoformat()}
        new = {"id": self.model, "object": "model"}
        return {"object": "list", "data": [old, new] if self.has_old else [new]}

    def refuse(self, body: Mapping[str, Any]) -> bytes | None:
        is_old = body["model"] == OLD_MODEL and self.has_old
        if body["model"] != self.model and not is_old:
            message = f"The model `{body['model']}` has been deprecated"
            return self.error(404, message, code="model_not_found")
        if "max_tokens" in body:
            return self.unsupported(
                "max_tokens",
                "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
                "'max_completion_tokens' instead.",
            )
        if unknown := sorted(set(body) - _KNOWN):
            return self.error(400, f"Unrecognized request argument supplied: {unknown[0]}")
        effort = body.get("reasoning_effort", "medium")
        if is_old and "reasoning_effort" in body:
            return self.unsupported(
                "reasoning_effort",
                "Unsupported parameter: 'reasoning_effort' is not supported with this model.",
            )
        if effort not in _EFFORTS:
            return self.unsupported(
                "reasoning_effort",
                f"Unsupported value: 'reasoning_effort' does not support '{effort}' with this "
                "model. Supported values are: 'none', 'low', 'medium', 'high', and 'xhigh'.",
                "unsupported_value",
            )
        return None

    def unsupported(self, param: str, message: str, code: str = "unsupported_parameter") -> bytes:
        return self.error(400, message, param=param, code=code)

    def error(self, status: int, message: str, **more: Any) -> bytes:
        kind = "invalid_request_error" if status < 500 else "server_error"
        error = {"message": message, "type": kind, "param": None, "code": None, **more}
        return response(status, {"error": error})

    def answer(self, body: Mapping[str, Any]) -> Iterator[Step]:
        limit = body.get("max_completion_tokens", 100_000)
        if self.is_silent(body) and limit < 1000:
            yield self.head()
            yield self.event(self.chunk({"role": "assistant", "content": "", "refusal": None}))
            yield self.event(self.chunk({}, "length"))
            yield from self.usage(body, 0, limit)
            yield self.done() + b"0\r\n\r\n"
        else:
            yield from super().answer(body)

    def is_silent(self, body: Mapping[str, Any]) -> bool:
        effort = body.get("reasoning_effort", "medium")
        return body["model"] != OLD_MODEL and effort != "none"

    def chunk(self, delta: Mapping[str, Any], reason: str | None = None) -> dict[str, Any]:
        more = {"service_tier": "default", "obfuscation": "x9Kd0", "usage": None}
        return {**super().chunk(delta, reason), **more}

    def filter(self, body: Mapping[str, Any]) -> Iterator[Step]:
        yield self.head()
        yield self.event(self.chunk({"role": "assistant", "content": "", "refusal": None}))
        for word in ("I can't", " help", " with that."):
            yield self.event(self.chunk({"refusal": word}))
        yield self.event(self.chunk({}, "stop"))
        yield from self.usage(body, 3)
        yield self.done() + b"0\r\n\r\n"
