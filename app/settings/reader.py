"""Reads single variables of the environment, and collects what is wrong with them."""

import math
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar, cast

import orjson

from app.domain.prices import DEFAULT_PRICES, Prices
from app.settings.files import read_secret_file
from app.settings.machine import PLATFORMS, Platform
from app.settings.syntax import (
    NO_HEADER,
    STRAY_QUOTE,
    has_quotes,
    is_header_text,
    unquoted,
)

ROOT = Path(__file__).resolve().parents[2]

AppEnv = Literal["development", "production", "test"]
SessionMode = Literal["compat", "strict"]
Number = TypeVar("Number", int, float)

# A model that thinks is silent for longer before its first word than after it.
_FIRST_TOKEN_FACTOR = 3
_SHARE_OF_TURN = 0.9

# Variables that nobody put in, and what other programs' databases are named by.
_NO_PATH = ("$", "%", ":", "sqlite:", "file:")
_ORIGINAL_BUNDLE_PATH = Path("../widget/dist/chat-widget.js")


class Declared(NamedTuple):
    """How a field is read: by a method of a reader, from a variable, with these arguments."""

    read: Callable[..., Any]
    name: str
    is_secret: bool
    arguments: tuple[Any, ...]


class ValueReader:
    """Reads variables of an environment one by one, and notes what is wrong instead of raising.

    ``names`` are those that were asked for, in this order, each with whether a
    file may hold it. ``is_development`` is known once ``app_env`` was read: some
    defaults are such as no stranger should meet.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        faults: dict[str, str],
        set_aside: Collection[str] = (),
    ) -> None:
        self.environment = environment
        self._set_aside = set_aside
        self.faults = faults
        self.names: dict[str, bool] = {}
        self.is_development = True
        found = (row for name, row in PLATFORMS.items() if environment.get(name))
        self.platform = next(found, Platform())

    def read(self, declared: Declared) -> Any:
        """Return the value of a field."""
        self.names[declared.name] = declared.is_secret
        return declared.read(self, declared.name, *declared.arguments)

    @property
    def all_names(self) -> list[str]:
        """The variables that were asked for, and those that name a file for one."""
        secrets = [name for name, is_secret in self.names.items() if is_secret]
        return [*self.names, *(f"{name}_FILE" for name in secrets)]

    def app_env(self, name: str) -> AppEnv:
        """Read where this runs; ``NODE_ENV`` is the original's name for it."""
        if not self.is_set(name) and self.is_set("NODE_ENV"):
            name = "NODE_ENV"
        value = self.text_or(name, "production" if self.platform.name else "development")
        if value not in ("development", "production", "test"):
            self.faults[name] = f"is {value!r}: use development, production or test"
            value = "production"
        self.is_development = value != "production"
        return cast(AppEnv, value)

    def text(self, name: str) -> str | None:
        """Read a text; a blank one is none."""
        self.names.setdefault(name, False)
        if name in self._set_aside:
            return None
        value = self.environment.get(name, "")
        if self.names[name] and not value:
            value = self._secret_file(name)
        return unquoted(value) or None

    def text_or(self, name: str, default: str) -> str:
        """Read a text that is not blank."""
        return self.text(name) or default

    def _secret_file(self, name: str) -> str:
        try:
            return read_secret_file(name, self.environment)
        except ValueError as error:
            self.faults[f"{name}_FILE"] = str(error)
            return ""

    def password(self, name: str) -> str | None:
        """Read a password: any character may stand in it, but nobody means a pair of “”."""
        value = self.text(name)
        if value and all(has_quotes(each) and not each.isascii() for each in (value[0], value[-1])):
            self.faults[name] = STRAY_QUOTE
        return value

    def vendor_key(self, name: str) -> str | None:
        """Read a key that somebody else made, and that goes out in a header."""
        value = self.text(name)
        if value and not is_header_text(value):
            self.faults[name] = f"{NO_HEADER}: copy the key alone"
        elif value and has_quotes(value):
            self.faults[name] = STRAY_QUOTE
        return value

    def texts(self, name: str, default: str, separator: str = ",") -> tuple[str, ...]:
        """Read several texts, without blank ones."""
        value = self.text_or(name, default)
        return tuple(text for part in value.split(separator) if (text := unquoted(part)))

    def keys(self, name: str, in_development: str = "") -> tuple[str, ...]:
        """Read several keys."""
        keys = self.texts(name, in_development if self.is_development else "")
        if any(map(has_quotes, keys)):
            self.faults[name] = STRAY_QUOTE
        return keys

    def flag(self, name: str, default: str = "false") -> bool:
        """Read whether something is asked for; it is not, unless ``default`` says so."""
        value = (self.text(name) or default).lower()
        if value not in ("true", "false", "1", "0", "yes", "no", "on", "off"):
            self.faults[name] = f"is {value!r}: use true or false"
        return value in ("true", "1", "yes", "on")

    def session_mode(self, name: str) -> SessionMode:
        """Read whether clients of the original are served, which have no token."""
        value = self.text_or(name, "compat")
        if value not in ("compat", "strict"):
            self.faults[name] = f"is {value!r}: use compat or strict"
        return cast(SessionMode, value)

    def whole(self, name: str, default: int, least: int, most: int) -> int:
        """Read a whole number; both bounds are allowed."""
        return self._number(name, int, default, least, most)

    def limit(self, name: str, default: int) -> int:
        """Read a count that 0 switches off."""
        return self.whole(name, default, 0, 2**53)

    def days(self, name: str) -> int | None:
        """Read a number of days; 0 is none."""
        return self.whole(name, 0, 0, 36_500) or None

    def prices(self, name: str) -> Prices:
        """Read what the models cost."""
        try:
            return Prices.parse(self.text_or(name, DEFAULT_PRICES))
        except ValueError as error:
            self.faults[name] = (
                f"has {str(error)!r}: write model=prompt/completion, the money for a million "
                "tokens of each, as in EUR gpt-6-luna=0.10/0.50 (the currency may be left out)"
            )
            return Prices({})

    def seconds(self, name: str, default: float, least: float = 0.01) -> float:
        """Read a duration of at most a day."""
        return self._number(name, float, default, least, 86_400)

    def first_token_s(self, name: str, read_s: float, turn_s: float) -> float:
        """Read how long a model may be silent before its first word: longer than after it.

        ``read_s`` and ``turn_s`` are the defaults of the timeouts on which its own depends.
        """
        read_s = self.seconds("MODEL_READ_TIMEOUT_S", read_s)
        turn_s = self.seconds("TURN_TIMEOUT_S", turn_s)
        return self.seconds(name, min(_FIRST_TOKEN_FACTOR * read_s, _SHARE_OF_TURN * turn_s))

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
            self.faults[name] = 'is no JSON object: write {"name": "value"}, in one line'
            return {}
        return told

    def extra_body(self, name: str) -> dict[str, Any]:
        """Read more fields of the model's requests."""
        told = self.json_object(name)
        if "messages" in told:
            self.faults[name] = "has messages, which are the conversation's: take them out"
        return told

    def word_of(self, name: str, *words: str) -> str | None:
        """Read one of a few words; none is ``None``."""
        value = self.text(name)
        if value is not None and value not in words:
            self.faults[name] = f"is {value!r}: use {', '.join(words[:-1])} or {words[-1]}"
        return value

    def word_or(self, name: str, default: str, *words: str) -> str:
        """Read one of a few words, the default among them."""
        return self.word_of(name, *words) or default

    def is_set(self, name: str) -> bool:
        """Tell whether a variable says anything."""
        return bool(unquoted(self.environment.get(name, "")))

    def store_path(self, name: str, in_development: str) -> Path | None:
        """Read where the SQLite file is; in production there is none by default."""
        if not (self.is_development or self.text(name)):
            return None
        return self.path(name, in_development)

    def path_or_none(self, name: str) -> Path | None:
        """Read where a file is, if there is to be one."""
        return self.path(name, "") if self.text(name) else None

    def path_beside(self, name: str, default: str, neighbour: str, by_default: str) -> Path:
        """Read where a file is: by default beside another, for there we may write."""
        return self.path(name, self.path(neighbour, by_default).with_name(default))

    def path(self, name: str, default: str | Path) -> Path:
        """Read where a file is, or will be."""
        value = self.text(name)
        if not value:
            return Path(default)
        if has_quotes(value):
            self.faults[name] = STRAY_QUOTE
        elif "://" in value or value.lower().startswith(_NO_PATH):
            # SQLite would make a file of this name, somewhere. Not shown: it may hold a password.
            self.faults[name] = "is no path: write a path, as in /var/lib/perch/chat.db"
        elif value.startswith("~"):
            try:
                return Path(value).expanduser()
            except RuntimeError:
                self.faults[name] = f"is {value!r}: write a path, for that home is not known"
        return Path(value)

    def bundle_path(self, name: str) -> Path:
        """Read where the widget is; the original's place means ours, where nothing is there."""
        ours = ROOT / "widget_dist" / "chat-widget.js"
        path = self.path(name, ours)
        return ours if path == _ORIGINAL_BUNDLE_PATH and not path.exists() else path

    def _number(
        self, name: str, kind: type[Number], default: Number, least: float, most: float
    ) -> Number:
        value = self.text(name)
        if value is None:
            return default
        try:
            number = kind(value)
        except ValueError:
            self.faults[name] = f"Not a valid {'integer' if kind is int else 'number'}."
            return default
        if isinstance(number, float) and not math.isfinite(number):
            self.faults[name] = "Special numeric values (nan or infinity) are not permitted."
        elif not least <= number <= most:
            self.faults[name] = (
                f"Must be greater than or equal to {least} and less than or equal to {most}."
            )
        # What depends on it would only say again what is wrong with this one.
        return default if name in self.faults else number
