"""Starting the sidecar; what it does then, test_sidecar.py sees."""

from pathlib import Path

import pytest

from app.knowledge.vectors.client import SidecarClient
from app.knowledge.vectors.configuration import SidecarConfiguration
from app.knowledge.vectors.spawn import _environment, make_nearest
from tests.data import some_settings


def test_vectors_that_are_off_are_nothing() -> None:
    assert make_nearest(some_settings(VECTORS="0")) is None


def test_vectors_that_are_on_are_a_client_that_has_started_nothing(tmp_path: Path) -> None:
    nearest = make_nearest(some_settings(KNOWLEDGE_PATH=str(tmp_path / "knowledge")))

    assert isinstance(nearest, SidecarClient)
    assert list(tmp_path.iterdir()) == []


def test_the_sidecar_inherits_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-model")
    monkeypatch.setenv("EMBEDDING_API_KEY", "sk-embedding")
    monkeypatch.setenv("DASHBOARD_PASSWORD", "password")

    environment = _environment()

    assert "PATH" in environment
    assert not {"sk-model", "sk-embedding", "password"} & set(environment.values())


def test_configuration_of_a_relative_folder_names_it_for_any_process() -> None:
    configuration = SidecarConfiguration.from_settings(some_settings(KNOWLEDGE_PATH="data/k"))

    assert configuration.folder.is_absolute()
