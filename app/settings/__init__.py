"""Settings: every variable, typed and frozen, read once.

Nothing else reads the environment. ``load`` reports all faults at once, each
by the variable's name and with what to do about it. A new variable is a field
in ``values`` and a row in ``table``.
"""

from app.settings.contradictions import DEVELOPMENT_WIDGET_KEY, MIN_KEY_CHARS, MIN_PASSWORD_CHARS
from app.settings.faults import SettingsFaults
from app.settings.files import ENV_FILE_VARIABLE, read_dotenv
from app.settings.reader import ROOT, AppEnv
from app.settings.table import DEFAULT_SYSTEM_PROMPT, variables
from app.settings.values import SessionMode, Settings, load

__all__ = (
    "DEFAULT_SYSTEM_PROMPT",
    "DEVELOPMENT_WIDGET_KEY",
    "ENV_FILE_VARIABLE",
    "MIN_KEY_CHARS",
    "MIN_PASSWORD_CHARS",
    "ROOT",
    "AppEnv",
    "SessionMode",
    "Settings",
    "SettingsFaults",
    "load",
    "read_dotenv",
    "variables",
)
