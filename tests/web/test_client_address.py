"""Who the client is."""

from ipaddress import ip_address

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.web.client_address import client_address, limit_key

PEER = "10.0.0.9"


def address(hops: int = 0, header: str | None = None, **headers: str) -> str:
    environ = {f"HTTP_{name}": value for name, value in headers.items()}
    return client_address({"REMOTE_ADDR": PEER, **environ}, hops, header)


@pytest.mark.parametrize(
    ("hops", "forwarded", "expected"),
    [
        (0, "1.1.1.1", PEER),  # nobody is trusted: the header is the client's own
        (1, "1.1.1.1", "1.1.1.1"),
        (1, "6.6.6.6, 1.1.1.1", "1.1.1.1"),
        (2, "6.6.6.6, 1.1.1.1, 2.2.2.2", "1.1.1.1"),
        (2, "1.1.1.1", PEER),  # fewer hops than there must be
        (1, "", PEER),
        (1, "unknown", PEER),
        (1, "1.1.1.1, <script>", PEER),
        (1, "1.1.1.1:1234", PEER),
        (1, " 2001:DB8::1 ", "2001:db8::1"),
    ],
)
def test_hops_count_from_the_right(hops: int, forwarded: str, expected: str) -> None:
    assert address(hops, X_FORWARDED_FOR=forwarded) == expected


@pytest.mark.parametrize(
    ("told", "expected"),
    [("1.1.1.1", "1.1.1.1"), ("1.1.1.1, 6.6.6.6", PEER), ("", PEER), ("nonsense", PEER)],
)
def test_header_of_the_platform_wins(told: str, expected: str) -> None:
    found = address(1, "Fly-Client-IP", FLY_CLIENT_IP=told, X_FORWARDED_FOR="6.6.6.6")

    assert found == expected


def test_platform_that_tells_nothing_leaves_the_peer() -> None:
    assert address(1, "X-Real-IP", X_FORWARDED_FOR="6.6.6.6") == PEER


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("1.1.1.1", "1.1.1.1", True),
        ("1.1.1.1", "1.1.1.2", False),
        ("2001:db8:1:1::1", "2001:db8:1:1:ffff::2", True),  # one customer's /64
        ("2001:db8:1:1::1", "2001:db8:1:2::1", False),
        ("::ffff:1.1.1.1", "1.1.1.1", True),
        ("::ffff:1.1.1.1", "::ffff:1.1.1.2", False),
        ("fe80::1%eth0", "fe80::1%eth1", True),
    ],
)
def test_limits_are_kept_by_client(one: str, other: str, same: bool) -> None:
    assert (limit_key(one) == limit_key(other)) is same


@pytest.mark.parametrize("nobody", ["", "unix:", "localhost"])
def test_limit_key_is_never_empty(nobody: str) -> None:
    assert limit_key(nobody)


addresses = st.ip_addresses().map(str)
junk = st.text(st.characters(codec="latin-1"), max_size=60) | st.lists(
    addresses | st.text(max_size=5), max_size=5
).map(",".join)


@settings(max_examples=50)
@given(forwarded=junk, real=junk, hops=st.integers(0, 10), by_header=st.booleans())
@example(forwarded="fe80::1%eth0", real="", hops=1, by_header=False)
@example(forwarded="1" * 5000, real="", hops=1, by_header=False)
def test_any_headers_give_an_address(forwarded: str, real: str, hops: int, by_header: bool) -> None:
    header = "X-Real-IP" if by_header else None
    found = address(hops, header, X_FORWARDED_FOR=forwarded, X_REAL_IP=real)

    ip_address(found)
    assert limit_key(found)


@settings(max_examples=50)
@given(client=addresses, spoofed=junk, hops=st.integers(1, 3), proxies=st.lists(addresses))
def test_nothing_that_a_client_sends_moves_its_address(
    client: str, spoofed: str, hops: int, proxies: list[str]
) -> None:
    appended = [client, *(proxies + [PEER] * hops)[: hops - 1]]

    found = address(hops, X_FORWARDED_FOR=",".join([spoofed, *appended]))

    assert found == str(ip_address(client))
