"""Commands for scripts, cron and a look by hand: ``python -m app --help``.

They use the store and the settings that the server would use here, beside it
or without it; each says which store that is, and none makes one.
"""

from flask import Flask

from app.cli.backfill import backfill
from app.cli.conversations import conversations
from app.cli.doctor import doctor
from app.cli.knowledge.answers import answers
from app.cli.knowledge.learn import learn
from app.cli.knowledge.unanswered import unanswered
from app.cli.knowledge.vectors import vectors
from app.cli.people import close, inbox, release, reply, take
from app.cli.purge import purge
from app.cli.sign_in import sign_in
from app.cli.stats import stats
from app.cli.switch import switch
from app.cli.verifying.verify import verify


def register(app: Flask) -> None:
    """Give an application its commands."""
    for command in (
        conversations, learn, answers, unanswered, stats, purge, backfill, doctor, verify, switch,
        sign_in, vectors, inbox, take, reply, release, close,
    ):  # fmt: skip
        app.cli.add_command(command)
