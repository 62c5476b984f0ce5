"""The files that stand in for variables: ``.env``, ``.env.local`` and one for each secret."""

import io
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dotenv.parser import parse_stream

from app.settings.faults import SettingsFaults
from app.settings.machine import names_the_machine
from app.settings.syntax import unquoted

ENV_FILE_VARIABLE = "PERCH_ENV_FILE"


@dataclass(frozen=True, slots=True)
class Environment:
    """Variables, and in which file each of those stands that a file has, whoever wins."""

    values: Mapping[str, str]
    in_files: Mapping[str, str] = field(default_factory=dict)


def read_environment(directory: Path | None = None) -> Environment:
    """Read the process's variables, and what ``.env.local`` and ``.env`` add to them.

    Or the one file that ``PERCH_ENV_FILE`` names.

    Real variables win over all of them, the first file over the second. (A shell's
    own ``HOST`` wins over none.)

    Raises:
        SettingsFaults: a file is no text, has a line that sets nothing, or the
            one that was named cannot be read.
    """
    found = dict(os.environ)
    in_files: dict[str, str] = {}
    for name, path in _files(directory or Path.cwd()):
        try:
            # Without the mark that some editors put first, which no name has.
            values = _parse(name, path.read_text(encoding="utf-8-sig"))
        except UnicodeDecodeError as error:
            raise SettingsFaults({name: "is not UTF-8 text: save it as such"}) from error
        except OSError as error:
            raise SettingsFaults({name: f"cannot be read: {error.strerror}"}) from error
        if "HOST" in values.keys() - in_files and names_the_machine(found.get("HOST", "")):
            del found["HOST"]
        for variable, value in values.items():
            in_files.setdefault(variable, name)
            if value is not None:
                found.setdefault(variable, value)
    return Environment(found, in_files)


def _parse(name: str, text: str) -> dict[str, str | None]:
    """Return a file's variables; one that is named without a value has None.

    Taken literally, as the original did: a key may contain ``${``.
    """
    if "\0" in text:
        raise SettingsFaults({name: "has a NUL byte: save it as UTF-8 text"})
    values: dict[str, str | None] = {}
    unread = []
    for each in parse_stream(io.StringIO(text)):
        statement = each.original.string.lstrip()
        if each.error and not statement.startswith(";"):  # systemd's other sign of a comment
            is_set = False
        elif each.key is None:
            continue
        else:
            values[each.key] = each.value
            # Compose's way to hand on a variable of the environment.
            is_set = each.value is not None or each.key in os.environ
        if not is_set:
            blank = each.original.string[: -len(statement)] if statement else ""
            unread.append(str(each.original.line + blank.count("\n")))
    if unread:
        # Never the line itself: it may be a secret.
        which = f"line {unread[0]} sets" if len(unread) == 1 else f"lines {', '.join(unread)} set"
        raise SettingsFaults(
            {name: f"{which} nothing: write NAME=value, each quote with its other one"}
        )
    return values


def _files(directory: Path) -> Iterator[tuple[str, Path]]:
    named = os.environ.get(ENV_FILE_VARIABLE, "").strip()
    if named:
        yield named, directory / named
        return
    for name in (".env.local", ".env"):
        if (directory / name).is_file():
            yield name, directory / name


def read_secret_file(name: str, environment: Mapping[str, str]) -> str:
    """Return the text of the file that ``…_FILE`` names; nothing where it names none.

    Raises:
        ValueError: the file cannot be read, in words.
    """
    path = unquoted(environment.get(f"{name}_FILE", ""))
    if not path:
        return ""
    try:
        # Without the mark that some editors put first.
        text = Path(path).read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"cannot be read ({type(error).__name__}): {path}") from error
    if "\0" in text:
        raise ValueError(f"has a NUL byte, save it as UTF-8 text: {path}")
    return text
