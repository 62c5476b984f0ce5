"""The operator's pages, behind their door."""

from app.routes.dashboard.conversations import conversations
from app.routes.dashboard.door import door
from app.routes.dashboard.overview import overview
from app.routes.dashboard.pages import blueprint
from app.routes.dashboard.settings import settings

__all__ = ["blueprint", "conversations", "door", "overview", "settings"]
