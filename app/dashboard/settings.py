"""What is configured, the tag to embed, and the switch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from flask import Response, redirect, request, url_for

from app.dashboard.configuration import describe_settings
from app.dashboard.pages import blueprint, render
from app.domain.errors import StorageUnavailable
from app.settings import Look
from app.web.current_request import current_request
from app.web.guards.origins import own_url
from app.web.services import services

_COLOUR = "#0ea5e9"
_LIMITS = {"title": 60, "welcome": 200, "placeholder": 80, "accent": 7}


@dataclass(frozen=True, slots=True)
class Embed:
    """The choices that an embed shows."""

    title: str
    welcome: str
    placeholder: str
    position: str
    accent: str

    def attributes(self, base_url: str, key: str) -> Sequence[tuple[str, str]]:
        """Return the script tag's attributes, in the order of the docs."""
        chosen = {
            "src": f"{base_url}/widget/chat-widget.js",
            "data-api-url": f"{base_url}/chat",
            "data-api-key": key,
            "data-title": self.title,
            "data-welcome-message": self.welcome,
            "data-input-placeholder": self.placeholder,
            "data-position": "" if self.position == "right" else self.position,
            "data-accent-color": "" if self.accent == _COLOUR else self.accent,
        }
        return [(name, value) for name, value in chosen.items() if value]


@blueprint.get("/settings")
def settings() -> Response:
    """Show what is configured, and how to embed the widget."""
    assistants = services().assistants
    chosen = assistants.get(request.args.get("assistant", "")) or assistants.default
    keys = chosen.settings.widget_api_keys
    embed = _embed(request.args, chosen.settings.look)
    return render(
        "settings.html",
        here="settings",
        groups=describe_settings(
            services().settings,
            assistants,
            client=current_request().client_address,
            redis=services().redis,
        ),
        embed=embed,
        chosen=chosen.id,
        attributes=embed.attributes(own_url(), keys[0] if keys else ""),
        is_off=_is_off(),
    )


@blueprint.get("/switch")
def ask_to_switch() -> Response:
    """Ask whether the assistant shall really go off."""
    return render("switch_off.html", here="settings")


@blueprint.post("/switch")
def switch() -> Response:
    """Switch the assistant off, or on again."""
    services().switches.switch(off=request.form.get("to") == "off")
    return cast(Response, redirect(url_for("dashboard.settings", _anchor="switch"), 303))


def _is_off() -> bool | None:
    try:
        return services().switches.is_off
    except StorageUnavailable:
        return None


def _embed(given: Mapping[str, str], look: Look) -> Embed:
    text = {name: given.get(name, "").strip()[:limit] for name, limit in _LIMITS.items()}
    accent = text["accent"].lower()
    is_colour = len(accent) == 7 and accent[0] == "#" and set(accent[1:]) <= set("0123456789abcdef")
    return Embed(
        title=text["title"] or look.title or "",
        welcome=text["welcome"] or look.welcome_message or "",
        placeholder=text["placeholder"],
        position="left" if given.get("position") == "left" else "right",
        accent=accent if is_colour else _COLOUR,
    )
