"""The operator's pages."""

from app.dashboard.conversations import conversations
from app.dashboard.inbox import inbox
from app.dashboard.knowledge.answers import answers
from app.dashboard.knowledge.documents import knowledge
from app.dashboard.knowledge.trial import test_question
from app.dashboard.knowledge.unanswered import unanswered
from app.dashboard.overview import overview
from app.dashboard.pages import blueprint
from app.dashboard.settings import settings
from app.dashboard.sign_in import signing_in

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
