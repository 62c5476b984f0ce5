"""Cloudflare Workers AI: a token that looks like a number comes as one."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from tests.providers.provider import Provider, Step, response


class Cloudflare(Provider):
    """Sends numbers without quotes; wraps its errors in a list of the account's API."""

    title = "Cloudflare Workers AI"
    settings: ClassVar = {
        "OPENAI_BASE_URL": "https://api.cloudflare.com/client/v4/accounts/my-account/ai/v1",
        "OPENAI_API_KEY": "…",
        "OPENAI_MODEL": "@cf/meta/llama-3.3-70b-instruct-fp8-fast",
    }
    fails_as = "model_rate_limited"

    def error(self, status: int, message: str, **more: Any) -> bytes:
        error = {"message": message, "code": 7000, **more}
        return response(status, {"success": False, "errors": [error], "result": {}})

    def wrong_key(self) -> bytes:
        return self.error(401, "Authentication error", code=10000)

    def chunk(self, delta: Mapping[str, Any], reason: str | None = None) -> dict[str, Any]:
        content = delta.get("content", "")
        if isinstance(content, str) and content.strip().isdigit():
            delta = {**delta, "content": json.loads(content)}
        return super().chunk(delta, reason)

    def fail(self, body: Mapping[str, Any]) -> Iterator[Step]:
        yield self.error(429, "you have used up your daily free allocation of neurons", code=4006)
