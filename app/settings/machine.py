"""Where this runs: its platform, and names that shells and compilers put into ``HOST``."""

import platform
import socket
from typing import NamedTuple


class Platform(NamedTuple):
    """Where this runs, if that is known, and how visitors' addresses are told there."""

    name: str | None = None
    hops: int = 0
    ip_header: str | None = None


# One variable of its own tells each platform.
PLATFORMS = {
    "RENDER": Platform("Render", hops=2),
    "RAILWAY_ENVIRONMENT_NAME": Platform("Railway", ip_header="X-Real-IP"),
    "FLY_APP_NAME": Platform("Fly.io", ip_header="Fly-Client-IP"),
    "DYNO": Platform("Heroku", hops=1),
}


def names_the_machine(text: str) -> bool:
    """Tell whether this is the machine's own name, or the kind of system that it is.

    csh, zsh and some platforms set ``HOST`` to the first, conda's compilers to the
    second, as in ``x86_64-conda-linux-gnu``. With another network the domain after
    a machine's name changes, in a shell that goes on with the old one.
    """
    name = text.strip().lower()
    if name == "localhost" or name[:1].isdigit() or not name.isascii() or set(name) & set(",:"):
        return False
    own = socket.gethostname().lower()
    return bool(own) and (
        name.partition(".")[0] == own.partition(".")[0]
        or name.startswith(f"{platform.machine().lower()}-")
    )
