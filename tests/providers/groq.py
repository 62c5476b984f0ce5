"""Groq: small limits a minute, told with 413 or 429, and usage in a place of its own."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from tests.providers.provider import Provider, Step, usage


class Groq(Provider):
    """Tells a request that is larger than a minute's tokens as 413."""

    title = "Groq"
    settings: ClassVar = {
        "OPENAI_BASE_URL": "https://api.groq.com/openai/v1",
        "OPENAI_API_KEY": "gsk_…",
        "OPENAI_MODEL": "llama-3.3-70b-versatile",
    }
    fails_as = "model_rate_limited"
    thought = "reasoning"

    def chunk(self, delta: Mapping[str, Any], reason: str | None = None) -> dict[str, Any]:
        told = {"id": "req_1", **({"usage": usage(4)} if reason else {})}
        return {**super().chunk(delta, reason), "x_groq": told}

    def fail(self, body: Mapping[str, Any]) -> Iterator[Step]:
        message = (
            "Request too large for model `llama-3.3-70b-versatile` on tokens per minute (TPM): "
            "Limit 6000, Requested 9000, please reduce your message size and try again."
        )
        yield self.error(413, message, type="tokens", code="rate_limit_exceeded")
