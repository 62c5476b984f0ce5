"""Bad requests, as a table: what is sent, and the documented error that must come back.

Each row is a well-formed HTTP request; what is wrong with HTTP itself stands in
``bad_framing.py``. The server that takes them is configured as ``SERVER`` says. Rows
without an origin are sent from ``PAGE``, which is allowed, so that every answer can
be seen to be readable for the page.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tests.servers.perch import ADMIN_KEY, WIDGET_KEY

PAGE = "https://page.test"
SERVER = {
    "APP_ENV": "test",
    "CORS_ORIGIN": PAGE,
    "WIDGET_API_KEY": WIDGET_KEY,
    "ADMIN_API_KEY": ADMIN_KEY,
    "RATE_LIMIT_MAX_REQUESTS": "100000",
    # Some of what is sent says that more will come, and none does.
    "REQUEST_TIMEOUT_S": "1",
}

JSON_TYPE = {"Content-Type": "application/json"}
KEY = {"x-api-key": WIDGET_KEY}
ADMIN = {"x-admin-api-key": ADMIN_KEY}
GOOD = b'{"sessionId":"s-1","message":"Hi"}'


@dataclass(frozen=True)
class Bad:
    """One bad request; the answer has this status, this code, and nothing but JSON."""

    claim: str
    status: int
    code: str
    method: str = "POST"
    path: str = "/v1/chat"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = GOOD

    def __str__(self) -> str:
        return self.claim

    @property
    def sent_headers(self) -> Mapping[str, str]:
        return {"Origin": PAGE, **self.headers}

    def check(self, status: int, headers: Mapping[str, str], answer: bytes) -> None:
        """Assert that this is the documented error, whole and readable for the page."""
        assert (status, headers["Content-Type"]) == (self.status, "application/json"), answer
        problem = json.loads(answer)
        request_id = headers["X-Request-Id"]
        text = problem["error"]
        details = problem.pop("details", None)
        assert problem == {"error": text, "code": self.code, "requestId": request_id}
        # Only a 400 says what is wrong, in our own words: field by field.
        assert (details is not None) == (status == 400)
        assert text
        origin = self.sent_headers["Origin"]
        assert headers.get("Access-Control-Allow-Origin") == (PAGE if origin == PAGE else None)
        assert headers["X-Content-Type-Options"] == "nosniff"


def body(claim: str, content: bytes, path: str = "/v1/chat") -> Bad:
    """A body that no chat route takes."""
    return Bad(claim, 400, "invalid_request", path=path, headers={**JSON_TYPE, **KEY}, body=content)


def chat(claim: str, **fields: Any) -> Bad:
    """A JSON object with one field that is wrong; ``...`` leaves a field out."""
    whole = {"sessionId": "s-1", "message": "Hi", **fields}
    kept = {name: value for name, value in whole.items() if value is not ...}
    return body(claim, json.dumps(kept).encode())


def text(claim: str, raw: bytes) -> Bad:
    """A message given as raw JSON, for what ``json.dumps`` would not write."""
    return body(claim, b'{"sessionId":"s-1","message":' + raw + b"}")


def typed(claim: str, content_type: str | None) -> Bad:
    headers = KEY if content_type is None else {**KEY, "Content-Type": content_type}
    return Bad(claim, 415, "unsupported_media_type", headers=headers)


def unauthorized(claim: str, headers: Mapping[str, str], path: str = "/v1/chat") -> Bad:
    return Bad(claim, 401, "unauthorized", path=path, headers={**JSON_TYPE, **headers})


def foreign(claim: str, origin: str, **changes: Any) -> Bad:
    headers = {**JSON_TYPE, **KEY, "Origin": origin}
    return Bad(claim, 403, "origin_not_allowed", headers=headers, **changes)


def admin(claim: str, path: str, status: int, code: str, **changes: Any) -> Bad:
    row = {"method": "GET", "headers": ADMIN, "body": None, **changes}
    return Bad(claim, status, code, path=path, **row)


def query(claim: str, text: str) -> Bad:
    return admin(claim, f"/v1/admin/conversations?{text}", 400, "invalid_request")


def missing(claim: str, path: str, method: str = "GET") -> Bad:
    headers = {**KEY, **ADMIN}
    return Bad(claim, 404, "not_found", method, path, headers, body=None)


def method(name: str, path: str) -> Bad:
    headers = {**JSON_TYPE, **KEY, **ADMIN}
    content = GOOD if name in ("POST", "PUT", "PATCH") else None
    return Bad(f"{name} {path}", 405, "method_not_allowed", name, path, headers, content)


MALFORMED = [
    body("an empty body", b""),
    body("only white space", b"  \r\n\t "),
    body("no JSON", b"hello"),
    body("HTML", b"<html></html>"),
    body("a form", b"sessionId=s-1&message=Hi"),
    body("JSON cut short", b'{"sessionId":"s-1","mess'),
    body("a string cut short", b'{"sessionId":"s-1","message":"Hi'),
    body("two objects", GOOD + GOOD),
    body("two objects on two lines", GOOD + b"\n" + GOOD),
    body("a comma too many", b'{"sessionId":"s-1","message":"Hi",}'),
    body("single quotes", b"{'sessionId':'s-1','message':'Hi'}"),
    body("keys without quotes", b'{sessionId:"s-1",message:"Hi"}'),
    body("a comment", b'{"sessionId":"s-1",/* */"message":"Hi"}'),
    body("Python's None", b'{"sessionId":"s-1","message":None}'),
    body("a backslash alone", b'{"sessionId":"s-1","message":"\\"}'),
    body("an unknown escape", b'{"sessionId":"s-1","message":"\\x41"}'),
    body("half an escape", b'{"sessionId":"s-1","message":"\\u00"}'),
    body("a raw newline in a string", b'{"sessionId":"s-1","message":"a\nb"}'),
    body("a raw NUL in a string", b'{"sessionId":"s-1","message":"a\x00b"}'),
    body("a NUL behind the object", GOOD + b"\x00"),
    body("a leading NUL", b"\x00" + GOOD),
    body("a list", b"[]"),
    body("a list with the object", b"[" + GOOD + b"]"),
    body("a string", b'"Hi"'),
    body("a number", b"42"),
    body("null", b"null"),
    body("true", b"true"),
    body("an empty object", b"{}"),
    body("UTF-16", GOOD.decode().encode("utf-16")),
    body("UTF-16 without a mark", GOOD.decode().encode("utf-16-le")),
    body("UTF-32", GOOD.decode().encode("utf-32")),
    body("Latin-1", '{"sessionId":"s-1","message":"café"}'.encode("latin-1")),
    body("a lone continuation byte", b'{"sessionId":"s-1","message":"\x80"}'),
    body("half a character", b'{"sessionId":"s-1","message":"\xe4\xbd"}'),
    body("an overlong slash", b'{"sessionId":"s-1","message":"\xc0\xaf"}'),
    body("a surrogate in UTF-8", b'{"sessionId":"s-1","message":"\xed\xa0\x80"}'),
    body("a character past Unicode", b'{"sessionId":"s-1","message":"\xf4\x90\x80\x80"}'),
    body("the same key twice", b'{"sessionId":"s-1","message":"a","message":"b"}'),
    body("the session twice", b'{"sessionId":"s-1","sessionId":"s-2","message":"a"}'),
    body("an unknown key twice", b'{"sessionId":"s-1","message":"a","x":1,"x":2}'),
    body("the same key twice, deep", b'{"sessionId":"s-1","message":"a","x":{"y":1,"y":2}}'),
    body("a thousand open lists", b"[" * 1000),
    body("10,000 nested lists", b"[" * 10_000 + b"]" * 10_000),
    body("10,000 nested objects", b'{"a":' * 6_000 + b"1" + b"}" * 6_000),
    body("nesting in an ignored key", GOOD[:-1] + b',"x":' + b"[" * 8_000 + b"]" * 8_000 + b"}"),
    body("NaN in an ignored key", b'{"sessionId":"s-1","message":"Hi","x":NaN}'),
    body("Infinity in an ignored key", b'{"sessionId":"s-1","message":"Hi","x":-Infinity}'),
    body("a number of 10,000 digits", GOOD[:-1] + b',"x":' + b"9" * 10_000 + b"}"),
    text("NaN", b"NaN"),
    text("Infinity", b"Infinity"),
    text("a number past all floats", b"1e999"),
    text("5,000 digits", b"1" * 5_000),
    text("a lone high surrogate", b'"\\ud800"'),
    text("a lone low surrogate", b'"a\\udc00b"'),
    text("surrogates the wrong way round", b'"\\ude00\\ud83d"'),
    text("NUL", b'"a\\u0000b"'),
    body("a lone surrogate as a key", b'{"sessionId":"s-1","message":"Hi","\\ud800":1}'),
    *(body(f"no JSON, to {path}", b"{", path) for path in ("/chat", "/v1/chat/stream")),
    *(body(f"an empty object, to {path}", b"{}", path) for path in ("/chat", "/v1/chat/stream")),
]

FIELDS = [
    chat("no session", sessionId=...),
    chat("no message", message=...),
    chat("the names in snake case", sessionId=..., session_id="s-1"),
    chat("a session that is null", sessionId=None),
    chat("a session that is a number", sessionId=5),
    chat("a session that is a list", sessionId=["s-1"]),
    chat("a session that is an object", sessionId={"id": "s-1"}),
    chat("a session that is true", sessionId=True),
    chat("an empty session", sessionId=""),
    chat("a session of 129 characters", sessionId="s" * 129),
    chat("a session with a space", sessionId="s 1"),
    chat("a session that ends in a newline", sessionId="s-1\n"),
    chat("a session that ends in CR LF", sessionId="s-1\r\n"),
    chat("a session that begins with a newline", sessionId="\ns-1"),
    chat("a session of two lines", sessionId="s-1\ns-2"),
    chat("a session with a slash", sessionId="../s-1"),
    chat("a session with a NUL", sessionId="s\0"),
    chat("a session with a quote", sessionId="s'--"),
    chat("a session with an operator", sessionId="$ne"),
    chat("a session with an accent", sessionId="é"),
    chat("a session of Arabic digits", sessionId="١٢٣"),
    chat("a session of full-width letters", sessionId="ｓ"),
    chat("a session that is an emoji", sessionId="👋"),
    chat("a session with a lone surrogate", sessionId="\ud800"),
    chat("a session with a line separator", sessionId="s-1\u2028"),
    chat("a message that is null", message=None),
    chat("a message that is a number", message=5),
    chat("a message that is false", message=False),
    chat("a message that is a list", message=["Hi"]),
    chat("a message that is an object", message={"content": "Hi"}),
    chat("an empty message", message=""),
    chat("a message of 4001 characters", message="m" * 4001),
    chat("a message of 4001 emoji", message="👋" * 4001),
    chat("a message of 60,000 characters", message="m" * 60_000),
    chat("a turn id that is a number", turnId=12345678),
    chat("an empty turn id", turnId=""),
    chat("a turn id of 7 characters", turnId="t" * 7),
    chat("a turn id of 65 characters", turnId="t" * 65),
    chat("a turn id with a space", turnId="turn 0001"),
    chat("a turn id that ends in a newline", turnId="turn-0001\n"),
    chat("a turn id with a lone surrogate", turnId="turn-000\udfff"),
    chat("regenerate that is a word", turnId="turn-0001", regenerate="maybe"),
    chat("regenerate that is 1", turnId="turn-0001", regenerate=1),
    chat("regenerate that is 0", turnId="turn-0001", regenerate=0),
    chat("regenerate that is null", turnId="turn-0001", regenerate=None),
    chat("regenerate that is a list", turnId="turn-0001", regenerate=[]),
    replace(
        chat("regenerate without a turn id", regenerate=True), status=409, code="turn_not_last"
    ),
    chat("a page that is a string", page="https://page.test/"),
    chat("a page that is a list", page=[]),
    chat("a page whose url is a number", page={"url": 5}),
    chat("a page without a url", page={"title": "Home"}),
    chat("a page with a lone surrogate", page={"url": "https://page.test/\ud800"}),
    chat("a page title that is an object", page={"url": "https://page.test/", "title": {}}),
]

MEDIA_TYPES = [
    typed("no media type", None),
    typed("an empty media type", ""),
    typed("plain text", "text/plain"),
    typed("plain text with a charset", "text/plain;charset=UTF-8"),
    typed("a form's type", "application/x-www-form-urlencoded"),
    typed("a multipart form", "multipart/form-data; boundary=x"),
    typed("XML", "application/xml"),
    typed("NDJSON", "application/x-ndjson"),
    typed("text/json", "text/json"),
    typed("a type that begins like JSON", "application/jsonp"),
    typed("JSON as a parameter", "text/plain; application/json"),
    typed("no type at all", "json"),
    typed("noise", ";;;=,"),
    Bad(
        "a preflight-free form from another origin", 403, "origin_not_allowed",
        headers={**KEY, "Content-Type": "text/plain", "Origin": "https://evil.test"},
    ),
]  # fmt: skip

KEYS = [
    unauthorized("no key", {}),
    unauthorized("an empty key", {"x-api-key": ""}),
    unauthorized("a wrong key", {"x-api-key": "nothing-that-would-fit-here"}),
    unauthorized("a key with its last letter missing", {"x-api-key": WIDGET_KEY[:-1]}),
    unauthorized("a key with a letter too many", {"x-api-key": WIDGET_KEY + "x"}),
    unauthorized("a key in capitals", {"x-api-key": WIDGET_KEY.upper()}),
    unauthorized("a key in quotes", {"x-api-key": f'"{WIDGET_KEY}"'}),
    unauthorized("a key of 4,000 characters", {"x-api-key": "k" * 4_000}),
    unauthorized("a key with an accent", {"x-api-key": "clé"}),
    unauthorized("a key of raw bytes", {"x-api-key": "\xff\xfe\x80"}),
    unauthorized("two keys in one header", {"x-api-key": f"{WIDGET_KEY},{WIDGET_KEY}"}),
    unauthorized("the admin key", {"x-api-key": ADMIN_KEY}),
    unauthorized("the widget key as the admin's", {"x-admin-api-key": WIDGET_KEY}),
    unauthorized("the widget key as a bearer", {"Authorization": f"Bearer {WIDGET_KEY}"}),
    unauthorized("the widget key as basic", {"Authorization": "Basic eDp5"}),
    unauthorized("the widget key as a cookie", {"Cookie": f"x-api-key={WIDGET_KEY}"}),
    unauthorized(
        "a wrong first key and a right second", {"x-api-key": "x", "x-widget-api-key": WIDGET_KEY}
    ),
    unauthorized("a wrong widget header", {"x-widget-api-key": "x"}),
    unauthorized("the key in the query", {}, f"/v1/chat?x-api-key={WIDGET_KEY}"),
    unauthorized("no key, to the stream", {}, "/v1/chat/stream"),
    unauthorized("no key, to the alias", {}, "/chat"),
    unauthorized("a false address and no key", {"X-Forwarded-For": "127.0.0.1, ::1"}),
    unauthorized("an address that is noise", {"X-Forwarded-For": "'; --, [::, \xe9"}),
    unauthorized("a very long address", {"X-Forwarded-For": "1.2.3.4, " * 400}),
    unauthorized("a false host", {"Forwarded": "for=x", "X-Forwarded-Host": "evil.test"}),
    unauthorized("a method override", {"X-HTTP-Method-Override": "DELETE"}),
    admin("no admin key", "/v1/admin/conversations", 401, "unauthorized", headers={}),
    admin(
        "a wrong admin key", "/v1/admin/conversations", 401, "unauthorized",
        headers={"x-admin-api-key": "x"},
    ),
    admin(
        "the widget key for the admin", "/v1/admin/conversations", 401, "unauthorized",
        headers={"x-api-key": WIDGET_KEY, "x-admin-api-key": WIDGET_KEY},
    ),
    admin(
        "an admin key with an accent", "/v1/admin/conversations", 401, "unauthorized",
        headers={"x-admin-api-key": "clé"},
    ),
    admin(
        "no admin key for an unknown conversation", "/v1/admin/conversations/nothing", 401,
        "unauthorized", headers={},
    ),
]  # fmt: skip

ORIGINS = [
    foreign("another origin", "https://evil.test"),
    foreign("the origin null", "null"),
    foreign("a file", "file://"),
    foreign("the same host over http", "http://page.test"),
    foreign("another port", "https://page.test:8443"),
    foreign("a host that ends alike", "https://evilpage.test"),
    foreign("a host that begins alike", "https://page.test.evil.test"),
    foreign("a subdomain", "https://www.page.test"),
    foreign("an origin with a trailing slash", "https://page.test/"),
    foreign("a path", "https://page.test/chat"),
    foreign("two origins", "https://page.test, https://evil.test"),
    foreign("two origins, spaced", "https://evil.test https://page.test"),
    foreign("a star", "*"),
    foreign("a dot behind the host", "https://page.test."),
    foreign("an @", "https://page.test@evil.test"),
    foreign("a host in Cyrillic", "https://p\xe0ge.test"),
    foreign("an origin of 3,000 characters", "https://" + "a" * 3_000),
    foreign("another origin, to the stream", "https://evil.test", path="/v1/chat/stream"),
    foreign("another origin, to the alias", "https://evil.test", path="/chat"),
    foreign("another origin with a bad body", "https://evil.test", body=b"{"),
    admin(
        "another origin with the admin key", "/v1/admin/conversations", 403, "origin_not_allowed",
        headers={**ADMIN, "Origin": "https://evil.test"},
    ),
    Bad(
        "a preflight from another origin", 403, "origin_not_allowed", "OPTIONS", "/v1/chat",
        {"Origin": "https://evil.test", "Access-Control-Request-Method": "POST"}, None,
    ),
]  # fmt: skip

SIZES = [
    Bad(
        "a body of 2 MB", 413, "payload_too_large",
        headers={**JSON_TYPE, **KEY}, body=b" " * 2_000_000 + GOOD,
    ),
    Bad(
        "a body of 2 MB, to the stream", 413, "payload_too_large", path="/v1/chat/stream",
        headers={**JSON_TYPE, **KEY}, body=GOOD[:-1] + b',"x":"' + b"y" * 2_000_000 + b'"}',
    ),
    Bad(
        "a message of 1,000,000 characters", 413, "payload_too_large",
        headers={**JSON_TYPE, **KEY},
        body=b'{"sessionId":"s-1","message":"' + b"m" * 1_000_000 + b'"}',
    ),
]  # fmt: skip

PATHS = [
    missing("an unknown path", "/nothing"),
    missing("the root of v1", "/v1"),
    missing("the root of the admin", "/v1/admin"),
    missing("a trailing slash", "/v1/chat/", "POST"),
    missing("other capitals", "/V1/Chat", "POST"),
    missing("a version that is not", "/v2/chat", "POST"),
    missing("a file of ours", "/wsgi.py"),
    missing("the settings", "/.env"),
    missing("the repository", "/.git/config"),
    missing("a way out of the widget", "/widget/../wsgi.py"),
    missing("a hidden way out of the widget", "/widget/%2e%2e/wsgi.py"),
    missing("a way out with backslashes", "/widget/..%5c..%5cwsgi.py"),
    missing("another file of the widget", "/widget/nothing.js"),
    missing("a path with a NUL", "/v1/chat%00", "POST"),
    missing("a path that is no UTF-8", "/%ff%fe"),
    missing("a path with a newline", "/nothing%0d%0aSet-Cookie:%20a=b"),
    missing("a path of 3,000 characters", "/" + "a" * 3_000),
    missing("an unknown path, posted to", "/nothing", "POST"),
    missing("an unknown path, deleted", "/nothing", "DELETE"),
]

METHODS = [
    *(method(name, "/v1/chat") for name in ("GET", "PUT", "PATCH", "DELETE", "TRACE", "BREW")),
    *(method(name, "/v1/chat/stream") for name in ("GET", "PUT", "DELETE")),
    method("GET", "/chat"),
    method("POST", "/health"),
    method("DELETE", "/ready"),
    method("POST", "/v1/admin/conversations"),
    method("PUT", "/v1/admin/conversations"),
    method("POST", "/widget/chat-widget.js"),
    method("PUT", "/v1/openapi.json"),
]

ADMIN_READS = [
    query("a limit of 0", "limit=0"),
    query("a limit below 0", "limit=-1"),
    query("a limit of 201", "limit=201"),
    query("a limit past all integers", "limit=" + "9" * 40),
    query("a limit of 5,000 digits", "limit=" + "9" * 3_000),
    query("a limit that is a word", "limit=ten"),
    query("a limit that is empty", "limit="),
    query("a limit with a fraction", "limit=1.5"),
    query("a limit in powers", "limit=1e2"),
    query("a limit in hexadecimal", "limit=0x10"),
    query("a limit with an underscore", "limit=1_0"),
    query("a limit in Arabic digits", "limit=%D9%A1"),
    query("a limit that is no UTF-8", "limit=%ff"),
    query("a limit with a NUL", "limit=10%00"),
    query("a limit that is NaN", "limit=NaN"),
    query("a limit of null", "limit=null"),
    query("a cursor that is a word", "cursor=nothing"),
    query("a cursor that is base64 of nothing", "cursor=bm90aGluZw"),
    query("a cursor that is no base64", "cursor=%25%25"),
    query("a cursor that is no UTF-8", "cursor=%ff"),
    query("a cursor with a NUL", "cursor=%00"),
    query("a cursor with quotes", "cursor=%27%20OR%201=1--"),
    query("a cursor of 3,000 characters", "cursor=" + "A" * 3_000),
    admin(
        "an unknown conversation", "/v1/admin/conversations/nothing", 404, "conversation_not_found"
    ),
    admin(
        "a conversation of quotes", "/v1/admin/conversations/'%20OR%201=1--", 404,
        "conversation_not_found",
    ),
    admin(
        "a conversation past all integers", "/v1/admin/conversations/" + "9" * 40, 404,
        "conversation_not_found",
    ),
    admin(
        "a conversation with an accent", "/v1/admin/conversations/%C3%A9", 404,
        "conversation_not_found",
    ),
    admin(
        "a conversation that is no UTF-8", "/v1/admin/conversations/%ff", 404,
        "conversation_not_found",
    ),
    admin(
        "a conversation with a NUL", "/v1/admin/conversations/a%00b", 404,
        "conversation_not_found",
    ),
    admin(
        "a conversation of 129 characters", "/v1/admin/conversations/" + "c" * 129, 400,
        "invalid_request",
    ),
    admin(
        "a conversation of 3,000 characters", "/v1/admin/conversations/" + "c" * 3_000, 400,
        "invalid_request",
    ),
]  # fmt: skip

BAD_REQUESTS = [
    *MALFORMED,
    *FIELDS,
    *MEDIA_TYPES,
    *KEYS,
    *ORIGINS,
    *SIZES,
    *PATHS,
    *METHODS,
    *ADMIN_READS,
]
