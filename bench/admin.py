"""What the operator's pages cost at a million messages: python -m bench.admin PATH [--pages].

PATH is what `bench.seed_store` made, after `python -m app backfill`. Requests
go through the whole application, without a socket; the export's memory is
this process's, and ``--pages`` leaves the exports out.
"""

import re
import resource
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles
from unittest.mock import patch

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.factory import create_app
from app.settings import load

ROUNDS = 60
ADMIN_KEY = "admin-key-of-the-benchmark"
PASSWORD = "password of the benchmark"
_KEY = {"x-admin-api-key": ADMIN_KEY}
_MIB = 1024 * 1024


def open_client(path: Path) -> FlaskClient:
    variables = {
        "APP_ENV": "test",
        "SQLITE_PATH": str(path),
        "ADMIN_API_KEY": ADMIN_KEY,
        "DASHBOARD_PASSWORD": PASSWORD,
        "STORAGE_TIMEOUT_S": "60",
        "MODEL_PRICES": "gpt-4.1-mini=0.4/1.6",
    }
    with patch.dict("os.environ", variables, clear=True):
        return create_app(load()).test_client()


def get(client: FlaskClient, path: str) -> TestResponse:
    response = client.get(path, headers=_KEY)
    assert response.status_code == 200, (path, response.text)
    return response


def sign_in(client: FlaskClient) -> None:
    door = get(client, "/dashboard/login").text
    token = re.search(r'name="token" value="([0-9a-f]+)"', door)
    assert token is not None
    form = {"password": PASSWORD, "token": token[1]}
    assert client.post("/dashboard/login", data=form).status_code == 303


def page(client: FlaskClient, path: str) -> Callable[[int], None]:
    """Ask for the same page again and again."""

    def ask(_round: int) -> None:
        get(client, path)

    return ask


def threads(client: FlaskClient, ids: list[str]) -> Callable[[int], None]:
    """Ask for one conversation after the other."""

    def ask(number: int) -> None:
        get(client, f"/v1/admin/conversations/{ids[number]}")

    return ask


def pages(client: FlaskClient, query: str) -> Callable[[int], None]:
    """Ask for one page after the other, and begin again at the end."""
    cursor = ""

    def ask(_round: int) -> None:
        nonlocal cursor
        told = get(client, f"/v1/admin/conversations?limit=50&{query}{cursor}").json
        assert told is not None
        cursor = f"&cursor={told['nextCursor']}" if "nextCursor" in told else ""

    return ask


def measure(ask: Callable[[int], None]) -> tuple[float, float, float]:
    """Return the median and the 95th percentile of a request, and of its CPU time alone, in ms.

    CPU time counts the store's threads, and not what else the machine does.
    """
    times, cpu_times = [], []
    for each in range(ROUNDS):
        begun_at, cpu_begun_at = time.perf_counter(), time.process_time()
        ask(each)
        times.append((time.perf_counter() - begun_at) * 1000)
        cpu_times.append((time.process_time() - cpu_begun_at) * 1000)
    return median(times), quantiles(times, n=20)[-1], quantiles(cpu_times, n=20)[-1]


def days_ago(first: int, last: int) -> str:
    """Return a query for these days, counted back from today."""
    today = datetime.now(UTC).date()
    return f"from={today - timedelta(days=first)}&to={today - timedelta(days=last)}"


def begin_export(client: FlaskClient, kind: str) -> None:
    """Read the first piece of an export, and leave."""
    response = client.get(f"/v1/admin/export?format={kind}", headers=_KEY, buffered=False)
    assert next(response.iter_encoded())
    response.close()


def export(client: FlaskClient, kind: str) -> tuple[int, float, float, float]:
    """Read a whole export; returns lines, seconds, and MiB before and at most."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    begun_at = time.perf_counter()
    response = client.get(f"/v1/admin/export?format={kind}", headers=_KEY, buffered=False)
    lines = sum(bytes(piece).count(b"\n") for piece in response.iter_encoded())
    took_s = time.perf_counter() - begun_at
    return lines, took_s, before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(path: Path, exports: tuple[str, ...]) -> None:
    client = open_client(path)
    sign_in(client)
    listed = get(client, "/v1/admin/conversations?limit=200").json
    assert listed is not None
    ids = [each["_id"] for each in listed["conversations"]]
    print(f"{listed['total']:,} conversations, {path.stat().st_size / _MIB:,.0f} MiB\n")
    print(f"{'':36}{'median':>9}{'p95':>9}{'CPU p95':>9}  ms")
    for name, ask in (
        ("list", pages(client, "")),
        ("list, thumbs down", pages(client, "feedback=down")),
        ("list, thumbs up", pages(client, "feedback=up")),
        ("list, failed", pages(client, "status=error")),
        ("list, complete", pages(client, "status=complete")),
        ("list, from one day to another", pages(client, days_ago(40, 30))),
        ("list, one user", pages(client, "user=user-4")),
        ("list, a page's prefix", pages(client, "page=https://shop.example/ref")),
        ("search, in every conversation", pages(client, "q=refund")),
        ("search, two words in a row", pages(client, "q=refund+parcel")),
        ("search, five common words in a row", pages(client, "q=soon+soon+soon+soon+soon")),
        ("search, two letters", pages(client, "q=rn")),
        ("search, nowhere", pages(client, "q=xylophone")),
        ("search, that failed, one user's", pages(client, "q=refund&status=error&user=user-4")),
        ("thread", threads(client, ids)),
        ("stats, 30 days", page(client, "/v1/admin/stats")),
        ("stats, a year", page(client, f"/v1/admin/stats?{days_ago(364, 0)}")),
        ("dashboard, overview of 30 days", page(client, "/dashboard/?span=30d")),
        ("dashboard, conversations", page(client, "/dashboard/conversations")),
        ("dashboard, a search", page(client, "/dashboard/conversations?q=refund+parcel")),
        ("dashboard, a conversation", page(client, f"/dashboard/conversations/{ids[0]}")),
        ("export, first bytes, JSONL", lambda _: begin_export(client, "jsonl")),
        ("export, first bytes, CSV", lambda _: begin_export(client, "csv")),
    ):
        print(f"{name:36}{''.join(f'{ms:9.1f}' for ms in measure(ask))}", flush=True)
    for kind in exports:
        lines, took_s, before, most = export(client, kind)
        print(
            f"\nexport, {kind}: {lines:,} lines in {took_s:.0f} s; "
            f"memory {before:.0f} MiB before, {most:.0f} MiB at most",
            flush=True,
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]), () if "--pages" in sys.argv else ("jsonl", "csv"))
