"""The files that stand in for variables: ``.env``, ``.env.local`` and one for each secret."""

import os
from pathlib import Path

from dotenv import load_dotenv

from app.settings.faults import SettingsFaults

_SECRETS = (
    "OPENAI_API_KEY",
    "OPENAI_EXTRA_HEADERS",
    "OPENAI_FALLBACK_API_KEY",
    "CONVEX_DEPLOY_KEY",
    "WIDGET_API_KEY",
    "ADMIN_API_KEY",
    "REDIS_URL",
    "DASHBOARD_PASSWORD",
    "SECRET_KEY",
    "IDENTITY_SECRET",
    "SYSTEM_PROMPT",
)


def read_dotenv(directory: Path | None = None) -> None:
    """Add ``.env.local`` and ``.env`` to the environment.

    Real variables win over both, the first file over the second.

    Raises:
        SettingsFaults: a file is no text.
    """
    for name in (".env.local", ".env"):
        path = (directory or Path.cwd()) / name
        if not path.is_file():
            continue
        try:
            # Taken literally, as the original did: a key may contain `${`.
            load_dotenv(path, override=False, interpolate=False)
        except UnicodeDecodeError as error:
            raise SettingsFaults({name: "is not UTF-8 text: save it as such"}) from error


def read_secret_files(faults: dict[str, str]) -> None:
    """Add the text of each ``…_FILE`` to the environment; the variable itself wins over it."""
    for name in _SECRETS:
        path = os.environ.get(f"{name}_FILE")
        if not path or os.environ.get(name):
            continue
        try:
            os.environ[name] = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            faults[f"{name}_FILE"] = f"cannot be read ({type(error).__name__}): {path}"
