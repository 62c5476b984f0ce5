"""Who may call which route, and what else is looked at: one table for all of them."""

from dataclasses import dataclass
from enum import Enum, auto


class Guard(Enum):
    """Who may call a route."""

    NOBODY = auto()
    ANYONE = auto()
    WIDGET_KEY = auto()
    CHAT = auto()  # the widget key, and a session token for a session that has one
    FRONT_END = auto()  # the widget key, in any header that a client can send, or a session token
    SESSION = auto()
    ADMIN_KEY = auto()
    OPERATOR = auto()
    METRICS = auto()  # the admin key, or whoever reaches the private port
    DEVELOPMENT = auto()

    # Each request looks up its own: what `Enum` hashes in Python, this does in C.
    __hash__ = object.__hash__


@dataclass(frozen=True, slots=True)
class Access:
    """How a route may be called.

    ``counted``: each request counts for its address, before its key is looked at; of a route that
    can begin a turn, it must. ``open``: readable from any origin, for it holds nothing that
    is not public. ``private``: the port for monitoring answers it, and nothing else.
    """

    guard: Guard
    counted: bool = False
    open: bool = False
    private: bool = False

    @property
    def is_visitors(self) -> bool:
        """Whether the visitors of a page call it."""
        return self.guard in (
            Guard.WIDGET_KEY, Guard.CHAT, Guard.FRONT_END, Guard.SESSION,
        )  # fmt: skip


# By blueprint, or by endpoint for a route that differs from its blueprint's others.
ACCESS: dict[str, Access] = {
    "chat": Access(Guard.CHAT, counted=True),
    "headless": Access(Guard.CHAT, counted=True),
    "openai": Access(Guard.FRONT_END, counted=True),
    "openai.list_models": Access(Guard.FRONT_END),
    "front_ends": Access(Guard.FRONT_END, counted=True),
    "front_ends.resume": Access(Guard.FRONT_END),
    "session_opening": Access(Guard.WIDGET_KEY),
    "session": Access(Guard.SESSION),
    "session_returning": Access(Guard.WIDGET_KEY),
    "people": Access(Guard.SESSION),
    "admin": Access(Guard.ADMIN_KEY),
    "knowledge": Access(Guard.ADMIN_KEY),
    "inbox": Access(Guard.ADMIN_KEY),
    "dashboard_sign_in": Access(Guard.ANYONE),  # asks for the password itself
    "dashboard": Access(Guard.OPERATOR),
    "widget": Access(Guard.ANYONE, open=True),
    "static": Access(Guard.ANYONE, open=True),
    "system": Access(Guard.ANYONE),
    "system.health": Access(Guard.ANYONE, open=True, private=True),
    "system.ready": Access(Guard.ANYONE, open=True),
    "system.openapi_document": Access(Guard.ANYONE, open=True),
    "system.docs": Access(Guard.ANYONE, open=True),
    "metrics": Access(Guard.METRICS, private=True),
    "demo": Access(Guard.DEVELOPMENT),
}
NO_ROUTE = Access(Guard.ANYONE)
# A route that was forgotten here.
CLOSED = Access(Guard.NOBODY, counted=True)


def access_of(endpoint: str | None) -> Access:
    """Return how an endpoint may be called; ``None`` is an address at which nothing is."""
    if endpoint is None:
        return NO_ROUTE
    return ACCESS.get(endpoint) or ACCESS.get(endpoint.rpartition(".")[0]) or CLOSED
