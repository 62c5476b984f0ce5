"""The service as a platform runs it: its files, its command, its variables, its signal."""

import os
import re
import sys
import time
from pathlib import Path
from typing import Self

from tests.convex_server import convex_server
from tests.deploy.platforms import Platform
from tests.servers.perch import ADMIN_KEY, WIDGET_KEY, Server, free_port
from tests.servers.upstream import Upstream

VENV = Path(sys.executable).parent
# Where platforms put things that this machine keeps elsewhere.
_DATA = ("/var/lib/perch", "/data")
_APP = ("/opt/perch", "/app")


class Deployment(Server):
    """A platform's process, over the scripted model; the folder outlives it."""

    def __init__(self, platform: Platform, upstream: Upstream, app: Path, folder: Path) -> None:
        super().__init__(folder)
        self.platform = platform
        self._app = app
        self.command = [self._here(word) for word in platform.command]
        data = folder / "data"
        data.mkdir(exist_ok=True)
        answers = {
            "WIDGET_API_KEY": WIDGET_KEY,
            "ADMIN_API_KEY": ADMIN_KEY,
            "SECRET_KEY": "a-secret-of-the-deployment-tests",
            "DASHBOARD_PASSWORD": "a-password-of-the-deployment-tests",
            "OPENAI_API_KEY": "sk-of-the-deployment-tests",
            "CORS_ORIGIN": "https://site.test",
        }
        if platform.in_convex:
            convex = convex_server()
            answers |= {"CONVEX_URL": convex.url, "CONVEX_DEPLOY_KEY": convex.deploy_key}
        said = {**platform.given, **platform.variables}
        self.environment = {
            "HOME": str(folder),
            "PATH": f"{VENV}:/usr/bin:/bin",
            **{name: self._here(value) for name, value in said.items() if name != "PATH"},
            **{name: answers[name] for name in platform.asked},
            # The tests' own: any free port, the scripted model, and as many chats as a test polls.
            "PORT": str(self.port),
            "OPENAI_BASE_URL": upstream.url,
            "RATE_LIMIT_MAX_REQUESTS": "100000",
        }
        if "METRICS_BIND" in self.environment:
            self.environment["METRICS_BIND"] = f"127.0.0.1:{free_port()}"

    def start(self) -> None:
        """Start the platform's command, in its folder."""
        with self.log_path.open("ab") as log:
            self.process = self.spawn(self.command, self._app, log)

    def stop(self) -> None:
        """Send the platform's stop signal to whom it sends it."""
        if self.platform.to_all:
            os.killpg(self.process.pid, self.platform.stop_signal)
        else:
            self.signal(self.platform.stop_signal)

    def wait_stopped(self) -> float:
        """Wait for the end, at most as long as the platform does; return the seconds."""
        asked_at = time.monotonic()
        assert self.process.wait(self.platform.stop_s) == 0, self.log()
        return time.monotonic() - asked_at

    def start_again(self) -> Self:
        """Start the next process on the same data."""
        self.start()
        self.wait_until_healthy()
        return self

    def _here(self, value: str) -> str:
        for place in _APP:
            value = value.replace(f"{place}/.venv/bin", str(VENV)).replace(place, str(self._app))
        # In one step: what stands here now may itself end in a place's name.
        return re.sub("|".join(_DATA), str(self.directory / "data"), value)
