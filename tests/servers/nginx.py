"""A real nginx that runs ``deploy/nginx.conf``, with only names and ports changed."""

import json
import re
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.data import a_tls_certificate
from tests.live.eventually import eventually
from tests.live.exchange import Exchange, request_bytes
from tests.servers.perch import ROOT, free_port

SNIPPET = ROOT / "deploy/nginx.conf"
_MAIN = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    include {folder}/perch.conf;
}}
"""


@dataclass
class Proxy:
    """Where nginx listens, and how it is trusted."""

    port: int
    plain_port: int
    tls: ssl.SSLContext

    def send(
        self, method: str, path: str, body: dict[str, str] | None = None, **headers: str
    ) -> Exchange:
        """Send a request over TLS."""
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        data = json.dumps(body).encode() if body else None
        request = request_bytes(method, path, {"Host": "chat.example.com", **fields}, data)
        return Exchange(("127.0.0.1", self.port), request, tls=self.tls)


@contextmanager
def nginx(folder: Path, upstream_port: int, prefix: str = "") -> Iterator[Proxy]:
    """Run nginx in front of a port; under a path, as the snippet says how."""
    proxy, config = _configure(folder, upstream_port, prefix)
    process = subprocess.Popen([program(), "-c", str(config), "-p", str(folder)])
    try:
        eventually(lambda: _listens(proxy.port))
        yield proxy
    finally:
        process.terminate()
        process.wait(10)


def check_syntax(folder: Path) -> subprocess.CompletedProcess[str]:
    """Let nginx read the snippet."""
    _, config = _configure(folder, 4000)
    return subprocess.run(
        [program(), "-t", "-c", str(config), "-p", str(folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def program() -> str:
    found = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin")
    assert found, "nginx is missing: make test installs it"
    return found


def _configure(folder: Path, upstream_port: int, prefix: str = "") -> tuple[Proxy, Path]:
    folder.mkdir(parents=True, exist_ok=True)
    certificate = a_tls_certificate(folder)
    proxy = Proxy(free_port(), free_port(), ssl.create_default_context(cafile=str(certificate)))
    text = SNIPPET.read_text().replace("127.0.0.1:4000", f"127.0.0.1:{upstream_port}")
    text = re.sub(r"listen \[::\].*;\n", "", text)
    text = text.replace("listen 80;", f"listen 127.0.0.1:{proxy.plain_port};")
    text = text.replace("listen 443 ", f"listen 127.0.0.1:{proxy.port} ")
    text = re.sub(r"/etc/letsencrypt\S+\.pem", str(certificate), text)
    if prefix:
        text = text.replace("location / {", f"location {prefix}/ {{")
        text = text.replace("proxy_pass http://perch;", "proxy_pass http://perch/;")
        text = text.replace('X-Forwarded-Prefix ""', f'X-Forwarded-Prefix "{prefix}"')
    (folder / "perch.conf").write_text(text)
    config = folder / "nginx.conf"
    config.write_text(_MAIN.format(folder=folder))
    return proxy, config


def _listens(port: int) -> bool:
    try:
        Exchange(("127.0.0.1", port), b"").leave()
    except OSError:
        return False
    return True
