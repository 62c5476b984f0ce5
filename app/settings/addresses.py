"""Reads variables that name places: servers, sites, proxies, addresses."""

from ipaddress import IPv4Network, IPv6Network, ip_address

from app.domain.opening_hours import OpeningHours
from app.domain.origin import ANY, is_prefix, normal_origin, normal_pattern
from app.http_client.proxies import Proxies, Proxy
from app.settings.reader import ValueReader
from app.settings.syntax import (
    STRAY_QUOTE,
    can_be_sent,
    has_quotes,
    is_header_name,
    is_header_text,
    is_url,
    normal_network,
)


class Reader(ValueReader):
    """Reads variables of every kind."""

    def hops(self, name: str) -> int:
        """Read how many proxies stand before this server."""
        return self.whole(name, self.platform.hops, 0, 10)

    def ip_header(self, name: str) -> str | None:
        """Read the name of the header in which a proxy tells a visitor's address."""
        # Whoever counts proxies knows better than the platform's default.
        default = None if self.is_set("TRUSTED_PROXY_HOPS") else self.platform.ip_header
        value = self.text(name) or default
        if value and not is_header_name(value):
            self.faults[name] = f"is {value!r}: write a header's name alone, as in X-Real-IP"
            return None
        return value

    def origins(self, name: str, in_development: str) -> tuple[str, ...]:
        """Read origins and wildcards, and return them in the form of browsers."""
        origins: list[str] = []
        for text in self.texts(name, in_development if self.is_development else ""):
            try:
                origins.append(text if text == ANY else normal_pattern(text))
            except ValueError as error:
                # A password may stand before the host.
                shown = f"has {text!r}" if "@" not in text else "has what is no origin"
                self.faults[name] = STRAY_QUOTE if has_quotes(text) else f"{shown}: {error}"
                origins.append(text)
        return tuple(dict.fromkeys(origins))

    def url(self, name: str) -> str | None:
        """Read a server's address, and return it without a slash at its end."""
        value = Reader.endpoint(self, name)
        return value.rstrip("/") if value else None

    def endpoint(self, name: str) -> str | None:
        """Read an address that is called as it stands, with its query and its last slash."""
        value = self.text(name)
        if value is not None and not is_url(value):
            self.faults[name] = "must be a URL that begins with https:// (or http://)"
            return None
        return value

    def opening_hours(self, name: str) -> OpeningHours | None:
        """Read when somebody is there."""
        value = self.text(name)
        try:
            return OpeningHours.parse(value) if value else None
        except ValueError as error:
            self.faults[name] = str(error)
            return None

    def proxies(self, https: str) -> Proxies:
        """Read the proxies of outgoing requests, by the names that all programs share.

        The lower-case name wins where both are set, as in Python's own library.
        """
        found: dict[str, Proxy] = {}
        exempt = tuple(part.strip() for part in self._shared("NO_PROXY").split(",") if part.strip())
        for scheme, name in (
            ("https", https),
            ("http", "HTTP_PROXY"),
            ("all", "ALL_PROXY"),
        ):
            value = self._shared(name)
            is_needed = scheme != "all" or len(found) < 2
            if not value or "*" in exempt or not is_needed:
                continue
            try:
                found[scheme] = Proxy.parse(value)
            except ValueError as error:
                self.faults[name] = str(error)
        return Proxies(found, exempt if found else ())

    def _shared(self, name: str) -> str:
        """Read a variable that is not ours alone, in lower case, too."""
        upper = self.text(name) or ""
        return self.environment.get(name.lower(), "").strip() or upper

    def extra_headers(self, name: str) -> dict[str, str]:
        """Read more headers of the model's requests, whose values are secrets."""
        told = self.json_object(name)
        for header, value in told.items():
            if not can_be_sent(header):
                self.faults[name] = f"has {header!r}, which is no header that can be set here"
            elif not isinstance(value, str) or not is_header_text(value):
                self.faults[name] = f"has no text that a header carries for {header}"
        return told

    def public_url(self, name: str) -> str | None:
        """Read where visitors find this server, and return it in the form of browsers."""
        value = self.text(name)
        if value is None:
            return None
        scheme, mark, rest = value.partition("://")
        host, _, path = rest.partition("/")
        path = path.rstrip("/")
        try:
            if not is_prefix(f"/{path}") and path:
                raise ValueError("its path may have letters, digits and . _ ~ - between slashes")
            origin = normal_origin(f"{scheme}{mark}{host}")
        except ValueError as error:
            self.faults[name] = (
                f"is no address of a site, such as https://chat.example.com: {error}"
            )
            return None
        return f"{origin}/{path}" if path else origin

    def addresses(self, name: str) -> tuple[str, ...]:
        """Read the addresses to listen on; none means all of them."""
        addresses: list[str] = []
        for text in self.texts(name, ""):
            text = "127.0.0.1" if text.lower() == "localhost" else text
            try:
                address = ip_address(text.removeprefix("[").removesuffix("]"))
            except ValueError:
                self.faults[name] = (
                    f"has {text!r}: write addresses of this machine, as in 127.0.0.1 or ::1, or "
                    "leave it empty for all of them"
                )
                continue
            addresses.append(f"[{address}]" if address.version == 6 else str(address))
        return tuple(addresses)

    def networks(self, name: str) -> tuple[IPv4Network | IPv6Network, ...]:
        """Read addresses, and networks as in 10.0.0.0/8."""
        networks = []
        for text in self.texts(name, ""):
            try:
                networks.append(normal_network(text))
            except ValueError:
                self.faults[name] = (
                    f"has {text!r}: write addresses or networks, as in 203.0.113.7 or 10.0.0.0/8"
                )
        return tuple(networks)

    def bind(self, name: str) -> str | None:
        """Read an address and a port to listen on."""
        value = self.text(name)
        if value is None:
            return None
        host, _, port = value.rpartition(":")
        if not host or not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
            self.faults[name] = f"is {value!r}: write address:port, as in 127.0.0.1:9091"
            return None
        return value
