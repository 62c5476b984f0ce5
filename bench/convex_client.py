"""CPU of one Convex call: our store beside the published ``ConvexHttpClient``, in one run.

    python -m bench.convex_client [--calls 300] [--rounds 5]

Both make the same ``turns:begin`` call against a server in another process
that answers at once, over http and over https, in interleaved rounds; the
medians are compared. Exits with 1 where a target is missed.
"""

import argparse
import json
import os
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from convex.http_client import ConvexHttpClient

from app.domain.conversation import Question
from app.storage.convex import ConvexStore

# What one of our calls may cost, as a share of the published client's.
TARGETS = {"http": 2 / 3, "https": 1 / 10}

KEY = "prod:bench|key"
QUESTION = Question(session_id="session-1", turn_id="turn-0001", content="What are your hours?")
ARGS = {
    "question": {
        "sessionId": QUESTION.session_id,
        "turnId": QUESTION.turn_id,
        "content": QUESTION.content,
        "regenerate": False,
    },
    "historyLimit": 30,
    "leaseMs": 70_000,
    "holder": "0123456789abcdef",
}
PROMPT = [
    {"role": "user", "content": "Hi", "turnId": "turn-0000"},
    {"role": "assistant", "content": "Hello! How can I help?", "turnId": "turn-0000"},
    {"role": "user", "content": QUESTION.content, "turnId": QUESTION.turn_id},
]
BEGUN = {"outcome": "begun", "conversationId": "j" * 32, "attempt": 1.0, "prompt": PROMPT}
ANSWER = json.dumps({"status": "success", "value": BEGUN, "logLines": []}).encode()

Call = Callable[[], object]


class Canned(BaseHTTPRequestHandler):
    """Answers every call with the same turn, and keeps its connections."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base's name)
        pass


def serve(certificate: str) -> None:
    """Serve on a free port, with TLS where there is a certificate, and print the port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Canned)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    print(server.server_port, flush=True)
    server.serve_forever()


@contextmanager
def server(scheme: str, certificate: Path) -> Iterator[str]:
    """Run ``serve`` in another process."""
    given = str(certificate) if scheme == "https" else ""
    command = [sys.executable, "-m", "bench.convex_client", "--serve", given]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"{scheme}://localhost:{process.stdout.readline().strip()}"
        process.terminate()


def make_certificate(directory: Path) -> Path:
    """Make a certificate for localhost, and have both clients trust it."""
    path = directory / "localhost.pem"
    certificate = directory / "certificate.pem"
    options = "-x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
    command = ["openssl", "req", *options.split(), "-addext", "subjectAltName=DNS:localhost"]
    files = ["-keyout", str(path), "-out", str(certificate)]
    subprocess.run([*command, *files], check=True, capture_output=True)
    path.write_text(path.read_text() + certificate.read_text())
    os.environ["SSL_CERT_FILE"] = os.environ["REQUESTS_CA_BUNDLE"] = str(path)
    return path


def cpu_us(call: Call, calls: int) -> float:
    """Return the CPU time of one call."""
    began = time.process_time()
    for _ in range(calls):
        call()
    return (time.process_time() - began) / calls * 1e6


def compare(scheme: str, certificate: Path, calls: int, rounds: int) -> dict[str, float]:
    """Measure both clients on one server, by turns."""
    with server(scheme, certificate) as url:
        store = ConvexStore(url, KEY)
        published = ConvexHttpClient(url)
        published.set_admin_auth(KEY)
        clients: dict[str, Call] = {
            "ours": lambda: store.begin_turn(QUESTION, history_limit=30, lease_s=70),
            "published": lambda: published.mutation("turns:begin", ARGS),
        }
        for call in clients.values():
            cpu_us(call, 20)
        taken = [
            {name: cpu_us(call, calls) for name, call in clients.items()} for _ in range(rounds)
        ]
        store.close()
    medians = {name: statistics.median(round_[name] for round_ in taken) for name in clients}
    return {**medians, "ratio": medians["ours"] / medians["published"]}


def main() -> int:
    """Print the table; return an exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--serve")
    options = parser.parse_args()
    if options.serve is not None:
        serve(options.serve)
        return 0
    print(f"{'':8}{'ours, µs':>12}{'published, µs':>16}{'ratio':>8}{'target':>8}")
    missed = False
    with tempfile.TemporaryDirectory() as directory:
        certificate = make_certificate(Path(directory))
        for scheme, target in TARGETS.items():
            found = compare(scheme, certificate, options.calls, options.rounds)
            missed = missed or found["ratio"] > target
            print(
                f"{scheme:8}{found['ours']:12.0f}{found['published']:16.0f}"
                f"{found['ratio']:8.3f}{target:8.3f}"
            )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
