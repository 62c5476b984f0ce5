"""What is wrong with the environment, told all at once."""

from collections.abc import Mapping


class SettingsFaults(Exception):
    """The environment cannot be used; ``faults`` maps variables to sentences."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {fault}" for name, fault in faults.items()))
        self.faults = dict(faults)

    def in_words(self) -> str:
        """Return all of them, a line each, for whoever starts the server."""
        lines = [f"  {name} {fault}" for name, fault in self.faults.items()]
        return "\n".join(["Perch cannot start:", *lines])
