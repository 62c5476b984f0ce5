"""The operator's pages."""

from app.dashboard.conversations import conversations
from app.dashboard.overview import overview
from app.dashboard.pages import blueprint
from app.dashboard.settings import settings
from app.dashboard.sign_in import door

__all__ = ["blueprint", "conversations", "door", "overview", "settings"]
