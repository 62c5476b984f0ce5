"""Settings from an environment: all that is wrong with it is told at once."""

import os
from dataclasses import replace

from app.settings.addresses import Reader
from app.settings.assistants import read_assistants
from app.settings.contradictions import find_assistant_faults, find_contradictions
from app.settings.declaring import read_group
from app.settings.faults import SettingsFaults
from app.settings.files import Environment, read_environment
from app.settings.machine import names_the_machine
from app.settings.names import find_ignored, find_misspelt, for_libraries
from app.settings.values import Settings

_HOST_OF_A_SHELL = "HOST (it names the machine, and no address to listen on)"


def load(environment: Environment | None = None) -> Settings:
    """Read the settings of an environment: the process's own variables, or others.

    Raises:
        SettingsFaults: with everything that is wrong.
    """
    environment = environment or Environment(dict(os.environ))
    is_host_a_shells = "HOST" not in environment.in_files and names_the_machine(
        environment.values.get("HOST", "")
    )
    faults: dict[str, str] = {}
    env = Reader(environment.values, faults, set_aside=("HOST",) if is_host_a_shells else ())
    settings = _read(env)
    default = settings.assistant
    # Before the others, which share what is wrong, and do not tell it again.
    faults.update(find_assistant_faults(default, is_production=settings.is_production))
    if settings.assistants_file is not None:
        others = read_assistants(settings.assistants_file, env, default)
        settings = replace(settings, other_assistants=tuple(others))
    faults.update(find_contradictions(settings))
    faults.update(find_misspelt(env.all_names, environment))
    if faults:
        raise SettingsFaults(faults)
    ignored = find_ignored(env.all_names, environment)
    return replace(settings, ignored=(*ignored, _HOST_OF_A_SHELL) if is_host_a_shells else ignored)


def load_all() -> Settings:
    """Read the process's variables, ``.env`` and ``.env.local`` (or ``PERCH_ENV_FILE``) included.

    What the files set for libraries, which read the environment for themselves,
    is added to it.

    Raises:
        SettingsFaults: with everything that is wrong.
    """
    stumbles = not _is_number(os.environ.get("WEB_CONCURRENCY", "1"))
    environment = read_environment()
    os.environ.update(for_libraries(_read_nothing().all_names, environment))
    return replace(load(environment), gunicorn_stumbles=stumbles)


def variables() -> tuple[str, ...]:
    """Return the names of all variables that are read, in the order of the fields."""
    return tuple(_read_nothing().names)


def _read_nothing() -> Reader:
    env = Reader({}, {})
    _read(env)
    return env


def _read(env: Reader) -> Settings:
    return read_group(Settings, env, platform=env.platform.name)


def _is_number(text: str) -> bool:
    try:
        int(text)
    except ValueError:
        return False
    return True
