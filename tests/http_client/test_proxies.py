"""Which proxy stands before which server, as httpx decides it."""

import pytest

from app.http_client.proxies import Proxies, Proxy

PROXY = Proxy("http", "proxy.example", 3128)
OTHER = Proxy("https", "other.example", 443)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://proxy.example:3128", PROXY),
        ("proxy.example:3128", PROXY),
        ("HTTP://Proxy.Example:3128/", PROXY),
        ("https://other.example", OTHER),
        ("http://proxy.example", Proxy("http", "proxy.example", 80)),
        ("http://[::1]:8080", Proxy("http", "::1", 8080)),
        (
            "http://me:p%40ss@proxy.example:3128",
            Proxy("http", "proxy.example", 3128, "Basic bWU6cEBzcw=="),
        ),
        (
            "http://me@proxy.example:3128",
            Proxy("http", "proxy.example", 3128, "Basic bWU6"),
        ),
    ],
)
def test_address_of_a_proxy(text: str, expected: Proxy) -> None:
    assert Proxy.parse(text) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("socks5://me:secret@host:1080", "SOCKS"),
        ("socks5h://host", "SOCKS"),
        ("socks4a://host", "SOCKS"),
        ("ftp://secret@host", "no proxy's address"),
        ("http://", "no proxy's address"),
        ("http://secret@host:port", "no address"),
        ("http://host:0", "no proxy's address"),
        ("http://[secret", "no address"),
        ("http://host\n", "no proxy's address"),
    ],
)
def test_what_is_no_proxy_is_told_without_its_password(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as refused:
        Proxy.parse(text)

    assert "secret" not in str(refused.value)


def test_proxy_is_named_without_its_password() -> None:
    proxy = Proxy.parse("http://me:secret@proxy.example:3128")

    assert str(proxy) == "http://proxy.example:3128"
    assert "secret" not in repr(proxy)
    assert "bWU6" not in repr(proxy)


def test_each_scheme_has_its_own_and_all_stands_in() -> None:
    proxies = Proxies({"https": PROXY, "all": OTHER})

    assert proxies.of("https://api.openai.com/v1") == PROXY
    assert proxies.of("http://localhost:11434/v1") == OTHER
    assert Proxies({"https": PROXY}).of("http://localhost:11434/v1") is None
    assert Proxies().of("https://api.openai.com") is None


@pytest.mark.parametrize(
    ("rule", "url", "direct"),
    [
        ("*", "https://anything.example", True),
        ("example.com", "https://example.com/v1", True),
        ("example.com", "https://api.example.com", True),
        ("example.com", "https://EXAMPLE.com.", True),
        ("example.com", "https://badexample.com", False),
        (".example.com", "https://api.example.com", True),
        (".example.com", "https://example.com", False),
        ("*.example.com", "https://api.example.com", True),
        ("example.com:8443", "https://example.com:8443", True),
        ("example.com:8443", "https://example.com", False),
        ("example.com:443", "https://example.com", True),
        ("example.com:80", "http://example.com", True),
        ("localhost", "http://localhost:11434", True),
        ("localhost", "http://api.localhost", False),
        ("127.0.0.1", "http://127.0.0.1:8000", True),
        ("127.0.0.1", "http://127.0.0.2:8000", False),
        ("127.0.0.1:8000", "http://127.0.0.1:8000", True),
        ("127.0.0.1:8000", "http://127.0.0.1:8001", False),
        ("10.0.0.0/8", "http://10.20.30.40:8000", True),
        ("10.0.0.0/8", "http://11.0.0.1:8000", False),
        ("10.0.0.0/8", "http://example.com", False),
        ("::1", "http://[::1]:8000", True),
        ("[::1]", "http://[::1]:8000", True),
        ("[::1]:8000", "http://[::1]:8000", True),
        ("[::1]:8000", "http://[::1]:8001", False),
        ("fd00::/8", "http://[fd12::1]", True),
        ("https://example.com", "https://example.com", True),
        ("https://example.com", "http://example.com", False),
        ("all://example.com", "http://example.com", True),
        ("https://example.com", "https://api.example.com", False),
        ("[half", "https://half", False),
        (":", "https://example.com", False),
    ],
)
def test_who_is_asked_without_a_proxy(rule: str, url: str, direct: bool) -> None:
    proxies = Proxies({"all": PROXY}, exempt=("elsewhere.example", rule))

    assert (proxies.of(url) is None) is direct
