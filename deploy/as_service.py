"""Runs ``python -m app …`` with the environment, in the folder and as the user of the unit.

The unit's files are read as systemd reads them (systemd.exec(5), systemd.syntax(7)): no shell
sees a value. ``SYSTEMD_UNIT_PATH`` says where they are, as it does for systemd itself.
"""

import os
import pwd
import re
import sys
from collections.abc import Iterator
from glob import glob
from pathlib import Path
from typing import NoReturn

UNIT = "perch.service"
_UNIT_PATH = "/etc/systemd/system:/run/systemd/system:/usr/lib/systemd/system"
# What the caller's terminal is like; nothing else of the caller reaches a command.
_OF_THE_CALLER = ("COLUMNS", "LANG", "LC_ALL", "NO_COLOR", "TERM")
_NOBODY = 65534

Service = dict[str, list[str]]


def main(words: list[str]) -> NoReturn:
    """Become the command."""
    service = read_service(os.environ.get("SYSTEMD_UNIT_PATH") or _UNIT_PATH)
    environment = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin",
        **{name: os.environ[name] for name in _OF_THE_CALLER if name in os.environ},
        **read_environment(service),
    }
    # Before the user changes: what is to be read may be the service's alone.
    enter_folder(service)
    command = [*_as_user(service, environment), sys.executable, "-m", "app", *words]
    os.execvpe(command[0], command, environment)  # noqa: S606 - no shell is wanted


def enter_folder(service: Service) -> None:
    """Go where the service runs; ``-`` before the folder means that it may be missing."""
    value = service.get("WorkingDirectory", ["/"])[-1]
    folder = value.removeprefix("-")
    try:
        if folder == "~":
            folder = pwd.getpwnam(service.get("User", ["root"])[-1]).pw_dir
        os.chdir(folder)
    except (OSError, KeyError) as error:
        if not value.startswith("-"):
            raise SystemExit(f"WorkingDirectory={value} cannot be entered: {error}") from error
        os.chdir("/")


def read_service(unit_path: str) -> Service:
    """Return the unit's [Service] section with its drop-ins: each key's values in order."""
    folders = [Path(each) for each in unit_path.split(":") if each]
    unit = next((folder / UNIT for folder in folders if (folder / UNIT).is_file()), None)
    if unit is None:
        raise SystemExit(f"There is no {UNIT} in {unit_path}: docs/deploy/host.md installs it.")
    # A drop-in hides those of the same name in later folders.
    drop_ins = {
        path.name: path for folder in reversed(folders) for path in folder.glob(f"{UNIT}.d/*.conf")
    }
    service: Service = {}
    for path in (unit, *(drop_ins[name] for name in sorted(drop_ins))):
        for key, value in _assignments(path.read_text("utf-8", "surrogateescape")):
            if value:
                service.setdefault(key, []).append(value)
            else:
                service.pop(key, None)  # an empty one takes back what stood before
    return service


def _assignments(text: str) -> Iterator[tuple[str, str]]:
    section = ""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith(("#", ";"))]
    for line in re.sub(r"\\\n", " ", "\n".join(lines)).splitlines():
        found = re.fullmatch(r"\s*\[(.+)\]\s*", line)
        if found:
            section = found[1]
        elif section == "Service" and "=" in line and _is_utf8(line):
            key, _, value = line.partition("=")
            yield key.strip(), value.strip()


def read_environment(service: Service) -> dict[str, str]:
    """Return the variables that systemd gives the service; files win over the unit's lines."""
    words = (word for line in service.get("Environment", []) for word in _words(line))
    found = dict(word.replace("%%", "%").split("=", 1) for word in words if _is_assignment(word))
    for name in service.get("EnvironmentFile", []):
        pattern = name.removeprefix("-")
        for path in sorted(glob(pattern)) or [pattern]:  # noqa: PTH207 - an absolute pattern
            try:
                variables, passed_over = parse_environment_file(
                    Path(path).read_text("utf-8", "surrogateescape")
                )
            except OSError as error:
                if name.startswith("-") and isinstance(error, FileNotFoundError):
                    continue
                raise SystemExit(
                    f"{path} cannot be read: {error.strerror}. Are you root?"
                ) from error
            except ValueError as error:
                if name.startswith("-"):
                    continue
                raise SystemExit(f"{path} is not UTF-8 text: systemd reads none of it") from error
            found |= variables
            if passed_over:
                lines = ", ".join(map(str, passed_over))
                sys.stderr.write(f"{path}: systemd passes over line {lines}: write NAME=value\n")
    return found


_LETTERS = dict(zip("abfnrtvs\\\"'", "\a\b\f\n\r\t\v \\\"'", strict=True))
_ESCAPED = re.compile(
    r"""\\(?!x00|000|u0000|U00000000)(?:([abfnrtvs\\"'])|x([0-9A-Fa-f]{2})|([0-3][0-7]{2})"""
    r"""|u([0-9A-Fa-f]{4})|U(00(?:0[0-9A-Fa-f]|10)[0-9A-Fa-f]{4}))"""
)


def _words(line: str) -> Iterator[str]:
    """Yield a line's words up to the first that systemd cannot read: it passes over the rest."""
    word: bytes | None = None
    quote = ""
    at = 0
    while at < len(line):
        letter = line[at]
        at += 1
        if letter == "\\":
            escaped = _ESCAPED.match(line, at - 1)
            if escaped is None:
                return
            word = (word or b"") + _unescaped(escaped)
            at = escaped.end()
        elif letter == quote:
            quote = ""
        elif letter in "'\"" and not quote:
            word, quote = word or b"", letter
        elif letter not in " \t\r" or quote:
            word = (word or b"") + letter.encode()
        elif word is not None:
            yield word.decode("utf-8", "surrogateescape")
            word = None
    if word is not None and not quote:
        yield word.decode("utf-8", "surrogateescape")


def _unescaped(escaped: re.Match[str]) -> bytes:
    letter, byte, octal, short, long = escaped.groups()
    if letter:
        return _LETTERS[letter].encode()
    if byte or octal:
        return bytes([int(byte, 16) if byte else int(octal, 8)])
    return chr(int(short or long, 16)).encode("utf-8", "surrogatepass")


def _is_assignment(word: str) -> bool:
    name, mark, value = word.partition("=")
    return bool(_NAME.fullmatch(name) and mark) and "\0" not in value and _is_utf8(value)


def _is_utf8(text: str) -> bool:
    """Tell whether a text that was read with ``surrogateescape`` was UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LINE = re.compile(r"[^\n\r]*[\n\r]?")
_KEY = re.compile(r"[ \t]*([^\n\r=]*?)[ \t]*=")


def parse_environment_file(text: str) -> tuple[dict[str, str], list[int]]:
    """Return the variables of a file in the syntax of ``EnvironmentFile=``.

    And the numbers of the lines that systemd passes over, comments aside.

    Raises:
        ValueError: a variable is not UTF-8, or there is a NUL: systemd reads none of the file.
    """
    if "\0" in text:
        raise ValueError
    found: dict[str, str] = {}
    passed_over: list[int] = []
    at = 0
    while at < len(text):
        number = text.count("\n", 0, at) + 1
        key = _KEY.match(text, at)
        if key is None or key[1].startswith(("#", ";")):
            line = _LINE.match(text, at)
            at = line.end() if line else len(text)
            said = line[0].strip() if line else ""
            if said and not said.startswith(("#", ";")):
                passed_over.append(number)
            continue
        value, at = _parse_value(text, key.end())
        if not _is_utf8(key[1] + value):
            raise ValueError
        if _NAME.fullmatch(key[1]):
            found[key[1]] = value
        else:
            passed_over.append(number)
    return found, passed_over


def _parse_value(text: str, at: int) -> tuple[str, int]:
    value = ""
    kept = 0  # blanks at the end are none of it, unless they are quoted or escaped
    is_plain = False  # from its first plain letter on, a quote is a letter like others
    while at < len(text) and text[at] not in "\n\r":
        letter = text[at]
        if letter in "'\"" and not is_plain:
            piece, at = _parse_quoted(text, at)
            value += piece
            kept = len(value)
            continue
        is_escaped = letter == "\\"
        if is_escaped:
            at += 1
            letter = text[at : at + 1].strip("\n\r")  # a line that goes on
        at += 1
        if is_plain or is_escaped or letter not in " \t":
            value += letter
            is_plain = True
        if is_escaped or letter not in " \t":
            kept = len(value)
    return value[:kept], at + 1


def _parse_quoted(text: str, at: int) -> tuple[str, int]:
    quote = text[at]
    at += 1
    piece = ""
    while at < len(text) and text[at] != quote:
        letter = text[at]
        if letter == "\\" and quote == '"':
            at += 1
            letter = text[at : at + 1]
            letter = letter if letter in '"\\`$' else letter.strip("\n") and f"\\{letter}"
        piece += letter
        at += 1
    return piece, at + 1


def _as_user(service: Service, environment: dict[str, str]) -> list[str]:
    """Return what makes a command run as the service's user, whose files it will touch."""
    if os.geteuid() != 0:
        return []
    uid, gid = _user(service, environment)
    # The state of a DynamicUser stands in /var/lib/private, which only root may enter: reading
    # and searching, and nothing else of root's powers, goes on with the command.
    powers = "-all,+dac_read_search"
    return [
        "setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", "--no-new-privs",
        f"--inh-caps={powers}", f"--ambient-caps={powers}", "--",
    ]  # fmt: skip


def _user(service: Service, environment: dict[str, str]) -> tuple[int, int]:
    if "User" in service:
        user = pwd.getpwnam(service["User"][-1])
        return user.pw_uid, user.pw_gid
    for name in ("SQLITE_PATH", "SPOOL_PATH"):
        if environment.get(name):
            try:
                folder = Path(environment[name]).parent.stat()
            except OSError:
                continue
            return folder.st_uid, folder.st_gid
    return _NOBODY, _NOBODY


if __name__ == "__main__":
    main(sys.argv[1:])
