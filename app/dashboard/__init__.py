"""The operator's pages."""

from app.dashboard.conversations import conversations
from app.dashboard.overview import overview
from app.dashboard.pages import blueprint
from app.dashboard.settings import settings
from app.dashboard.sign_in import signing_in

__all__ = ["blueprint", "conversations", "overview", "settings", "signing_in"]
