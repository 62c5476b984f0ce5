"""What every answer carries, and what it says of itself instead."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.datastructures import Headers
from werkzeug.test import Client

from app.domain.errors import ModelUnavailable
from app.domain.origin import AllowedOrigins
from app.web.answer_headers import API_POLICY, AnswerHeaders
from tests.data import some_settings
from tests.fakes import ScriptedModel

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from tests.conftest import Ask, MakeApp

SITE = "https://www.example.com"
SHOP = "https://shop.example.com"
HOUSE = "http://[::1]:3000"
EVERY_ANSWER = {
    "Content-Security-Policy": API_POLICY,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
TO_A_PAGE = {
    "Access-Control-Allow-Origin": SITE,
    "Access-Control-Expose-Headers": "Retry-After, X-Request-Id",
    "Vary": "Origin",
}


def answering(*headers: tuple[str, str], **variables: str) -> AnswerHeaders:
    """The middleware around an application that answers with these headers."""

    def application(_: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        start_response("200 OK", list(headers))
        return [b""]

    settings = some_settings(**{"CORS_ORIGIN": f"{SITE},{SHOP},{HOUSE}", **variables})
    return AnswerHeaders(application, settings, AllowedOrigins(settings.assistant.origins))


def get(middleware: AnswerHeaders, origin: str = SITE, **more: Any) -> Headers:
    return Client(middleware).open("/", headers={"Origin": origin}, **more).headers


def preflight(middleware: AnswerHeaders, method: str, origin: str = SITE) -> Headers:
    asked = {"Origin": origin, "Access-Control-Request-Method": method}
    return Client(middleware).options("/", headers=asked).headers


def test_every_answer_to_a_page_carries_them() -> None:
    assert dict(get(answering())) == EVERY_ANSWER | TO_A_PAGE


def test_page_that_is_not_listed_gets_those_that_concern_nobody_else() -> None:
    assert dict(get(answering(), "https://evil.example")) == EVERY_ANSWER


@pytest.mark.parametrize("name", ["Content-Security-Policy", "content-security-policy"])
def test_answer_keeps_what_it_says_of_itself(name: str) -> None:
    headers = get(answering((name, "default-src 'self'"), ("Referrer-Policy", "same-origin")))

    assert headers.getlist("Content-Security-Policy") == ["default-src 'self'"]
    assert headers.getlist("Referrer-Policy") == ["same-origin"]
    assert headers.getlist("X-Frame-Options") == ["DENY"]


def test_origin_is_added_to_what_an_answer_varies_by() -> None:
    headers = get(answering(("Vary", "Accept-Encoding")))

    assert headers.getlist("Vary") == ["Accept-Encoding", "Origin"]


def test_answer_for_everybody_is_the_same_for_everybody() -> None:
    """Caches in between keep one copy of the widget, and not one for each site."""
    public = answering(("Access-Control-Allow-Origin", "*"), ("Vary", "Accept-Encoding"))
    expected = EVERY_ANSWER | {"Access-Control-Allow-Origin": "*", "Vary": "Accept-Encoding"}

    for origin in (SITE, HOUSE, "https://evil.example"):
        assert sorted(get(public, origin)) == sorted(expected.items())


@pytest.mark.parametrize("origin", [SITE, SHOP, HOUSE])
def test_listed_origin_may_read(origin: str) -> None:
    assert get(answering(), origin).getlist("Access-Control-Allow-Origin") == [origin]


@pytest.mark.parametrize("origin", ["https://WWW.Example.com:443", "http://[0:0::1]:3000"])
def test_origin_is_said_back_as_it_was_written(origin: str) -> None:
    assert get(answering(), origin).getlist("Access-Control-Allow-Origin") == [origin]


def test_each_subdomain_of_a_wildcard_is_said_back_alone() -> None:
    middleware = answering(CORS_ORIGIN="https://*.example.com")

    allowed = [
        get(middleware, origin).get("Access-Control-Allow-Origin")
        for origin in (SITE, SHOP, "https://example.com", "https://a.b.example.com")
    ]

    assert allowed == [SITE, SHOP, None, None]


@pytest.mark.parametrize(
    "origin",
    [
        "http://[::1]:30000",
        "http://[::1]:3000.evil.example",
        "http://[::2]:3000",
        "http://1:3000",  # what the brackets would match in a pattern
        "http://::3000",
        "https://wwwXexample.com",
        "https://www.example.com.evil.example",
    ],
)
def test_origin_that_resembles_a_listed_one_may_not(origin: str) -> None:
    assert "Access-Control-Allow-Origin" not in get(answering(), origin)


def test_preflights_are_each_answered_by_what_they_ask() -> None:
    middleware = answering()
    asked = ("POST", "PUT", "DELETE", "PUT", "POST")

    allowed = [
        preflight(middleware, method).get("Access-Control-Allow-Methods") for method in asked
    ]

    methods = "DELETE, GET, OPTIONS, POST"
    assert allowed == [methods, None, methods, None, methods]


def test_preflight_of_an_origin_says_nothing_about_its_other_requests() -> None:
    middleware = answering()

    asked = preflight(middleware, "POST")

    assert asked["Access-Control-Max-Age"] == "7200"
    assert "Access-Control-Max-Age" not in get(middleware)
    assert "Access-Control-Allow-Methods" not in preflight(
        middleware, "POST", "https://evil.example"
    )


def test_extensions_are_asked_once_for_each_origin() -> None:
    middleware = answering()

    for _ in range(3):
        for origin in (SITE, SHOP):
            get(middleware, origin)

    assert middleware._remembered.cache_info().misses == 2


def test_number_of_remembered_origins_is_bounded() -> None:
    middleware = answering()

    for number in range(300):
        get(middleware, f"https://site-{number}.example")

    assert middleware._remembered.cache_info().currsize == 256
    assert dict(get(middleware)) == EVERY_ANSWER | TO_A_PAGE


def test_star_is_said_to_everybody_alike() -> None:
    headers = get(answering(CORS_ORIGIN="*"), "https://any.example")

    assert headers.getlist("Access-Control-Allow-Origin") == ["*"]
    assert "Vary" not in headers


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("PUT", "/v1/chat", 405),
        ("POST", "/v1/chat", 401),
        ("GET", "/v1/admin/conversations", 401),
        ("GET", "/static/nothing.css", 404),
    ],
)
def test_refusals_carry_them(make_app: "MakeApp", method: str, path: str, status: int) -> None:
    client = make_app(CORS_ORIGIN=f"{SITE},{SHOP}").test_client()

    response = client.open(path, method=method, headers={"Origin": SITE})

    assert response.status_code == status
    assert dict(response.headers).items() >= (EVERY_ANSWER | TO_A_PAGE).items()


def test_failures_carry_them(ask: "Ask", model: ScriptedModel) -> None:
    model.script(start=ModelUnavailable())

    response = ask()

    assert response.status_code >= 500
    assert dict(response.headers).items() >= EVERY_ANSWER.items()
