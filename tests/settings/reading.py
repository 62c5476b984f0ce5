"""Settings as an environment makes them, and its faults."""

import os
from pathlib import Path

import pytest

from app.settings import Settings, SettingsFaults, load, read_environment, variables

VARIABLES = variables()
GOOD_KEY = "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6"
PRODUCTION = {
    "APP_ENV": "production",
    "OPENAI_API_KEY": "sk-live",
    "WIDGET_API_KEY": GOOD_KEY,
    "CORS_ORIGIN": "https://www.example.com",
    "SQLITE_PATH": "/var/lib/perch/chat.db",
}


def read(**environment: str) -> Settings:
    os.environ.clear()
    os.environ.update(environment)
    return load()


def faults(**environment: str) -> dict[str, str]:
    with pytest.raises(SettingsFaults) as found:
        read(**environment)
    return found.value.faults


def write(directory: Path, **files: str) -> None:
    for name, text in files.items():
        (directory / f".{name.replace('_', '.')}").write_text(text)


def faults_of_file(directory: Path, text: str, **environment: str) -> dict[str, str]:
    os.environ.clear()
    os.environ.update(environment)
    write(directory, env=text)
    try:
        load(read_environment(directory))
    except SettingsFaults as found:
        return found.faults
    return {}
