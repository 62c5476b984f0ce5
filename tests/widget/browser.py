"""The system's Chromium, told to keep to itself."""

import shutil

FLAGS = [
    "--no-sandbox",  # root, and containers, have none
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str:
    """Return the path of the browser that visitors have."""
    return _first("chromium", "chromium-browser", "google-chrome")


def headless_shell() -> str:
    """Return the path of the same browser without a window, or with one where that is missing.

    It takes half the time; it reads no preferences and keeps no pages to come back to.
    """
    return _first("chromium-headless-shell", "chrome-headless-shell", chromium())


def _first(*names: str) -> str:
    path = next(filter(None, map(shutil.which, names)), None)
    assert path, "no Chromium: `make test` installs it"
    return path
