"""Names that are no settings: misspelt ones, which are faults, and those that do nothing here."""

import re
from collections.abc import Collection

from app.settings.files import ENV_FILE_VARIABLE, Environment

# What the original service's projects keep in the same file and the server
# never needed: said in one log line, so that nobody wonders.
_IGNORED_PREFIXES = ("NEXT_PUBLIC_", "VITE_")
_IGNORED = (
    "ADMIN_DASHBOARD_URL",
    "CONVEX_DEPLOYMENT",
    "CONVEX_HTTP_URL",
    "CONVEX_SITE_URL",
    "OPENAI_AGENT_MODEL",
    "SESSION_SECRET",
)
# What a library of ours, the system or Compose reads for itself: not ours, and not in vain.
_OTHERS_PREFIXES = (
    "COMPOSE_", "DOCKER_", "GEVENT_", "GUNICORN_", "LC_", "MALLOC_", "OTEL_", "PYTHON",
    "SENTRY_", "SSL_",
)  # fmt: skip
# The names of proxies are read in lower case, too.
_OTHERS = (
    "ALL_PROXY", "FTP_PROXY", "HOME", "HTTPS_PROXY", "HTTP_PROXY", "LANG", "NO_PROXY", "PATH", "TZ",
    "OPENAI_ADMIN_KEY", "OPENAI_LOG", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_WEBHOOK_SECRET",
)  # fmt: skip
# As other programs, and older ones, call what we have a name of our own for.
_SYNONYMS = {
    "OPENAI_API_BASE": "OPENAI_BASE_URL",
    "OPENAI_KEY": "OPENAI_API_KEY",
    "OPENAI_MODEL_NAME": "OPENAI_MODEL",
}

# In the environment of a process stand names of the platform and of every
# other program: a short one is too easily near one of ours, and a fault is
# a service that does not start.
_MIN_CHARS_OF_ENVIRONMENT = 8
# Near one of ours, and set by add-ons and for other programs.
_WELL_KNOWN = ("REDIS_URI", "REDIS_URLS")
# What other programs put in front of their settings, and we do not.
_OUR_PREFIX = "PERCH_"
# From so many characters on two slips, or three, still leave no doubt.
_MIN_CHARS_FOR_TWO_SLIPS = 8
_MIN_CHARS_FOR_THREE_SLIPS = 16


def find_misspelt(settings: Collection[str], environment: Environment) -> dict[str, str]:
    """Return a fault for each name that is nearly one of the settings.

    A name that stands in no file is let be where the setting that it resembles
    is set, too: then it is likely to be another program's.
    """
    ours = [*settings, "NODE_ENV", ENV_FILE_VARIABLE]
    known = {*ours, *_IGNORED}
    in_files = environment.in_files
    faults = {}
    for name in sorted({*in_files, *environment.values} - known):
        if name.startswith(_IGNORED_PREFIXES) or name.upper() in _OTHERS:
            continue
        file = in_files.get(name)
        if file is None and (len(name) < _MIN_CHARS_OF_ENVIRONMENT or name in _WELL_KNOWN):
            continue
        meant = find_meant(name, ours)
        if meant is None and file is not None:
            meant = _SYNONYMS.get(name.upper())
        if meant is None and file is not None:
            # Of the environment it is Kubernetes' name for what a service is called.
            meant = find_meant(name.upper().removeprefix(_OUR_PREFIX), ours)
        if meant is None or (file is None and environment.values.get(meant)):
            continue
        faults[name] = f"is no setting: did you mean {meant}?" + (f" (in {file})" if file else "")
    return faults


def find_ignored(settings: Collection[str], environment: Environment) -> tuple[str, ...]:
    """Return the names that change nothing: the original's, and what else stands in the files."""
    ours = {*settings, "NODE_ENV", ENV_FILE_VARIABLE}
    ignored = {
        name
        for name in environment.values
        if name in _IGNORED or name.startswith(_IGNORED_PREFIXES)
    }
    strangers = {
        name for name in environment.in_files if name not in ours and not _is_for_others(name)
    }
    return tuple(sorted(ignored | strangers))


def for_libraries(settings: Collection[str], environment: Environment) -> dict[str, str]:
    """Return what the files set that libraries of ours read for themselves."""
    return {
        name: environment.values[name]
        for name in environment.in_files
        if name in environment.values and name not in settings and _is_for_others(name)
    }


def _is_for_others(name: str) -> bool:
    return name.upper() in _OTHERS or name.startswith(_OTHERS_PREFIXES)


def find_meant(name: str, ours: Collection[str]) -> str | None:
    """Return the name of ours that was misspelt, if it is near to one."""
    shouted = re.sub(r"[-. ]", "_", name.upper())
    most = 1 + (len(name) >= _MIN_CHARS_FOR_TWO_SLIPS) + (len(name) >= _MIN_CHARS_FOR_THREE_SLIPS)
    near = [(_slips(shouted, each, most), each) for each in ours]
    slips, meant = min(near)
    return meant if slips <= most else None


def _slips(one: str, other: str, most: int) -> int:
    """Count the letters to add, drop, change or swap; beyond ``most`` any number may come back."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        before, last, row = row, before, [i]
        for j, wanted in enumerate(other, start=1):
            slips = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                slips = min(slips, last[j - 2] + 1)
            row.append(slips)
        if min(row) > most:
            return most + 1
    return row[-1]
