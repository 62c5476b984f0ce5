"""Who the client is."""

import logging
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.web.guards.client_address import ClientAddresses, limit_key, normal_address
from app.web.proxies import TrustedProxies

PEER = "10.0.0.9"


def address(
    hops: int = 0, header: str | None = None, peer: str = PEER, proxies: str = "", **headers: str
) -> str:
    environ = {f"HTTP_{name}": value for name, value in headers.items()}
    trusted = TrustedProxies([ip_network(proxies)] if proxies else [])
    return ClientAddresses(hops, header, trusted).find({"REMOTE_ADDR": peer, **environ})


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
        (1, "1.1.1.1:1234", "1.1.1.1"),
        (2, "[2001:db8::1]:443, 2.2.2.2:80", "2001:db8::1"),
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


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7:51234", "203.0.113.7"),
        ('"203.0.113.7:51234"', "203.0.113.7"),
        ("[203.0.113.7]:80", "203.0.113.7"),
        ("203.0.113.7:", "203.0.113.7"),
        ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ('"[2001:db8::1]"', "2001:db8::1"),
        ('"[2001:db8::1]:443"', "2001:db8::1"),
        ("'2001:db8::1'", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%25eth0]:443", "fe80::1"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("[::FFFF:cb00:7107]:443", "203.0.113.7"),
        ("", None),
        ("unknown", None),
        ("_hidden", None),
        ("203.0.113.7:port", None),
        ("203.0.113.7:1234567", None),
        ("203.0.113.7%eth0", None),
        ("203.0.113", None),
        ("[2001:db8::1", None),
        ("[2001:db8::1]443", None),
        ("[]", None),
        ("1" * 5000, None),
    ],
)
def test_an_address_has_one_form(written: str, expected: str | None) -> None:
    assert normal_address(written) == expected


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        ("::ffff:203.0.113.9", "203.0.113.9"),  # a socket of both families
        ("fe80::1%eth0", "fe80::1"),
        ("", ""),  # a Unix socket
    ],
)
def test_the_peer_itself_has_that_form_too(peer: str, expected: str) -> None:
    assert address(peer=peer) == expected


@pytest.mark.parametrize(("hops", "header"), [(1, None), (0, "X-Real-IP")])
@pytest.mark.parametrize(
    ("peer", "is_believed"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("", True),
        ("10.1.2.3", True),
        ("172.31.0.1", True),
        ("192.168.1.1", True),
        ("100.64.0.9", True),  # Railway's
        ("fdaa:0:1::3", True),  # Fly's
        ("fe80::1%eth0", True),
        ("::ffff:10.1.2.3", True),
        ("172.32.0.1", False),
        ("100.128.0.1", False),
        ("203.0.113.9", False),
        ("2001:db8::9", False),
        ("::ffff:203.0.113.9", False),
        ("0.0.0.0", False),
    ],
)
def test_only_private_peers_speak_for_clients(
    peer: str, is_believed: bool, hops: int, header: str | None
) -> None:
    found = address(hops, header, peer, X_FORWARDED_FOR="6.6.6.6", X_REAL_IP="6.6.6.6")

    assert (found == "6.6.6.6") is is_believed


def test_named_proxies_take_the_place_of_private_ones() -> None:
    told = {"X_FORWARDED_FOR": "6.6.6.6"}

    assert address(1, None, "203.0.113.9", "203.0.113.0/24", **told) == "6.6.6.6"
    assert address(1, None, "10.0.0.9", "203.0.113.0/24", **told) == "10.0.0.9"
    assert address(1, None, "", "203.0.113.0/24", **told) == "6.6.6.6"


@pytest.mark.parametrize(
    ("hops", "header", "peer", "told", "advice"),
    [
        (0, None, PEER, "1.1.1.1", "TRUSTED_PROXY_HOPS"),
        (1, None, PEER, "unknown", "TRUSTED_PROXY_HOPS"),
        (2, None, PEER, "1.1.1.1", "TRUSTED_PROXY_HOPS"),
        (0, "X-Forwarded-For", PEER, "1.1.1.1, 2.2.2.2", "CLIENT_IP_HEADER"),
        (1, None, "203.0.113.9", "1.1.1.1", "TRUSTED_PROXIES"),
    ],
)
def test_what_does_not_tell_the_client_is_said_once(
    hops: int,
    header: str | None,
    peer: str,
    told: str,
    advice: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    clients = ClientAddresses(hops, header, TrustedProxies())

    with caplog.at_level(logging.WARNING):
        for number in range(3):
            clients.find(
                {"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": f"{number}{'x' * 5000}, {told}"}
                if told == "unknown"
                else {"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": told}
            )

    assert len(caplog.records) == 1
    assert advice in caplog.text
    assert len(caplog.text) < 500


@pytest.mark.parametrize(("hops", "header"), [(0, None), (1, None), (0, "X-Real-IP")])
def test_a_request_past_the_proxy_is_nothing_to_tell(
    hops: int, header: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    assert address(hops, header) == PEER

    assert not caplog.records


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

    meant = ip_address(client)
    assert found == str(getattr(meant, "ipv4_mapped", None) or meant)
