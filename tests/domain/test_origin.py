"""Origins: one form for those of the settings and those of a browser."""

import pytest

from app.domain.origin import AllowedOrigins, normal_origin, normal_pattern, read_origin


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("https://shop.example", "https://shop.example"),
        ("https://Shop.Example", "https://shop.example"),
        ("HTTPS://shop.example", "https://shop.example"),
        ("https://shop.example:443", "https://shop.example"),
        ("http://shop.example:80", "http://shop.example"),
        ("http://shop.example:443", "http://shop.example:443"),
        ("https://shop.example:08443", "https://shop.example:8443"),
        ("https://shop.example:", "https://shop.example"),
        ("https://shop.example.", "https://shop.example."),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("https://BÜCHER.example", "https://xn--bcher-kva.example"),
        ("https://XN--BCHER-KVA.example", "https://xn--bcher-kva.example"),
        ("https://faß.example", "https://xn--fa-hia.example"),
        ("https://магазин.рф", "https://xn--80aairftm.xn--p1ai"),
        ("http://my_service:3000", "http://my_service:3000"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("http://[0:0:0:0:0:0:0:1]:3000", "http://[::1]:3000"),
        ("https://[2001:0DB8:0000:0000:0000:0000:0000:0001]:443", "https://[2001:db8::1]"),
        ("http://[::ffff:1.2.3.4]", "http://[::ffff:102:304]"),
    ],
)
def test_an_origin_has_one_form(written: str, normal: str) -> None:
    assert normal_origin(written) == normal
    assert normal_origin(normal) == normal
    assert normal_pattern(written) == normal


@pytest.mark.parametrize(
    ("written", "advice"),
    [
        ("ttps://shop.example", "https:// or http://"),
        ("htps://shop.example", "https:// or http://"),
        ("file:///page.html", "https:// or http://"),
        ("shop.example", "write https://shop.example"),
        ("shop.example:8443", "write https://shop.example:8443"),
        ("https:shop.example", "without a path"),
        ("https:/shop.example", "without a path"),
        ("https://", "without a path"),
        ("https://shop.example/", "write https://shop.example,"),
        ("https://shop.example/page", "write https://shop.example,"),
        ("https://shop.example?a=b", "write https://shop.example,"),
        ("https://shop.example#a", "write https://shop.example,"),
        ("https://user:secret@shop.example", "names a user"),
        ("https://a.example;https://b.example", "by commas"),
        ("https://a.example https://b.example", "by commas"),
        ("https://shop.example:port", "a port is a number"),
        ("https://shop.example:0", "a port is a number"),
        ("https://shop.example:65536", "a port is a number"),
        ("https://::1", "in brackets"),
        ("https://[::1", "in brackets"),
        ("https://[::1]3000", "in brackets"),
        ("https://[shop]", "no IPv6 address"),
        ("https://[fe80::1%eth0]", "no zone"),
        ("https://127.1", "four numbers"),
        ("https://shop..example", "host"),
        ("https://shop%2eexample", "host"),
        ('https://"shop.example"', "host"),
        ("https://☕.example", "Punycode"),
        ("null", "without a path"),
        ("", "without a path"),
    ],
)
def test_what_is_no_origin_is_refused_with_what_to_write(written: str, advice: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        normal_pattern(written)

    assert advice in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("https://*.example.com", "https://*.example.com"),
        ("HTTPS://*.Example.com:443", "https://*.example.com"),
        ("http://*.example.com:8080", "http://*.example.com:8080"),
        ("https://*.bücher.example", "https://*.xn--bcher-kva.example"),
        ("http://*.localhost:3000", "http://*.localhost:3000"),
    ],
)
def test_a_wildcard_has_one_form(written: str, normal: str) -> None:
    assert normal_pattern(written) == normal


@pytest.mark.parametrize(
    "written",
    [
        "https://*",
        "https://*.com",
        "https://*.com.",
        "https://*example.com",
        "https://shop.*.com",
        "https://shop.*",
        "https://*.*.example.com",
        "https://**.example.com",
        "*://shop.example.com",
        "https://*.example.com:*",
        "*.example.com",
        "**",
        "https://*.0.0.1",
        "https://*.[::1]",
        "https://*.example.com/",
    ],
)
def test_any_other_wildcard_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        normal_pattern(written)


@pytest.mark.parametrize(
    ("origin", "included"),
    [
        ("https://a.example.com", True),
        ("https://A.EXAMPLE.com:443", True),
        ("https://xn--bcher-kva.example.com", True),
        ("https://example.com", False),
        ("https://a.b.example.com", False),
        ("https://a.example.com.evil.com", False),
        ("https://aexample.com", False),
        ("https://evil.com/.example.com", False),
        ("https://evil.com#.example.com", False),
        ("https://.example.com", False),
        ("https://*.example.com", False),
        ("http://a.example.com", False),
        ("https://a.example.com:8443", False),
        ("https://a@a.example.com", False),
        ("https://a.example.com\n", False),
        ("null", False),
        ("", False),
        ("https://" + "a" * 5000 + ".example.com", False),
    ],
)
def test_a_wildcard_stands_for_one_level_of_one_scheme_and_port(
    origin: str, included: bool
) -> None:
    assert AllowedOrigins(["https://*.example.com"]).include(origin) is included


def test_a_star_is_everybody() -> None:
    assert AllowedOrigins(["*"]).include("null")


@pytest.mark.parametrize(
    "text", ["*", "https://*.example.com", "null", "\0", "https://" + "a" * 9000]
)
def test_no_header_names_a_wildcard(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_origin(text)
