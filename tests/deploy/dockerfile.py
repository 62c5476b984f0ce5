"""As much of a Dockerfile as ours needs, understood without Docker."""

import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Stage:
    """One ``FROM`` and what follows; instructions in order."""

    base: str
    name: str
    instructions: list[tuple[str, str]] = field(default_factory=list)

    def all(self, word: str) -> list[str]:
        """Return the arguments of every such instruction."""
        return [argument for instruction, argument in self.instructions if instruction == word]

    def one(self, word: str) -> str:
        (argument,) = self.all(word)
        return argument

    @property
    def variables(self) -> dict[str, str]:
        words = [word for line in self.all("ENV") for word in shlex.split(line)]
        return dict(word.split("=", 1) for word in words)


def parse(path: Path) -> tuple[dict[str, str], list[Stage]]:
    """Return the arguments before the first stage, and the stages."""
    text = re.sub(r"^\s*#.*\n", "", path.read_text(), flags=re.M)
    lines = [line for line in re.sub(r"\\\n", " ", text).splitlines() if line.strip()]
    arguments: dict[str, str] = {}
    stages: list[Stage] = []
    for line in lines:
        word, _, argument = line.partition(" ")
        if word == "FROM":
            base, _, name = argument.partition(" AS ")
            stages.append(Stage(base, name))
        elif not stages:
            name, _, value = argument.partition("=")
            arguments[name] = value
        else:
            stages[-1].instructions.append((word, argument.strip()))
    return arguments, stages


def command(stage: Stage) -> list[str]:
    """Return what the image runs."""
    words: list[str] = json.loads(stage.one("ENTRYPOINT")) + json.loads(stage.one("CMD"))
    return words


def health_command(stage: Stage) -> list[str]:
    """Return how the image is asked whether it is well."""
    words: list[str] = json.loads(stage.one("HEALTHCHECK").partition(" CMD ")[2])
    return words


def copied(stages: list[Stage]) -> list[str]:
    """Return the paths of the checkout that end up in the last stage's /app."""
    sources = [word for line in stages[-1].all("COPY") for word in line.split()[1:-1]]
    return [source.removeprefix("/app/") for source in sources if source.startswith("/app/")]
