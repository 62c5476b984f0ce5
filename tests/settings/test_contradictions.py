"""What production and a store need, beyond what each value must be."""

from tests.settings.reading import GOOD_KEY, PRODUCTION, faults, read


def test_production_with_what_it_needs() -> None:
    settings = read(**PRODUCTION)

    assert settings.is_production
    assert settings.assistant.widget_api_keys == (GOOD_KEY,)
    assert settings.assistant.origins == ("https://www.example.com",)


def test_production_needs_all_of_it_and_says_so_at_once() -> None:
    found = faults(APP_ENV="production")

    assert set(found) == {"CONVEX_URL", "OPENAI_API_KEY", "WIDGET_API_KEY", "CORS_ORIGIN"}
    assert "SQLITE_PATH" in found["CONVEX_URL"]
    assert "secrets.token_urlsafe" in found["WIDGET_API_KEY"]


def test_convex_needs_its_deploy_key() -> None:
    assert set(faults(CONVEX_URL="https://x.convex.cloud")) == {"CONVEX_DEPLOY_KEY"}

    settings = read(CONVEX_URL="https://x.convex.cloud/", CONVEX_DEPLOY_KEY="prod:x|y")
    assert settings.convex_url == "https://x.convex.cloud"
