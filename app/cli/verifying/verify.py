"""``verify``: every endpoint of a running service, tried once."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import click
from rich.text import Text

from app.cli.printing import print_table
from app.cli.verifying import steps, steps_of_knowledge, steps_of_people
from app.cli.verifying.steps import Key, Step
from app.cli.verifying.visit import Failed, Visit
from app.settings import ENV_FILE_VARIABLE, SettingsFaults, read_environment
from app.settings.addresses import Reader
from app.settings.reader import Declared
from app.settings.syntax import is_url

_STEPS = [*steps.STEPS, *steps_of_knowledge.STEPS, *steps_of_people.STEPS]

Outcome = Literal["good", "skipped", "failed"]

_VARIABLES: dict[Key, str] = {"widget": "WIDGET_API_KEY", "admin": "ADMIN_API_KEY"}
_MARKS = {
    "good": Text("ok", "green"),
    "skipped": Text("not tried", "yellow"),
    "failed": Text("failed", "bold red"),
}


@dataclass(frozen=True, slots=True)
class Result:
    """How one step went."""

    step: Step
    outcome: Outcome
    note: str
    ms: int


@click.command()
@click.argument("url")
def verify(url: str) -> None:
    """Try every endpoint of the service at URL, as a visitor and as an operator.

    The keys come from WIDGET_API_KEY and ADMIN_API_KEY, or from the file that
    --env-file names; without one, what needs it is not tried. Asks the model
    three short questions, and deletes what it stored. Ends with 1 where
    something failed.
    """
    url = url if "://" in url else f"https://{url}"
    if not is_url(url):
        raise click.BadParameter("write where the service is: https://chat.example.com")
    visit = Visit(url)
    click.echo(f"on {visit.url}", err=True)
    keys = _read_keys()
    try:
        visit.reach()
    except Failed as failure:
        raise click.ClickException(f"{visit.url} cannot be reached: {failure}") from failure
    results = [_try(visit, step, keys) for step in _STEPS]
    print_table(
        ("", "Endpoint", "What", "", "ms"),
        [
            (_MARKS[each.outcome], each.step.operation, each.step.claim, each.note, each.ms)
            for each in results
        ],
        whole=("", "Endpoint"),
    )
    untried = visit.documented - {step.operation for step in _STEPS}
    if untried:
        click.echo(f"Documented there, and unknown to this version: {', '.join(sorted(untried))}")
    failed = sum(each.outcome == "failed" for each in results)
    click.echo(f"{len(results) - failed} of {len(results)} as they should be.")
    if failed:
        raise SystemExit(1)


def _read_keys() -> dict[Key, str]:
    """Return the keys as the server reads them, from files and without quotes, too."""
    found: dict[str, str] = {}
    reader = Reader(_environment(), found)
    # Several may be accepted: any of them will do.
    keys: dict[Key, str] = {
        key: (*reader.read(Declared(Reader.keys, name, True, ())), "")[0]
        for key, name in _VARIABLES.items()
    }
    ours = {each for name in _VARIABLES.values() for each in (name, f"{name}_FILE")}
    if faults := {name: fault for name, fault in found.items() if name in ours}:
        raise SystemExit(SettingsFaults(faults).in_words())
    return keys


def _environment() -> Mapping[str, str]:
    # No `.env` of this folder: its keys are of another service than the one at the address.
    if not os.environ.get(ENV_FILE_VARIABLE):
        return os.environ
    try:
        return read_environment().values
    except SettingsFaults as error:
        raise SystemExit(error.in_words()) from error


def _try(visit: Visit, step: Step, keys: Mapping[Key, str]) -> Result:
    key = keys[step.key] if step.key else ""
    if step.key and not key:
        return Result(step, "skipped", f"{_VARIABLES[step.key]} is not set", 0)
    begun_at = time.monotonic()
    try:
        outcome: Outcome = "good"
        note = step.run(visit, key)
    except Failed as failure:
        outcome, note = "failed", str(failure)
    except (KeyError, TypeError, AttributeError) as error:
        # An answer in another shape, or a step that an earlier failure left without its facts.
        outcome, note = "failed", f"lacks {error}"
    return Result(step, outcome, note, round((time.monotonic() - begun_at) * 1000))
