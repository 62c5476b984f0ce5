"""Origins, hosts and proxies: kept as those write them who are compared with them."""

import os
import platform
import socket
from pathlib import Path

import pytest

from app.settings import load, read_environment
from tests.settings.reading import PRODUCTION, faults, faults_of_file, read, write


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        (
            "https://Shop.Example:443, HTTP://[0:0:0:0:0:0:0:1]:80",
            ("https://shop.example", "http://[::1]"),
        ),
        ("https://bücher.example", ("https://xn--bcher-kva.example",)),
        ("https://*.Example.com", ("https://*.example.com",)),
        ("https://a.example,https://A.example:443", ("https://a.example",)),
    ],
)
def test_origins_are_kept_as_browsers_write_them(written: str, normal: tuple[str, ...]) -> None:
    assert read(CORS_ORIGIN=written).assistant.origins == normal


@pytest.mark.parametrize(
    ("origin", "advice"),
    [
        ("ttps://shop.example", "https:// or http://"),
        ("https://shop.example/", "write https://shop.example"),
        ("https://shop.*", "https://*.example.com"),
        ("https://a:secret@shop.example", "names a user"),
    ],
)
def test_an_origin_that_no_browser_sends_is_refused_with_advice(origin: str, advice: str) -> None:
    fault = faults(CORS_ORIGIN=origin)["CORS_ORIGIN"]

    assert advice in fault
    assert "secret" not in fault


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("https://Chat.Example:443", "https://chat.example"),
        ("https://chat.example/", "https://chat.example"),
        ("https://host.example/perch/", "https://host.example/perch"),
        ("http://localhost:4000/a/b-c", "http://localhost:4000/a/b-c"),
    ],
)
def test_public_url_is_kept_as_browsers_write_it(written: str, normal: str) -> None:
    assert read(PUBLIC_URL=written).public_url == normal


@pytest.mark.parametrize(
    "written",
    [
        "chat.example",
        "ftp://chat.example",
        "https://chat.example/a/../b",
        "https://chat.example//a",
        "https://chat.example/a?b=c",
        "https://chat.example/a#b",
        "https://chat.example/%2e%2e/a",
        "https://user@chat.example",
        "https://*.example.com",
    ],
)
def test_public_url_that_leads_elsewhere_is_refused(written: str) -> None:
    assert "PUBLIC_URL" in faults(PUBLIC_URL=written)


@pytest.mark.parametrize(
    ("written", "addresses"),
    [
        ("", ()),
        ("127.0.0.1", ("127.0.0.1",)),
        ("::1", ("[::1]",)),
        ("[::1], 127.0.0.1", ("[::1]", "127.0.0.1")),
        ("0:0:0:0:0:0:0:0", ("[::]",)),
        ("localhost", ("127.0.0.1",)),
        ("LocalHost", ("127.0.0.1",)),
    ],
)
def test_host_names_addresses_of_both_families(written: str, addresses: tuple[str, ...]) -> None:
    assert read(HOST=written).hosts == addresses


@pytest.mark.parametrize(
    "written", ["chat.example", "127.0.0.1:4000", "[::1]:4000", "*", "256.1.1.1"]
)
def test_host_that_is_no_address_is_refused(written: str) -> None:
    assert "HOST" in faults(HOST=written)


@pytest.mark.parametrize("written", ["chat.example", "10.0.0.0/33", "10.0.0.0-10.0.0.9"])
def test_proxies_are_addresses_or_networks(written: str) -> None:
    assert "TRUSTED_PROXIES" in faults(TRUSTED_PROXIES=written)


@pytest.mark.parametrize(
    ("written", "network"),
    [
        ("10.0.0.1/8", "10.0.0.0/8"),
        ("[::1]", "::1/128"),
        ("[2001:DB8::]/32", "2001:db8::/32"),
        ("fe80::1%eth0", "fe80::1/128"),
        ("::ffff:10.1.2.3", "10.1.2.3/32"),
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
    ],
)
def test_proxies_are_kept_as_peers_are_told(written: str, network: str) -> None:
    assert [str(each) for each in read(TRUSTED_PROXIES=written).trusted_proxies] == [network]


MACHINE = socket.gethostname()


@pytest.mark.parametrize(
    "written",
    [
        MACHINE,
        MACHINE.upper(),
        f"{MACHINE.partition('.')[0]}.fritz.box",
        f"{platform.machine()}-conda-linux-gnu",
        f"{platform.machine()}-apple-darwin20.0.0",
    ],
)
def test_host_of_a_shell_is_told_and_chooses_nothing(written: str) -> None:
    settings = read(**PRODUCTION, HOST=written)

    assert settings.hosts == ()
    assert settings.ignored == ("HOST (it names the machine, and no address to listen on)",)


@pytest.mark.parametrize("line", ["HOST=127.0.0.1", "HOST="])
def test_host_of_a_file_wins_over_a_shells(tmp_path: Path, line: str) -> None:
    os.environ["HOST"] = MACHINE
    write(tmp_path, env="HOST=::1", env_local=line)

    settings = load(read_environment(tmp_path))

    assert settings.hosts == (("127.0.0.1",) if line.endswith("1") else ())
    assert settings.ignored == ()


def test_the_machines_name_in_a_file_is_a_fault(tmp_path: Path) -> None:
    assert list(faults_of_file(tmp_path, f"HOST={MACHINE}\n")) == ["HOST"]


@pytest.mark.parametrize("written", ["another-machine.test", f"{MACHINE},127.0.0.1", "127.0.0"])
def test_host_that_nobody_can_listen_on_is_a_fault_wherever_it_stands(written: str) -> None:
    assert list(faults(HOST=written)) == ["HOST"]
