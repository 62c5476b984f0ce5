"""A visit to a running service over HTTP, for ``verify``."""

import http.client
import json
import ssl
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

_TIMEOUT_S = 60.0
_SHOWN_CHARS = 160


class Failed(Exception):
    """The service did not do what it should; the text says what it did instead."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer; ``first_ms`` is when the first byte of its body came."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    first_ms: int

    def expect(self, *statuses: int) -> "Reply":
        """Return this answer if its status is one of these.

        Raises:
            Failed: it is another one.
        """
        if self.status not in statuses:
            said = self.body.decode("utf-8", "replace")[:_SHOWN_CHARS].strip()
            raise Failed(f"answered {self.status}: {said}")
        return self

    def json(self) -> Any:
        """Return the body's value.

        Raises:
            Failed: it is no JSON.
        """
        try:
            return json.loads(self.body)
        except ValueError:
            raise Failed("answered something that is no JSON") from None

    def events(self) -> list[dict[str, Any]]:
        """Return the lines of a stream, heartbeats left out.

        Raises:
            Failed: a line is no JSON, or the stream does not end as it should.
        """
        try:
            events = [json.loads(line) for line in self.body.splitlines() if line.strip()]
        except ValueError:
            raise Failed("streamed a line that is no JSON") from None
        if not events or events[-1].get("type") != "done":
            raise Failed(f"ended with {json.dumps(events[-1:])[:_SHOWN_CHARS]}")
        return events


class Visit:
    """Requests to one service, and what later steps need of earlier ones."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._is_tls = parts.scheme == "https"
        self._host = parts.netloc.rpartition("@")[2]
        self._prefix = parts.path.rstrip("/")
        self.url = f"{parts.scheme}://{self._host}{self._prefix}"
        self.known: dict[str, str] = {}
        self.documented: set[str] = set()

    def reach(self) -> None:
        """Open a connection, and close it again.

        Raises:
            Failed: there was none.
        """
        try:
            with closing(self._connect()) as connection:
                connection.connect()
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise Failed(f"{type(error).__name__}: {error}") from error

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send a request and read its whole answer.

        Raises:
            Failed: there was none.
        """
        fields = {"User-Agent": "perch-verify", **(headers or {})}
        data = None
        if body is not None:
            data = json.dumps(body).encode() if not isinstance(body, bytes) else body
            fields.setdefault("Content-Type", "application/json")
        begun_at = time.monotonic()
        connection = self._connect()
        try:
            connection.request(method, self._prefix + path, data, fields)
            response = connection.getresponse()
            first = response.read(1)
            first_ms = round((time.monotonic() - begun_at) * 1000)
            found = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, found, first + response.read(), first_ms)
        except (OSError, http.client.HTTPException) as error:
            raise Failed(f"no answer ({type(error).__name__}: {error})") from error
        except ValueError as error:  # its text may hold the key
            raise Failed("not asked: no header carries such a key") from error
        finally:
            connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        if self._is_tls:
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(self._host, timeout=_TIMEOUT_S, context=context)
        return http.client.HTTPConnection(self._host, timeout=_TIMEOUT_S)
