"""What each platform's file says: how the service starts there, and how it is stopped."""

import configparser
import json
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from signal import Signals
from typing import Any

import yaml

from tests.deploy import dockerfile

ROOT = Path(__file__).parents[2]
# What no file holds: the owner types these in, or the platform makes them up.
KEYS = ("WIDGET_API_KEY", "ADMIN_API_KEY", "OPENAI_API_KEY", "CORS_ORIGIN")
CONVEX = ("CONVEX_URL", "CONVEX_DEPLOY_KEY")


@dataclass(frozen=True)
class Platform:
    """One way to run the service.

    ``asked`` are variables without a value of their own. ``to_all``: the stop
    signal reaches the workers as well. ``is_image``: what runs is what the
    Dockerfile copies.
    """

    name: str
    command: list[str]
    variables: Mapping[str, str]
    asked: tuple[str, ...]
    health_path: str
    stop_s: int
    stop_signal: Signals = Signals.SIGTERM
    to_all: bool = False
    is_image: bool = False
    given: Mapping[str, str] = field(default_factory=dict)

    @property
    def in_convex(self) -> bool:
        """Whether conversations live in Convex there, or in a file."""
        return "CONVEX_URL" in self.asked


def render() -> Platform:
    (service,) = yaml.safe_load((ROOT / "render.yaml").read_text())["services"]
    rows = service["envVars"]
    return Platform(
        name="render",
        command=shlex.split(service["startCommand"]),
        variables={row["key"]: row["value"] for row in rows if "value" in row},
        asked=tuple(row["key"] for row in rows if "value" not in row),
        health_path=service["healthCheckPath"],
        stop_s=service["maxShutdownDelaySeconds"],
        given={"RENDER": "true", "PORT": "10000"},
    )


def railway() -> Platform:
    deploy = json.loads((ROOT / "railway.json").read_text())["deploy"]
    return Platform(
        name="railway",
        command=shlex.split(deploy["startCommand"]),
        variables=image().variables,
        asked=(*KEYS, *CONVEX),
        health_path=deploy["healthcheckPath"],
        stop_s=deploy["drainingSeconds"],
        is_image=True,
        given={"RAILWAY_ENVIRONMENT_NAME": "production", "PORT": "8080"},
    )


def fly() -> Platform:
    file = fly_toml()
    return Platform(
        name="fly",
        command=dockerfile.command(image()),
        variables={**image().variables, **file["env"]},
        asked=KEYS,
        health_path=file["http_service"]["checks"][0]["path"],
        stop_s=file["kill_timeout"],
        stop_signal=Signals[file["kill_signal"]],
        is_image=True,
        given={"FLY_APP_NAME": "perch"},
    )


def heroku() -> Platform:
    process, _, command = (ROOT / "Procfile").read_text().strip().partition(": ")
    assert process == "web"
    return Platform(
        name="heroku",
        command=shlex.split(command),
        variables={},
        asked=(*KEYS, *CONVEX),
        health_path="/health",  # Heroku asks for none: the router waits for the port
        stop_s=30,
        to_all=True,
        # The buildpack sets the workers by the dyno's size.
        given={"DYNO": "web.1", "PORT": "31337", "WEB_CONCURRENCY": "2"},
    )


def compose() -> Platform:
    service = compose_yaml()["services"]["perch"]
    assert service["stop_grace_period"].endswith("s")
    defaults = {"${WEB_CONCURRENCY:-1}": "1", "${REDIS_URL:-}": ""}
    written = {name: defaults.get(value, value) for name, value in service["environment"].items()}
    return Platform(
        name="docker",
        command=dockerfile.command(image()),
        variables={**image().variables, **written},
        asked=KEYS,
        health_path="/health",
        stop_s=int(service["stop_grace_period"][:-1]),
        stop_signal=Signals[image().one("STOPSIGNAL")],
        is_image=True,
    )


def host() -> Platform:
    unit = systemd_unit()["Service"]
    return Platform(
        name="host",
        command=shlex.split(unit["ExecStart"][0]),
        variables=dict(word.split("=", 1) for word in unit["Environment"]),
        asked=KEYS,
        health_path="/health",
        stop_s=int(unit["TimeoutStopSec"][0]),
        stop_signal=Signals[unit["KillSignal"][0]],
    )


PLATFORMS: dict[str, Callable[[], Platform]] = {
    each.__name__: each for each in (render, railway, fly, heroku, compose, host)
}


@cache
def image() -> dockerfile.Stage:
    """Return the Dockerfile's last stage: what runs."""
    return dockerfile.parse(ROOT / "Dockerfile")[1][-1]


@cache
def fly_toml() -> dict[str, Any]:
    return tomllib.loads((ROOT / "fly.toml").read_text())


@cache
def compose_yaml() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return parsed


@cache
def systemd_unit() -> dict[str, dict[str, list[str]]]:
    """Return the unit's sections; a key may stand in one several times."""
    parser = configparser.RawConfigParser(
        dict_type=_Repeating, strict=False, empty_lines_in_values=False
    )
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(ROOT / "deploy/perch.service")
    return {
        name: {key: str(value).split("\n") for key, value in parser.items(name)}
        for name in parser.sections()
    }


class _Repeating(dict[str, Any]):
    """What ``configparser`` fills, in which a second value of a key joins the first."""

    def __setitem__(self, key: str, value: Any) -> None:
        if isinstance(value, list) and key in self:
            self[key].extend(value)
        else:
            super().__setitem__(key, value)


def checkout(target: Path) -> None:
    """Copy what git knows, as a platform that builds from the repository gets it."""
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True,
    ).stdout.decode().split("\0")  # fmt: skip
    _copy([name for name in names if name and not name.startswith(("tests/", "bench/"))], target)


def image_files(target: Path) -> None:
    """Copy what the Dockerfile's last stage holds under /app."""
    wanted = dockerfile.copied(dockerfile.parse(ROOT / "Dockerfile")[1])
    names = [
        str(path.relative_to(ROOT))
        for each in wanted
        for path in ([ROOT / each] if (ROOT / each).is_file() else (ROOT / each).rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    ]
    _copy(names, target)


def _copy(names: list[str], target: Path) -> None:
    for name in names:
        source, copy = ROOT / name, target / name
        if source.is_file():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, copy)  # with its mode
