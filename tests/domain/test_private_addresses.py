"""Addresses that a server must not be led to, and those that an owner may allow."""

from ipaddress import ip_network

import pytest

from app.domain.private_addresses import is_allowed, is_loopback

REFUSED = [
    "0.0.0.0", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254",
    "168.63.129.16", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.31.196.1",
    "192.52.193.1", "192.88.99.1", "192.168.1.1", "192.175.48.1", "198.18.0.1", "198.19.255.255",
    "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::7f00:1", "64:ff9b::7f00:1",
    "64:ff9b:1::1", "100::1", "2001::1", "2001:1ff::1", "2001:db8::1", "2002:7f00:1::",
    "3fff::1", "5f00::1", "fc00::1", "fd12:3456::1", "fe80::1", "fe80::1%eth0", "fec0::1",
    "ff02::1", "localhost", "", "1.2.3", "0x7f.0.0.1", "2130706433", "0177.0.0.1",
]  # fmt: skip


@pytest.mark.parametrize("address", REFUSED)
def test_addresses_that_are_not_of_the_internet_are_refused(address: str) -> None:
    assert not is_allowed(address)


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "8.8.8.8", "100.128.0.1", "172.32.0.1", "192.0.1.1", "2606:4700::1111", "2a00::1"],
)
def test_addresses_of_the_internet_are_allowed(address: str) -> None:
    assert is_allowed(address)


def test_intranet_of_the_owner_is_allowed_and_its_neighbour_is_not() -> None:
    private = [ip_network("10.1.2.0/24"), ip_network("fd00:1::/32")]

    assert is_allowed("10.1.2.3", private)
    assert is_allowed("fd00:1::5", private)
    assert not is_allowed("10.1.3.3", private)
    assert not is_allowed("fd00:2::5", private)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "169.254.169.254", "168.63.129.16", "::1", "::ffff:10.0.0.1", "0.0.0.0"],
)
def test_whatever_is_allowed_some_are_refused(address: str) -> None:
    everything = [ip_network("0.0.0.0/0"), ip_network("::/0")]

    assert not is_allowed(address, everything)


def test_loopback_is_allowed_where_it_is_asked_for() -> None:
    assert is_allowed("127.0.0.1", allow_loopback=True)
    assert is_allowed("::1", allow_loopback=True)
    assert not is_allowed("10.0.0.1", allow_loopback=True)
    assert is_loopback("127.9.9.9")
    assert not is_loopback("8.8.8.8")
    assert not is_loopback("")
