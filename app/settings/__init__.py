"""Settings: every variable, typed and frozen, read once.

Nothing else reads the environment. ``load`` reports all faults at once, each
by the variable's name and with what to do about it. A new variable is a field
in ``values``, or in a group of ``policies``.
"""

from app.settings.contradictions import DEVELOPMENT_WIDGET_KEY, MIN_KEY_CHARS, MIN_PASSWORD_CHARS
from app.settings.faults import SettingsFaults
from app.settings.files import ENV_FILE_VARIABLE, Environment, read_environment
from app.settings.loading import load, load_all, variables
from app.settings.policies import (
    DEFAULT_SYSTEM_PROMPT,
    AssistantSettings,
    BreakerPolicy,
    Budgets,
    KnowledgePolicy,
    Look,
    ModelSettings,
    PeoplePolicy,
    TurnPolicy,
    VisitorLimits,
)
from app.settings.reader import ROOT, AppEnv, SessionMode
from app.settings.values import Settings

__all__ = (
    "DEFAULT_SYSTEM_PROMPT",
    "DEVELOPMENT_WIDGET_KEY",
    "ENV_FILE_VARIABLE",
    "MIN_KEY_CHARS",
    "MIN_PASSWORD_CHARS",
    "ROOT",
    "AppEnv",
    "AssistantSettings",
    "BreakerPolicy",
    "Budgets",
    "Environment",
    "KnowledgePolicy",
    "Look",
    "ModelSettings",
    "PeoplePolicy",
    "SessionMode",
    "Settings",
    "SettingsFaults",
    "TurnPolicy",
    "VisitorLimits",
    "load",
    "load_all",
    "read_environment",
    "variables",
)
