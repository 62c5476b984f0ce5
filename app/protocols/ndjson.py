"""The original's protocol: a JSON object a line (newline-delimited JSON)."""

from collections.abc import Mapping, Sequence
from json.encoder import encode_basestring, encode_basestring_ascii

from app.domain.events import SourcesFound, TurnDone, TurnFailed, TurnStarted
from app.protocols.protocol import Problem, problem_body
from app.protocols.sse import to_json
from app.web.schemas.chat import (
    ChatSchema,
    DoneLineSchema,
    ErrorLineSchema,
    ProblemSchema,
    SourcesLineSchema,
    StartLineSchema,
    TokenLineSchema,
)


class Ndjson:
    """Encodes each event as a line; it holds no state, so one encodes all answers."""

    name = "ndjson"
    media_type = "application/x-ndjson"
    headers: Mapping[str, str] = {}
    request = ChatSchema
    failure = ProblemSchema
    events = (
        StartLineSchema,
        SourcesLineSchema,
        TokenLineSchema,
        DoneLineSchema,
        ErrorLineSchema,
    )
    # Clients of the original skip empty lines.
    heartbeat = b"\n"

    def encoder(self) -> "Ndjson":
        """Return the encoder of an answer."""
        return self

    def problem(self, problem: Problem) -> Mapping[str, object]:
        """Return a failure in the service's own shape."""
        return problem_body(problem)

    def started(self, event: TurnStarted) -> bytes:
        """Return the first line."""
        return _line(
            {
                "type": "start",
                "conversationId": event.conversation_id,
                "turnId": event.turn_id,
            }
        )

    def sources(self, event: SourcesFound) -> bytes:
        """Return the line by which a client makes links of numbers as they come."""
        return _line({"type": "sources", "sources": [each.as_fields() for each in event.sources]})

    def tokens(self, tokens: Sequence[str]) -> bytes:
        """Return a line for each token.

        Runs for every token of every stream: it escapes with the C function
        under ``json.dumps`` and builds the rest of the line itself.
        """
        try:
            if len(tokens) == 1:  # most reads bring one
                return f'{{"type":"token","token":{encode_basestring(tokens[0])}}}\n'.encode()
            return "".join(
                [f'{{"type":"token","token":{encode_basestring(token)}}}\n' for token in tokens]
            ).encode()
        except UnicodeEncodeError:  # half of a surrogate pair: legal in JSON only when escaped
            return "".join(
                [
                    f'{{"type":"token","token":{encode_basestring_ascii(token)}}}\n'
                    for token in tokens
                ]
            ).encode()

    def done(self, event: TurnDone) -> bytes:
        """Return the last line of an answer that is stored."""
        fields: dict[str, object] = {
            "type": "done",
            "message": event.message,
            "conversationId": event.conversation_id,
            "turnId": event.turn_id,
        }
        if event.message_id:
            fields["messageId"] = event.message_id
        if event.finish_reason:
            fields["finishReason"] = event.finish_reason
        if event.sources is not None:
            fields["sources"] = [each.as_fields() for each in event.sources]
        if event.answered_by:
            fields["answeredBy"] = event.answered_by
        return _line(fields)

    def failed(self, event: TurnFailed) -> bytes:
        """Return the last line of an answer that broke off."""
        error = event.error
        fields: dict[str, object] = {"type": "error", "error": str(error), "code": error.code}
        if error.retryable:
            fields["retryable"] = True
        if error.retry_after_s is not None:
            fields["retryAfter"] = error.retry_after_s
        return _line(fields)


NDJSON = Ndjson()


def _line(fields: dict[str, object]) -> bytes:
    return to_json(fields) + b"\n"
