"""A sender in a process of its own, to be killed: ``python -m … file clock-ahead-s url url``."""

import sys
import time

from app.notifications.endpoint import Endpoint
from app.notifications.sender import Sender
from app.notifications.webhooks import Webhook
from tests.data import some_settings
from tests.notifications.outbox import NoticesInFile, Threads

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="


def main(file: str, ahead_s: str, *urls: str) -> None:
    def clock() -> int:
        return int((time.time() + float(ahead_s)) * 1000)

    settings = some_settings(NOTIFY_PRIVATE_NETWORKS="127.0.0.0/8")
    threads = Threads(clock)
    people = NoticesInFile(file, clock, threads)
    targets = []
    for name, url in zip(("email", "webhook"), urls, strict=True):
        target = Webhook(Endpoint(url, settings.notify_private_networks), [SECRET])
        target.name = name
        targets.append(target)
    assistants = {"default": settings.assistant}
    sender = Sender(threads, people, assistants, targets, clock=clock)  # type: ignore[arg-type]
    print("ready", flush=True)
    sender.watch()


if __name__ == "__main__":
    main(*sys.argv[1:])
