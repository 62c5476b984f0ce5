"""The operator's pages."""

from app.dashboard.answers import answers
from app.dashboard.conversations import conversations
from app.dashboard.inbox import inbox
from app.dashboard.knowledge import knowledge
from app.dashboard.overview import overview
from app.dashboard.pages import blueprint
from app.dashboard.settings import settings
from app.dashboard.sign_in import signing_in
from app.dashboard.trial import test_question
from app.dashboard.unanswered import unanswered

__all__ = [
    "answers",
    "blueprint",
    "conversations",
    "inbox",
    "knowledge",
    "overview",
    "settings",
    "signing_in",
    "test_question",
    "unanswered",
]
