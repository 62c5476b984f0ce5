"""What gunicorn serves."""

from app.factory import create_app
from app.settings import SettingsFaults, load_all

try:
    app = create_app(load_all())
except SettingsFaults as error:
    raise SystemExit(error.in_words()) from error
