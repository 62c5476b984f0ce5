"""Azure OpenAI, by its v1 address: the model is the name of a deployment."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from tests.providers.openai import OpenAI
from tests.providers.provider import Step, framed, response


class Azure(OpenAI):
    """Speaks as OpenAI does, with a filter before and beside the model."""

    title = "Azure OpenAI"
    settings: ClassVar = {
        "OPENAI_BASE_URL": "https://my-resource.openai.azure.com/openai/v1",
        "OPENAI_API_KEY": "…",
        "OPENAI_MODEL": "my-deployment",
        "OPENAI_REASONING_EFFORT": "none",
    }
    filters_as = "model_refused"
    first_tries = 2

    def wrong_key(self) -> bytes:
        message = "Access denied due to invalid subscription key or wrong API endpoint."
        return response(401, {"error": {"code": "401", "message": message}})

    def head(self) -> bytes:
        results = [{"prompt_index": 0, "content_filter_results": {}}]
        first = {**self.chunk({}), "choices": [], "prompt_filter_results": results}
        return super().head() + self.event(first) + framed(b": keep-alive\n\n")

    def filter(self, body: Mapping[str, Any]) -> Iterator[Step]:
        inner = {
            "code": "ResponsibleAIPolicyViolation",
            "content_filter_result": {"violence": {"filtered": True, "severity": "medium"}},
        }
        message = "The response was filtered due to the prompt triggering Azure OpenAI's policy."
        error = {"message": message, "type": None, "param": "prompt", "code": "content_filter"}
        yield response(400, {"error": {**error, "status": 400, "innererror": inner}})
