"""What is looked at, where no command is needed to see it."""

from pathlib import Path

from app.operations.diagnostics import check_host, check_proxies, check_store
from app.storage.sqlite import SqliteStore
from tests.data import some_settings
from tests.settings.reading import PRODUCTION


def test_development_settings_beside_a_service_are_wrong(tmp_path: Path) -> None:
    service = tmp_path / "perch.env"
    settings = some_settings(APP_ENV="development")

    assert list(check_host(settings, [service])) == []
    service.touch()
    (found,) = check_host(settings, [tmp_path / "other", service])

    assert found.level == "bad"
    assert str(service) in found.said
    assert "deploy/perch doctor" in found.advice


def test_the_services_own_settings_are_right(tmp_path: Path) -> None:
    (tmp_path / "perch.env").touch()

    assert list(check_host(some_settings(**PRODUCTION), [tmp_path / "perch.env"])) == []


def test_production_without_a_proxy_is_pointed_at() -> None:
    (found,) = check_proxies(some_settings(**PRODUCTION))

    assert (found.level, found.what) == ("warning", "TRUSTED_PROXY_HOPS")


def test_a_store_that_fails_comes_with_what_to_check(tmp_path: Path) -> None:
    (tmp_path / "chat.db").write_bytes(b"no database" * 100)
    settings = some_settings(SQLITE_PATH=str(tmp_path / "chat.db"))

    (found,) = check_store(SqliteStore(tmp_path / "chat.db"), settings)

    assert found.level == "bad"
    assert "SQLITE_PATH" in found.advice
