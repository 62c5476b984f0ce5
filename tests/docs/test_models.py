"""The table of providers says what their scripts say, and these are settings that work."""

import re
from dataclasses import dataclass

import pytest

from tests.data import some_settings
from tests.docs.blocks import ROOT
from tests.providers import find_providers
from tests.providers.provider import Provider

PAGE = ROOT / "docs" / "models.md"
PROVIDERS = find_providers()


@dataclass(frozen=True)
class Row:
    """A provider's row of the table."""

    title: str
    settings: dict[str, str]
    tried: str


def rows() -> list[Row]:
    section = PAGE.read_text(encoding="utf-8").split("\n## Settings of each provider\n")[1]
    lines = [line for line in section.split("\n## ")[0].splitlines() if line.startswith("| ")]
    found = []
    for line in lines[1:]:
        title, told, _special, tried = (cell.strip() for cell in line.strip("|").split("|"))
        pairs = [setting.partition("=") for setting in re.findall(r"`([^`]+)`", told)]
        found.append(Row(title, {name: value for name, _, value in pairs}, tried))
    return found


def test_every_provider_has_its_row_with_the_settings_that_were_tried() -> None:
    told = {row.title: row.settings for row in rows()}

    assert told == {provider.title: dict(provider.settings) for provider in PROVIDERS}


def test_every_row_names_the_script_that_it_was_tried_against() -> None:
    told = {row.title: re.findall(r"`(tests/[^`]+)`", row.tried) for row in rows()}

    assert told == {
        provider.title: [f"tests/providers/{provider.__module__.rpartition('.')[2]}.py"]
        for provider in PROVIDERS
    }


@pytest.mark.parametrize("provider", PROVIDERS, ids=[each.__name__ for each in PROVIDERS])
def test_settings_of_a_row_are_taken(provider: type[Provider]) -> None:
    environment = provider().environment

    settings = some_settings(**environment)

    assert settings.assistant.model.is_real
    assert settings.assistant.model.name == environment.get("OPENAI_MODEL", "gpt-6-luna")
    assert settings.assistant.model.base_url == environment.get("OPENAI_BASE_URL")
    assert settings.assistant.model.api_key == environment.get("OPENAI_API_KEY")
