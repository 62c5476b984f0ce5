"""Somebody's web site: pages with the embed tag, on another origin than the server's."""

import html
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from tests.servers.perch import WIDGET_KEY

PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>A shop</title></head>
<body><main><h1>A shop</h1><p>Things <a href="#more">to buy</a>.</p>{body}</main>
{script}</body></html>"""


def tag(server_url: str, **options: str) -> str:
    """Write the embed tag; an option's underscores are hyphens."""
    given = {"api_url": f"{server_url}/chat", "api_key": WIDGET_KEY, **options}
    attributes = " ".join(
        f'data-{name.replace("_", "-")}="{html.escape(value)}"' for name, value in given.items()
    )
    return f'<script src="{server_url}/widget/chat-widget.js" {attributes} defer></script>'


class Site(ThreadingHTTPServer):
    """A context manager; each ``page()`` has an address of its own."""

    def __init__(self, server_url: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.server_url = server_url
        self.origin = f"http://127.0.0.1:{self.server_port}"
        self.pages: list[str] = []

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    def page(self, body: str = "", **options: str) -> str:
        """Return the address of a page with this in it, and the widget with these options."""
        return self.add(PAGE.format(body=body, script=tag(self.server_url, **options)))

    def add(self, document: str) -> str:
        """Return the address of a whole document."""
        self.pages.append(document)
        return f"{self.origin}/{len(self.pages) - 1}"


class _Handler(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        name = self.path.strip("/").partition("?")[0]
        found = name.isdigit() and int(name) < len(self.server.pages)
        body = self.server.pages[int(name)].encode() if found else b""
        self.send_response(200 if found else 204)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
