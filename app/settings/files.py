"""The files that stand in for variables: ``.env``, ``.env.local`` and one for each secret."""

import os
from collections.abc import Iterator
from pathlib import Path

from dotenv import dotenv_values

from app.settings.faults import SettingsFaults
from app.settings.machine import names_the_machine
from app.settings.syntax import unquoted

ENV_FILE_VARIABLE = "PERCH_ENV_FILE"
SECRETS = (
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


def read_dotenv(directory: Path | None = None) -> dict[str, str]:
    """Add ``.env.local`` and ``.env`` to the environment, or the file of ``PERCH_ENV_FILE``.

    Real variables win over all of them, the first file over the second. (A shell's
    own ``HOST`` wins over none.)
    Returns in which file each name stands, whoever wins.

    Raises:
        SettingsFaults: a file is no text, or the one that was named cannot be read.
    """
    found: dict[str, str] = {}
    for name, path in _files(directory or Path.cwd()):
        try:
            # Taken literally, as the original did: a key may contain `${`.
            # Without the mark that some editors put first, which no name has.
            with path.open(encoding="utf-8-sig") as text:
                values = dotenv_values(stream=text, interpolate=False)
        except UnicodeDecodeError as error:
            raise SettingsFaults({name: "is not UTF-8 text: save it as such"}) from error
        except OSError as error:
            raise SettingsFaults({name: f"cannot be read: {error.strerror}"}) from error
        if "HOST" in values.keys() - found and names_the_machine(os.environ.get("HOST", "")):
            del os.environ["HOST"]
        for variable, value in values.items():
            found.setdefault(variable, name)
            if value is not None:
                os.environ.setdefault(variable, value)
    return found


def _files(directory: Path) -> Iterator[tuple[str, Path]]:
    named = os.environ.get(ENV_FILE_VARIABLE, "").strip()
    if named:
        yield named, directory / named
        return
    for name in (".env.local", ".env"):
        if (directory / name).is_file():
            yield name, directory / name


def read_secret_files(faults: dict[str, str]) -> None:
    """Add the text of each ``…_FILE`` to the environment; the variable itself wins over it."""
    for name in SECRETS:
        path = unquoted(os.environ.get(f"{name}_FILE", ""))
        if not path or os.environ.get(name):
            continue
        try:
            os.environ[name] = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            faults[f"{name}_FILE"] = f"cannot be read ({type(error).__name__}): {path}"
