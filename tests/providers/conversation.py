"""One visitor's conversation with a running server, whose model is a provider of ours."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from app.storage.sqlite import SqliteStore
from tests.providers.provider import Provider
from tests.providers.server import ProviderServer
from tests.servers.perch import WIDGET_KEY, Server


@contextmanager
def serving(provider: Provider, certificate: Path, **more: str) -> Iterator["Conversation"]:
    """Run a server with the settings of a provider's row, and nothing else about the model."""
    with ProviderServer(provider, certificate) as upstream:
        settings = {**provider.environment, **upstream.proxies, "SSL_CERT_FILE": str(certificate)}
        with Server(**{**settings, **more}) as server:
            opened = server.request("POST", "/v1/session", {}, x_api_key=WIDGET_KEY).json
            yield Conversation(server, upstream, opened["token"])


@dataclass
class Turn:
    """What a visitor's program was told of one turn, and what it cost."""

    events: Sequence[dict[str, Any]]
    tried: int
    charged: int

    @property
    def text(self) -> str:
        return "".join(event["token"] for event in self.events if event["type"] == "token")

    @property
    def end(self) -> dict[str, Any]:
        return self.events[-1]


class Conversation:
    """One visitor's conversation with a running server."""

    def __init__(self, server: Server, upstream: ProviderServer, token: str) -> None:
        self.server = server
        self.upstream = upstream
        self.session = {"Authorization": f"Bearer {token}"}
        self.shown: list[dict[str, Any]] = []
        self._store = SqliteStore(Path(server.environment["SQLITE_PATH"]))

    def ask(self, message: str, turn_id: str = "", *, stops: bool = False, **fields: Any) -> Turn:
        """Ask, and read to the end; ``stops`` stops the answer behind two words."""
        upstream = self.upstream
        tried, charged = len(upstream.asked), self.charged
        turn_id = turn_id or f"turn-{tried:04}"
        body = {"message": message, "turnId": turn_id, **fields}
        sent = self.server.send(
            "POST", "/v1/chat/stream", body, x_api_key=WIDGET_KEY, **self.session
        )
        with sent.begin():
            before = [*sent.until("token"), *sent.until("token")] if stops else []
            if stops:
                self.server.request("POST", f"/v1/turns/{turn_id}/stop", **self.session)
            events = [line.event for line in (*before, *sent.lines()) if line.event is not None]
        self.shown += events
        return Turn(events, len(upstream.asked) - tried, self.charged - charged)

    @property
    def charged(self) -> int:
        """What all turns were charged with, by the store's account."""
        days = self._store.read_figures(date.min.isoformat(), date.max.isoformat())
        return sum(day.charged_tokens for day in days)

    @property
    def stored(self) -> list[dict[str, Any]]:
        """Return the messages as the operator reads them."""
        return self.server.messages(self.shown[0]["conversationId"])

    @property
    def prompt(self) -> list[tuple[str, str]]:
        """Return what was asked last."""
        said = self.upstream.asked[-1].body["messages"]
        return [(each["role"], each["content"]) for each in said]
