"""What a worker and the sidecar agree on."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.knowledge.vectors import configuration
from app.knowledge.vectors.configuration import SidecarConfiguration
from tests.data import some_settings

FULL = SidecarConfiguration(
    Path("/data/knowledge"),
    "https://e.example/v1",
    "m",
    "sk-secret",
    "http://proxy:3128",
    "Basic x",
)


def test_it_survives_its_way_to_the_sidecar() -> None:
    assert SidecarConfiguration.from_json(FULL.to_json()) == FULL
    assert SidecarConfiguration.from_json(FULL.to_json()).fingerprint == FULL.fingerprint


@pytest.mark.parametrize("field", ["base_url", "model", "api_key", "proxy_url"])
def test_each_setting_changes_the_fingerprint(field: str) -> None:
    assert replace(FULL, **{field: "other"}).fingerprint != FULL.fingerprint


def test_it_is_taken_from_the_settings() -> None:
    settings = some_settings(
        KNOWLEDGE_PATH="/srv/k",
        EMBEDDING_BASE_URL="https://e.example/v1",
        EMBEDDING_MODEL="nomic-embed-text",
        EMBEDDING_API_KEY="sk-embedding",
        HTTPS_PROXY="http://me:word@proxy:3128",
    )

    assert SidecarConfiguration.from_settings(settings) == SidecarConfiguration(
        Path("/srv/k"), "https://e.example/v1", "nomic-embed-text", "sk-embedding",
        "http://proxy:3128", "Basic bWU6d29yZA==",
    )  # fmt: skip


def test_repr_has_no_secret() -> None:
    assert "sk-secret" not in repr(FULL)
    assert "Basic" not in repr(FULL)


def test_socket_of_a_long_path_lies_in_the_temporary_folder(tmp_path: Path) -> None:
    near = SidecarConfiguration(Path("/data/knowledge")).socket_path
    far = SidecarConfiguration(tmp_path / ("ä" * 60)).socket_path
    other = SidecarConfiguration(tmp_path / ("ö" * 60)).socket_path

    assert near == Path("/data/knowledge/vectors.sock")
    assert len(str(far).encode()) <= 103
    assert far != other
    assert not far.is_relative_to(tmp_path / ("ä" * 60))


def test_model_of_a_server_needs_numpy_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = {"numpy"}
    monkeypatch.setattr(configuration, "find_spec", lambda name: name in installed or None)

    assert not SidecarConfiguration(Path()).is_possible
    assert SidecarConfiguration(Path(), base_url="http://e/v1").is_possible
    installed.clear()
    assert not SidecarConfiguration(Path(), base_url="http://e/v1").is_possible
