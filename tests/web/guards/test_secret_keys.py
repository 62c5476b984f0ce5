"""The secrets behind every signature: where they come from, and that purposes differ."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.settings import SettingsFaults
from app.web.guards.secret_keys import FILE_NAME, derive_key, read_secrets
from tests.data import WIDGET_KEY, some_settings

DEPLOY_KEY = "prod:deployment|key-of-convex"
OPENAI_KEY = "sk-of-the-unit-tests"
CONVEX = {"CONVEX_URL": "https://convex.test", "CONVEX_DEPLOY_KEY": DEPLOY_KEY}
MINE = "mine-is-this-long-random-secret"
OLD = "old-is-that-long-random-secret"


def test_key_is_hkdf_sha256() -> None:
    # openssl kdf -keylen 32 -kdfopt digest:SHA256 … HKDF, with the salt "perch".
    expected = "9500af38705f3df6969aed606c465446a825bc8eba5e8af2494e5f6212963505"

    assert derive_key(b"a secret of many characters", "session token").hex() == expected


def test_each_purpose_and_each_secret_has_its_own_key() -> None:
    secrets, purposes = (b"one", b"two"), ("token", "cookie")

    keys = {derive_key(secret, purpose) for secret in secrets for purpose in purposes}

    assert len(keys) == 4


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"SECRET_KEY": MINE, **CONVEX, "OPENAI_API_KEY": OPENAI_KEY}, [MINE]),
        ({"SECRET_KEY": f"{MINE}, {OLD}"}, [MINE, OLD]),
        ({**CONVEX, "OPENAI_API_KEY": OPENAI_KEY}, [DEPLOY_KEY]),
        ({"OPENAI_API_KEY": OPENAI_KEY}, [OPENAI_KEY]),
    ],
    ids=["given", "several", "Convex's", "the model's"],
)
def test_secret_is_the_owners_or_one_that_the_deployment_has(
    variables: dict[str, str], expected: list[str], tmp_path: Path
) -> None:
    settings = some_settings(SQLITE_PATH=str(tmp_path / "chat.db"), **variables)

    assert read_secrets(settings) == tuple(secret.encode() for secret in expected)
    assert list(tmp_path.iterdir()) == []


def test_without_any_secret_a_random_one_is_kept_for_its_owner_only(tmp_path: Path) -> None:
    settings = some_settings(SQLITE_PATH=str(tmp_path / "chat.db"), WIDGET_API_KEY=WIDGET_KEY)

    (secret,) = read_secrets(settings)

    kept = tmp_path / FILE_NAME
    assert read_secrets(settings) == (secret,)
    assert (kept.read_bytes(), stat.S_IMODE(kept.stat().st_mode)) == (secret, 0o600)
    assert len(secret) >= 32
    assert WIDGET_KEY.encode() not in secret


def test_two_deployments_do_not_share_a_random_secret(tmp_path: Path) -> None:
    secrets = {
        read_secrets(some_settings(SQLITE_PATH=str(tmp_path / name / "chat.db")))
        for name in ("one", "two")
    }

    assert len(secrets) == 2


def test_processes_that_start_at_once_agree_on_the_secret(tmp_path: Path) -> None:
    settings = some_settings(SQLITE_PATH=str(tmp_path / "new" / "chat.db"))

    with ThreadPoolExecutor(8) as pool:
        secrets = set(pool.map(lambda _: read_secrets(settings), range(32)))

    assert len(secrets) == 1
    assert [path.name for path in (tmp_path / "new").iterdir()] == [FILE_NAME]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", f"{MINE},short"),
        ("SECRET_KEY", "change-me-to-something-of-your-own"),
        ("IDENTITY_SECRET", "m" * 31),
        ("SESSION_MODE", "lenient"),
    ],
)
def test_weak_secrets_and_unknown_modes_are_refused(name: str, value: str) -> None:
    with pytest.raises(SettingsFaults) as refused:
        some_settings(**{name: value})

    assert list(refused.value.faults) == [name]
