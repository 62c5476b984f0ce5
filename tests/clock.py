"""A clock for tests: seconds pass when they say so."""


class Clock:
    """Pass it where a function is wanted that tells the seconds."""

    def __init__(self, now_s: float = 1000.0) -> None:
        self.now_s = now_s

    def __call__(self) -> float:
        return self.now_s

    def advance(self, seconds: float) -> None:
        self.now_s += seconds
