"""The secrets that signatures are made with, and one key of each for each purpose.

``SECRET_KEY``, or else a secret that the deployment has anyway; without one, a
random one in a file beside the database. Never the widget key, which every
page shows, never one that only this process knows, and never what is written
for a key where a model's server wants none, such as ``EMPTY``.
"""

import hashlib
import hmac
import os
import secrets
import tempfile
from pathlib import Path

from app.settings import Settings

FILE_NAME = "secret.key"
# No provider's key is shorter.
_MIN_SECRET_CHARS = 20
_SALT = b"perch"


def read_secrets(settings: Settings, *, keep: bool = True) -> tuple[bytes, ...]:
    """Return the secrets, the one that signs first.

    Without ``keep`` no file is made: where there is none, the development
    secret is this process's alone.

    Raises:
        OSError: the random secret can be neither read nor kept.
    """
    if given := _given(settings):
        return tuple(key.encode() for key in given)
    path = _path(settings)
    if not keep and not path.exists():
        return (secrets.token_bytes(32),)
    return (_kept_secret(path),)


def are_kept(settings: Settings) -> bool:
    """Tell whether other processes, and this one without ``keep``, have the same secrets."""
    return bool(_given(settings)) or _path(settings).exists()


def derive_key(secret: bytes, purpose: str) -> bytes:
    """Derive the key of one purpose (HKDF-SHA256, RFC 5869, one block)."""
    extracted = hmac.digest(_SALT, secret, hashlib.sha256)
    return hmac.digest(extracted, purpose.encode() + b"\x01", hashlib.sha256)


def _given(settings: Settings) -> tuple[str, ...]:
    if settings.secret_keys:
        return settings.secret_keys
    if settings.convex_deploy_key:
        return (settings.convex_deploy_key,)
    key = settings.assistant.model.api_key or ""
    return (key,) if len(key) >= _MIN_SECRET_CHARS else ()


def _path(settings: Settings) -> Path:
    return (settings.sqlite_path or Path("data/chat.db")).parent / FILE_NAME


def _kept_secret(path: Path) -> bytes:
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Written whole under another name, then linked: of two processes
        # that start at once one wins, and both read its secret.
        descriptor, draft = tempfile.mkstemp(dir=path.parent)  # readable by its owner only
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(32))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            Path(draft).unlink()
    return path.read_bytes().strip()
