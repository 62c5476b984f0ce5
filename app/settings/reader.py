"""Reads single variables of the environment, and collects what is wrong with them."""

import os
from collections.abc import Collection, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path
from typing import Any, Literal, cast

import orjson
from environs import Env, EnvValidationError
from marshmallow.validate import Range

from app.domain.origin import ANY, is_prefix, normal_origin, normal_pattern
from app.domain.prices import DEFAULT_PRICES, Prices
from app.http_client.proxies import Proxies, Proxy
from app.settings.files import read_secret_files
from app.settings.syntax import (
    NO_HEADER,
    STRAY_QUOTE,
    can_be_sent,
    has_quotes,
    is_header_name,
    is_header_text,
    is_url,
    normal_network,
    unquoted,
)

ROOT = Path(__file__).resolve().parents[2]

AppEnv = Literal["development", "production", "test"]

# Variables that nobody put in, and what other programs' databases are named by.
_NO_PATH = ("$", "%", ":", "sqlite:", "file:")
_ORIGINAL_BUNDLE_PATH = Path("../widget/dist/chat-widget.js")


class Reader:
    """Reads single variables, and notes what is wrong instead of raising."""

    def __init__(self, faults: dict[str, str], set_aside: Collection[str] = ()) -> None:
        self._set_aside = set_aside
        self._env = Env(eager=False)
        self._faults = faults
        read_secret_files(faults)

    @property
    def names(self) -> tuple[str, ...]:
        """The variables that were asked for, in this order."""
        return tuple(self._env.dump())

    def app_env(self, default: str) -> AppEnv:
        """Read where this runs; ``NODE_ENV`` is the original's name for it."""
        name = "APP_ENV" if self.is_set("APP_ENV") or not self.is_set("NODE_ENV") else "NODE_ENV"
        value = self.text(name) or default
        if value not in ("development", "production", "test"):
            self._faults[name] = f"is {value!r}: use development, production or test"
            return "production"
        return cast(AppEnv, value)

    def text(self, name: str, default: str | None = None) -> str | None:
        """Read a text; a blank one is none."""
        value: str | None = self._env.str(name, None)
        if name in self._set_aside:  # asked for all the same: `names` has it
            return default
        return unquoted(value or "") or default

    def password(self, name: str) -> str | None:
        """Read a password: any character may stand in it, but nobody means a pair of “”."""
        value = self.text(name)
        if value and all(has_quotes(each) and not each.isascii() for each in (value[0], value[-1])):
            self._faults[name] = STRAY_QUOTE
        return value

    def vendor_key(self, name: str) -> str | None:
        """Read a key that somebody else made, and that goes out in a header."""
        value = self.text(name)
        if value and not is_header_text(value):
            self._faults[name] = f"{NO_HEADER}: copy the key alone"
        elif value and has_quotes(value):
            self._faults[name] = STRAY_QUOTE
        return value

    def texts(self, name: str, default: str, separator: str = ",") -> tuple[str, ...]:
        """Read several texts, without blank ones."""
        value = self.text(name, default) or ""
        return tuple(text for part in value.split(separator) if (text := unquoted(part)))

    def keys(self, name: str, default: str = "") -> tuple[str, ...]:
        """Read several keys."""
        keys = self.texts(name, default)
        if any(map(has_quotes, keys)):
            self._faults[name] = STRAY_QUOTE
        return keys

    def header(self, name: str, default: str | None) -> str | None:
        """Read the name of a header."""
        value = self.text(name, default)
        if value and not is_header_name(value):
            self._faults[name] = f"is {value!r}: write a header's name alone, as in X-Real-IP"
            return None
        return value

    def flag(self, name: str) -> bool:
        """Read whether something is asked for; it is not by default."""
        value = (self.text(name) or "false").lower()
        if value not in ("true", "false", "1", "0", "yes", "no", "on", "off"):
            self._faults[name] = f"is {value!r}: use true or false"
        return value in ("true", "1", "yes", "on")

    def origins(self, name: str, default: str) -> tuple[str, ...]:
        """Read origins and wildcards, and return them in the form of browsers."""
        origins: list[str] = []
        for text in self.texts(name, default):
            try:
                origins.append(text if text == ANY else normal_pattern(text))
            except ValueError as error:
                # A password may stand before the host.
                shown = f"has {text!r}" if "@" not in text else "has what is no origin"
                self._faults[name] = STRAY_QUOTE if has_quotes(text) else f"{shown}: {error}"
                origins.append(text)
        return tuple(dict.fromkeys(origins))

    def choice(self, name: str, default: str, *others: str) -> str:
        """Read one of a few words."""
        value = self.text(name) or default
        if value not in (default, *others):
            self._faults[name] = f"is {value!r}: use {' or '.join((default, *others))}"
        return value

    def whole(self, name: str, default: int, least: int, most: int) -> int:
        """Read a whole number; both bounds are allowed."""
        self._tidy(name)
        value: int | None = self._env.int(name, default, validate=Range(least, most))
        return default if value is None else value  # None: a fault, told by `finish`

    def limit(self, name: str, default: int) -> int:
        """Read a count that 0 switches off."""
        return self.whole(name, default, 0, 2**53)

    def prices(self, name: str) -> Prices:
        """Read what the models cost."""
        try:
            return Prices.parse(self.text(name, DEFAULT_PRICES) or "")
        except ValueError as error:
            self._faults[name] = (
                f"has {str(error)!r}: write model=prompt/completion, the money for a million "
                "tokens of each, as in EUR gpt-6-luna=0.10/0.50 (the currency may be left out)"
            )
            return Prices({})

    def seconds(self, name: str, default: float, least: float = 0.01) -> float:
        """Read a duration of at most a day."""
        self._tidy(name)
        value: float | None = self._env.float(name, default, validate=Range(least, 86_400))
        return default if value is None else value

    def url(self, name: str) -> str | None:
        """Read a server's address, and return it without a slash at its end."""
        value = self.text(name)
        if value is None:
            return None
        if not is_url(value):
            self._faults[name] = "must be a URL that begins with https:// (or http://)"
            return None
        return value.rstrip("/")

    def proxies(self) -> Proxies:
        """Read the proxies of outgoing requests, by the names that all programs share.

        The lower-case name wins where both are set, as in Python's own library.
        """
        found: dict[str, Proxy] = {}
        exempt = tuple(part.strip() for part in self._shared("NO_PROXY").split(",") if part.strip())
        for scheme, name in (
            ("https", "HTTPS_PROXY"),
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
                self._faults[name] = str(error)
        return Proxies(found, exempt if found else ())

    def _shared(self, name: str) -> str:
        """Read a variable that is not ours alone, in lower case, too."""
        upper = self.text(name) or ""
        return os.environ.get(name.lower(), "").strip() or upper

    def json_object(self, name: str) -> dict[str, Any]:
        """Read a JSON object; none is an empty one."""
        value = self.text(name)
        if value is None:
            return {}
        try:
            told = orjson.loads(value)
        except ValueError:
            told = None
        if not isinstance(told, dict):
            self._faults[name] = 'is no JSON object: write {"name": "value"}, in one line'
            return {}
        return told

    def extra_body(self, name: str) -> dict[str, Any]:
        """Read more fields of the model's requests."""
        told = self.json_object(name)
        if "messages" in told:
            self._faults[name] = "has messages, which are the conversation's: take them out"
        return told

    def extra_headers(self, name: str) -> dict[str, str]:
        """Read more headers of the model's requests, whose values are secrets."""
        told = self.json_object(name)
        for header, value in told.items():
            if not can_be_sent(header):
                self._faults[name] = f"has {header!r}, which is no header that can be set here"
            elif not isinstance(value, str) or not is_header_text(value):
                self._faults[name] = f"has no text that a header carries for {header}"
        return told

    def word_of(self, name: str, *words: str) -> str | None:
        """Read one of a few words; none is ``None``."""
        value = self.text(name)
        if value is not None and value not in words:
            self._faults[name] = f"is {value!r}: use {', '.join(words[:-1])} or {words[-1]}"
        return value

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
            self._faults[name] = (
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
                self._faults[name] = (
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
                self._faults[name] = (
                    f"has {text!r}: write addresses or networks, as in 203.0.113.7 or 10.0.0.0/8"
                )
        return tuple(networks)

    def is_set(self, name: str) -> bool:
        """Tell whether a variable says anything."""
        return bool(unquoted(os.environ.get(name, "")))

    def bind(self, name: str) -> str | None:
        """Read an address and a port to listen on."""
        value = self.text(name)
        if value is None:
            return None
        host, _, port = value.rpartition(":")
        if not host or not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
            self._faults[name] = f"is {value!r}: write address:port, as in 127.0.0.1:9091"
            return None
        return value

    def path(self, name: str, default: str | None) -> Path | None:
        """Read where a file is, or will be."""
        value = self.text(name, default)
        if not value:
            return None
        if has_quotes(value):
            self._faults[name] = STRAY_QUOTE
        elif "://" in value or value.lower().startswith(_NO_PATH):
            # SQLite would make a file of this name, somewhere. Not shown: it may hold a password.
            self._faults[name] = "is no path: write a path, as in /var/lib/perch/chat.db"
        elif value.startswith("~"):
            try:
                return Path(value).expanduser()
            except RuntimeError:
                self._faults[name] = f"is {value!r}: write a path, for that home is not known"
        return Path(value)

    def bundle_path(self, name: str) -> Path:
        """Read where the widget is; the original's place means ours, where nothing is there."""
        ours = ROOT / "widget_dist" / "chat-widget.js"
        path = self.path(name, None)
        if path is None or (path == _ORIGINAL_BUNDLE_PATH and not path.exists()):
            return ours
        return path

    def finish(self) -> None:
        """Note what is wrong with the numbers, which are all checked at the end."""
        try:
            self._env.seal()
        except EnvValidationError as error:
            messages = cast(Mapping[str, list[str]], error.error_messages)
            for name, sentences in messages.items():
                self._faults.setdefault(name, " ".join(sentences))

    def _tidy(self, name: str) -> None:
        # An empty line of a .env file means "the default", as in the original.
        value = unquoted(os.environ.pop(name, ""))
        if value:
            os.environ[name] = value
