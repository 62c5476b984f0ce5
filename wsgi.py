"""What gunicorn serves."""

from app.factory import create_app
from app.settings import Settings, SettingsFaults

try:
    app = create_app(Settings.from_env())
except SettingsFaults as error:
    raise SystemExit(error.in_words()) from error
