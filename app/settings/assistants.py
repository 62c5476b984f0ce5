"""More assistants than the one of the variables: a TOML file, a table for each.

A table's entries are the variables of ``AssistantSettings``, in lower case. What
it leaves out is as the variables say, but for the widget key, which is never shared,
and for what is meant for one server where the table names another.
"""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from app.domain.conversation import ASSISTANT_ID, DEFAULT_ASSISTANT
from app.settings.addresses import Reader
from app.settings.contradictions import find_assistant_faults
from app.settings.declaring import read_group
from app.settings.names import find_meant
from app.settings.policies import AssistantSettings

_FROM_ENVIRONMENT = "env:"
# Keys and what else one server is sent: another one never sees them.
_OF_ONE_SERVER = (
    "OPENAI_API_KEY", "OPENAI_REASONING_EFFORT", "OPENAI_EXTRA_BODY", "OPENAI_EXTRA_HEADERS",
    "OPENAI_FALLBACK_MODEL", "OPENAI_FALLBACK_BASE_URL", "OPENAI_FALLBACK_API_KEY",
)  # fmt: skip
_SEPARATORS = {"WIDGET_STARTERS": "|"}


def read_assistants(path: Path, env: Reader, default: AssistantSettings) -> list[AssistantSettings]:
    """Return the assistants of a file, in its order; what is wrong goes to ``env.faults``."""
    taken = dict.fromkeys(default.widget_api_keys, DEFAULT_ASSISTANT)
    found = []
    for name, table in _tables(path, env):
        faults: dict[str, str] = {}
        own = _variables(table, env, faults)
        reader = Reader(_inherited(own, env), faults)
        reader.is_development = env.is_development
        assistant = read_group(AssistantSettings, reader, id=name)
        inherited = {each: fault for each, fault in env.faults.items() if each not in own}
        faults = {
            **find_assistant_faults(assistant, is_production=not env.is_development),
            **faults,
        }
        if fault := _key_fault(assistant, own, taken):
            faults.setdefault("WIDGET_API_KEY", fault)
        for each, fault in faults.items():
            if inherited.get(each) != fault:
                env.faults[f"{path.name} [{name}] {each.lower()}"] = fault
        found.append(assistant)
    return found


def _key_fault(
    assistant: AssistantSettings, own: Mapping[str, str], taken: dict[str, str]
) -> str | None:
    """Return what is wrong with an assistant's keys beside those that are ``taken`` already."""
    if not own.keys() & {"WIDGET_API_KEY", "WIDGET_API_KEY_FILE"}:
        return "is not set: each assistant is found by its own"
    for key in assistant.widget_api_keys:
        if (other := taken.setdefault(key, assistant.id)) != assistant.id:
            return f"is a key of {other}, too: make another one"
    return None


def _tables(path: Path, env: Reader) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the file's tables that can be read, each behind its assistant's id."""
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        env.faults["ASSISTANTS_FILE"] = f"cannot be read: {error.strerror}"
        return
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        env.faults["ASSISTANTS_FILE"] = f"is no TOML file: {error}"
        return
    for name, table in told.items():
        if not isinstance(table, Mapping):
            env.faults[f"{path.name} {name}"] = "stands in no table: put it under an [assistant]"
        elif name == DEFAULT_ASSISTANT:
            env.faults[f"{path.name} [{name}]"] = "is what the variables make: use another id"
        elif not ASSISTANT_ID.fullmatch(name):
            env.faults[f"{path.name} [{name}]"] = (
                "is no id: use 1 to 32 small letters, digits and hyphens"
            )
        else:
            yield name, table


def _variables(table: Mapping[str, Any], env: Reader, faults: dict[str, str]) -> dict[str, str]:
    """Return a table's entries as the variables that they stand for."""
    known = variables_of_a_table()
    variables = {}
    for entry, value in table.items():
        name = entry.upper()
        if name not in known:
            meant = find_meant(entry, known)
            hint = f": did you mean {meant.lower()}?" if meant else ""
            faults[name] = f"is no setting of an assistant{hint}"
            continue
        try:
            variables[name] = _text(name, value, env.environment)
        except ValueError as error:
            faults[name] = str(error)
    return variables


def variables_of_a_table() -> list[str]:
    """Return the variables that a table may set for its assistant, ``…_FILE`` among them."""
    nothing = Reader({}, {})
    read_group(AssistantSettings, nothing, id=DEFAULT_ASSISTANT)
    return nothing.all_names


def _text(name: str, value: Any, environment: Mapping[str, str]) -> str:
    """Return a value as a variable would say it.

    Raises:
        ValueError: no variable says such a thing, in words.
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        parts = [_text(name, each, environment) for each in value]
        return _SEPARATORS.get(name, ",").join(parts)
    if isinstance(value, Mapping):
        return orjson.dumps(value, default=str).decode()
    if not isinstance(value, str | int | float):
        raise ValueError("is a date: write a text or a number")
    text = str(value)
    if text.startswith(_FROM_ENVIRONMENT):
        variable = text.removeprefix(_FROM_ENVIRONMENT)
        if not environment.get(variable):
            raise ValueError(f"names the variable {variable}, which is not set")
        return environment[variable]
    return text


def _inherited(own: Mapping[str, str], env: Reader) -> dict[str, str]:
    """Return an assistant's variables: its own, and of the others those that it shares."""
    hidden = {"WIDGET_API_KEY"}
    if own.get("OPENAI_BASE_URL", "") not in ("", env.environment.get("OPENAI_BASE_URL")):
        hidden.update(_OF_ONE_SERVER)
    # A table's text replaces a variable's file, and the other way about.
    hidden.update(name.removesuffix("_FILE") for name in own)
    hidden |= {f"{name}_FILE" for name in hidden}
    shared = {name: text for name, text in env.environment.items() if name not in hidden}
    return {**shared, **own}
