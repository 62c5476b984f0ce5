"""What turns, the dashboard and commands ask of an assistant's knowledge."""

from typing import Protocol

from app.domain.knowledge import Found, Inquiry


class Knowledge(Protocol):
    """One assistant's knowledge, as far as this machine has an index of it."""

    def is_known(self) -> bool:
        """Tell whether the assistant has documents at all; costs nothing, and never waits."""
        ...

    def has_index(self) -> bool:
        """Tell whether this machine has an index of all that is known now."""
        ...

    def request_build(self) -> None:
        """Have an index built of all that is known now, unless one is; returns at once."""
        ...

    def find(self, inquiry: Inquiry) -> Found:
        """Return the passages that may answer a question.

        Waits for a thread, in which all of the work is done, and never raises: what
        cannot be looked up is not found, and logged once.
        """
        ...

    def close(self) -> None:
        """Give back files and threads."""
        ...
