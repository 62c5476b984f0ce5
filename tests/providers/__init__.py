"""One scripted server for each provider of docs/models.md: the next one is one file more."""

import importlib
import pkgutil

from tests.providers.provider import Provider


def find_providers() -> list[type[Provider]]:
    """Return the provider of each file here, by the names of the files."""
    found: dict[str, type[Provider]] = {}
    for module in pkgutil.iter_modules(__path__):
        if not module.name.startswith(("test_", "conftest")):
            for thing in vars(importlib.import_module(f"{__name__}.{module.name}")).values():
                is_own = isinstance(thing, type) and thing.__module__.endswith(f".{module.name}")
                if is_own and issubclass(thing, Provider) and thing is not Provider:
                    found[module.name] = thing
    return list(found.values())
