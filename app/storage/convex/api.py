"""Convex's HTTP API: one call is one request, repeated where that is safe."""

import logging
import secrets
import time
from dataclasses import dataclass
from typing import Any

import convex
import orjson
from convex import ConvexError

from app.domain.errors import InvalidRequest
from app.http_client import HttpClient, HttpConnectFailed, HttpFailure, Response
from app.http_client.proxies import Proxies
from app.storage.convex import trouble
from app.storage.convex.trouble import ConvexBusy, ConvexTrouble

# Convex is busy in bursts: the tries of many turns are spread over a moment.
_RETRY_AFTER_S = 0.05
_RETRY_JITTER_MS = 200
_RETRY_AFTER_AT_MOST_S = 0.5

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a function returned; ``repeated`` after a try that may have been applied too."""

    value: Any
    repeated: bool = False


class ConvexApi:
    """Calls to one deployment's functions, all of which may be repeated.

    No call takes longer than ``timeout_s``, and no single try longer than
    half of it.
    """

    def __init__(
        self,
        url: str,
        deploy_key: str,
        *,
        timeout_s: float,
        connect_timeout_s: float,
        proxies: Proxies,
    ) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._client = HttpClient(
            url,
            connect_timeout_s=connect_timeout_s,
            read_timeout_s=timeout_s / 2,
            proxies=proxies,
            headers=(
                ("Authorization", f"Convex {deploy_key}"),
                ("Convex-Client", f"python-{convex.__version__}"),
                ("Content-Type", "application/json"),
            ),
        )

    def query(self, path: str, args: dict[str, Any]) -> Any:
        """Run a query and return its value, in which every number is a ``float``.

        Raises:
            ConvexError: the function threw one; its ``data`` says what.
            ConvexTrouble: there is no value.
            InvalidRequest: ``args`` hold text that is no valid Unicode.
        """
        return self._call("/api/query", path, args).value

    def read(self, path: str, args: dict[str, Any]) -> Any:
        """Run a query that may take a cursor from outside.

        Raises:
            InvalidRequest: the cursor is not one of ours.
            ConvexTrouble: there is no value.
        """
        try:
            return self.query(path, args)
        except ConvexError as error:
            if error.data == {"code": "invalid_cursor"}:
                raise InvalidRequest(
                    "Invalid query parameters", details={"cursor": ["Not a valid cursor."]}
                ) from error
            raise trouble.failed(path, repr(error.data)) from error

    def mutation(self, path: str, args: dict[str, Any]) -> Reply:
        """Run a mutation, which must bear being applied twice; else as ``query``."""
        return self._call("/api/mutation", path, args)

    def close(self) -> None:
        """Close the idle connections."""
        self._client.close()

    def _call(self, endpoint: str, path: str, args: dict[str, Any]) -> Reply:
        body = _encode(path, args)
        deadline = time.monotonic() + self._timeout_s
        wait_s, uncertain = _RETRY_AFTER_S, False
        while True:
            try:
                reply = self._try(endpoint, path, body, deadline)
                return Reply(reply.value, repeated=True) if uncertain else reply
            except ConvexTrouble as failure:
                left_s = deadline - time.monotonic()
                spread_s = secrets.randbelow(_RETRY_JITTER_MS) / 1000
                pause_s = min(wait_s + spread_s, _RETRY_AFTER_AT_MOST_S, left_s / 2)
                if left_s < _RETRY_AFTER_AT_MOST_S or not isinstance(failure, ConvexBusy):
                    _log.warning("%s: %s", path, failure.reason)
                    raise
                uncertain = uncertain or failure.uncertain
                wait_s *= 2
            time.sleep(pause_s)

    def _try(self, endpoint: str, path: str, body: bytes, deadline: float) -> Reply:
        try:
            response = self._client.request(
                "POST", endpoint, body=body, deadline_s=deadline - time.monotonic()
            )
        except HttpConnectFailed as error:
            raise trouble.unreachable(self._url, error) from error
        except HttpFailure as error:
            raise trouble.unreachable(self._url, error, uncertain=True) from error
        return Reply(_value(path, response), repeated=response.resent)


def _encode(path: str, args: dict[str, Any]) -> bytes:
    # convex_to_json is left out, as json_to_convex is below: of our arguments
    # it would only make floats of ints, which are one number to JavaScript.
    call = {"path": path, "format": "convex_encoded_json", "args": args}
    try:
        return orjson.dumps(call)
    except TypeError as error:  # half of a surrogate pair
        raise InvalidRequest from error


def _value(path: str, response: Response) -> Any:
    """Return the function's value, or raise what the response means."""
    try:
        # json_to_convex is left out: of what it converts, our functions
        # return nothing, and it costs five times the parsing.
        answer = orjson.loads(response.body)
        status = answer.get("status")
    except (ValueError, AttributeError):
        raise _refusal(response.status, {}) from None
    if status == "success":
        return answer.get("value")
    if status != "error":
        raise _refusal(response.status, answer)
    if "errorData" in answer:
        raise ConvexError("the function refused", answer["errorData"])
    raise trouble.failed(path, str(answer.get("errorMessage")))


def _refusal(status: int, answer: dict[str, Any]) -> ConvexTrouble:
    code = str(answer.get("code", "no code"))
    if status == 429 or code == "OptimisticConcurrencyControlFailure":
        return trouble.overloaded(status, code)
    if status in (401, 403):
        return trouble.refused(status, code)
    if 400 <= status < 500:
        return trouble.malformed(status, code)
    return trouble.broken(status)
