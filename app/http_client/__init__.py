"""A small HTTP/1.1 client on gevent sockets: one pool, one TLS context, no threads.

Perch talks to two servers all day, the model's and Convex's. A general
client spends 0.3 to 5 ms of CPU on each call and switches greenlets for every
network read; this one parses with llhttp (``httptools``), keeps connections
alive, and can move a response's bytes inside gevent's hub (``Exchange.pump``)
while the calling greenlet sleeps. See ``docs/adr/0002-own-http-client.md``.

It speaks what those servers speak: no redirects, cookies or compression (it
asks for ``identity``).

Read top-down: ``client`` is the pool, ``exchange`` one request with its
response, ``parser`` what its bytes say, ``pump`` their way through the hub
(``shortcut`` past the parser, ``linger`` behind the end), ``connection`` the
socket under them; ``route`` opens one, over a proxy where there is one, and
``happy_eyeballs`` chooses among a name's addresses.
"""

from app.http_client.client import HttpClient, Response
from app.http_client.connection import make_tls_context
from app.http_client.exchange import Exchange
from app.http_client.failures import (
    HttpAddressRefused,
    HttpBroken,
    HttpConnectFailed,
    HttpFailure,
    HttpProxyRefused,
    HttpTimeout,
)

__all__ = [
    "Exchange",
    "HttpAddressRefused",
    "HttpBroken",
    "HttpClient",
    "HttpConnectFailed",
    "HttpFailure",
    "HttpProxyRefused",
    "HttpTimeout",
    "Response",
    "make_tls_context",
]
