"""The script that a page owner pastes, as a browser fetches it."""

import gzip
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from flask.testing import FlaskClient

from app.factory import create_app
from app.settings import ROOT
from tests.data import some_settings

if TYPE_CHECKING:
    from tests.conftest import MakeApp

BUNDLE = "/widget/chat-widget.js"
SCRIPT = b"console.log('the widget')\n"
PACKED = gzip.compress(SCRIPT, mtime=0)
PRODUCTION = {
    "APP_ENV": "production",
    "OPENAI_API_KEY": "sk-of-the-unit-tests",
    "CORS_ORIGIN": "https://www.example.com",
}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return a_bundle(tmp_path / "site")


def a_bundle(folder: Path) -> Path:
    """A built widget, in a folder that holds other things, too."""
    (folder / "locales").mkdir(parents=True)
    (folder / ".env").write_text("OPENAI_API_KEY=sk-secret")
    (folder / "wsgi.py").write_text("secret")
    (folder.parent / "chat.db").write_text("secret")
    (folder / "locales" / "de.json").write_text('{"send": "Senden"}')
    (folder / "chat-widget.js.map").write_text("{}")
    (folder / "perch.js.map").write_text("{}")
    (folder / "perch.d.ts").write_text("export {};")
    path = folder / "chat-widget.js"
    path.write_bytes(SCRIPT)
    return path


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    """A client of an application whose bundle stays as it is."""
    folder = tmp_path_factory.mktemp("widget")
    bundle = a_bundle(folder / "site")
    settings = some_settings(WIDGET_BUNDLE_PATH=str(bundle), SQLITE_PATH=str(folder / "x.db"))
    return create_app(settings).test_client()


@pytest.fixture
def widget(make_app: "MakeApp", bundle: Path) -> FlaskClient:
    return make_app(WIDGET_BUNDLE_PATH=str(bundle)).test_client()


def test_bundle_is_served_as_the_contract_says(site: FlaskClient) -> None:
    response = site.get(BUNDLE, headers={"Origin": "https://any.example"})

    assert (response.status_code, response.data) == (200, SCRIPT)
    assert response.headers["Content-Type"] == "application/javascript; charset=utf-8"
    assert response.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert response.headers.getlist("Access-Control-Allow-Origin") == ["*"]
    assert response.headers["Cache-Control"] == "no-store"


def test_production_lets_browsers_keep_it_for_a_while(make_app: "MakeApp") -> None:
    client = make_app(**PRODUCTION).test_client()

    assert client.get(BUNDLE).headers["Cache-Control"] == "public, max-age=300"


@pytest.mark.parametrize("variables", [{}, {"CORS_ORIGIN": "https://a.example,https://b.example"}])
@pytest.mark.parametrize("origin", [None, "https://a.example", "https://evil.example"])
def test_one_header_lets_every_page_read_it(
    make_app: "MakeApp", variables: dict[str, str], origin: str | None
) -> None:
    headers = {"Origin": origin} if origin else {}
    for path in (BUNDLE, "/widget/locales/de.json"):
        response = make_app(**variables).test_client().get(path, headers=headers)

        assert response.status_code == 200
        assert response.headers.getlist("Access-Control-Allow-Origin") == ["*"]
        response.close()


def test_unchanged_bundle_is_a_304(site: FlaskClient) -> None:
    tag = site.get(BUNDLE).headers["ETag"]

    response = site.get(BUNDLE, headers={"If-None-Match": tag})

    assert (response.status_code, response.data) == (304, b"")


def test_changed_bundle_is_served_at_once(widget: FlaskClient, bundle: Path) -> None:
    tag = widget.get(BUNDLE).headers["ETag"]
    bundle.write_bytes(b"console.log('newer')\n")

    response = widget.get(BUNDLE, headers={"If-None-Match": tag})

    assert (response.status_code, response.data) == (200, b"console.log('newer')\n")


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip, deflate, br", "br"),
        ("gzip, deflate", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("identity", None),
        ("", None),
        ("nonsense;q=x", None),
    ],
)
def test_compression_is_what_the_browser_takes(
    widget: FlaskClient, bundle: Path, accepted: str, encoding: str | None
) -> None:
    Path(f"{bundle}.gz").write_bytes(PACKED)
    Path(f"{bundle}.br").write_bytes(b"as if by brotli")

    response = widget.get(BUNDLE, headers={"Accept-Encoding": accepted})

    assert response.headers.get("Content-Encoding") == encoding
    assert "Accept-Encoding" in response.headers["Vary"]
    expected = {"gzip": PACKED, "br": b"as if by brotli", None: SCRIPT}[encoding]
    assert response.data == expected


def test_each_compression_has_its_own_tag(widget: FlaskClient, bundle: Path) -> None:
    Path(f"{bundle}.gz").write_bytes(PACKED)
    plain = widget.get(BUNDLE).headers["ETag"]

    packed = widget.get(BUNDLE, headers={"Accept-Encoding": "gzip", "If-None-Match": plain})

    assert packed.status_code == 200


def test_missing_bundle_says_how_to_build_it(make_app: "MakeApp", tmp_path: Path) -> None:
    client = make_app(WIDGET_BUNDLE_PATH=str(tmp_path / "absent.js")).test_client()

    response = client.get(BUNDLE)

    assert response.status_code == 404
    assert response.json["error"] == "The widget is not built: run `make widget`"
    assert response.json["code"] == "not_found"


@pytest.mark.parametrize(
    "name", ["locales/de.json", "chat-widget.js.map", "perch.js.map", "perch.d.ts"]
)
def test_what_the_script_loads_later_is_served(site: FlaskClient, name: str) -> None:
    response = site.get(f"/widget/{name}")

    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Cross-Origin-Resource-Policy"] == "cross-origin"


@pytest.mark.parametrize(
    "name",
    [
        ".env",
        "wsgi.py",
        "../chat.db",
        "%2e%2e/chat.db",
        "..%2fchat.db",
        "/etc/passwd",
        "locales/../.env",
        "locales/../../chat.db",
        "locales",
        "locales/",
        "locales/xx.json",
        "locales/de.json/",
        "%00",
        "x" * 5000,
    ],
)
def test_nothing_else_of_the_folder_is_served(site: FlaskClient, name: str) -> None:
    response = site.get(f"/widget/{name}")

    assert response.status_code == 404
    assert response.json["code"] == "not_found"


def test_committed_bundle_is_served_unless_told_otherwise(client: FlaskClient) -> None:
    built = ROOT / "widget_dist"

    assert client.get(BUNDLE).data == (built / "chat-widget.js").read_bytes()
    for language in (built / "locales").iterdir():
        assert client.get(f"/widget/locales/{language.name}").data == language.read_bytes()


PANEL = b"export const start = () => {}\n"


@pytest.fixture
def panel(bundle: Path) -> Path:
    path = bundle.parent / "panel.01234567.js"
    path.write_bytes(PANEL)
    Path(f"{path}.gz").write_bytes(gzip.compress(PANEL, mtime=0))
    return path


def test_panel_is_kept_forever_under_its_own_name(
    make_app: "MakeApp", bundle: Path, panel: Path
) -> None:
    client = make_app(**PRODUCTION, WIDGET_BUNDLE_PATH=str(bundle)).test_client()
    response = client.get(f"/widget/{panel.name}", headers={"Accept-Encoding": "gzip"})

    assert gzip.decompress(response.data) == PANEL
    assert response.headers["Content-Type"] == "application/javascript; charset=utf-8"
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    tag = {"If-None-Match": response.headers["ETag"], "Accept-Encoding": "gzip"}
    assert client.get(f"/widget/{panel.name}", headers=tag).status_code == 304


def test_script_of_another_edition_gets_the_panel_that_there_is(
    make_app: "MakeApp", bundle: Path, panel: Path
) -> None:
    client = make_app(**PRODUCTION, WIDGET_BUNDLE_PATH=str(bundle)).test_client()
    response = client.get("/widget/panel.76543210.js")

    assert (response.status_code, response.data) == (200, PANEL)
    assert response.headers["Cache-Control"] == "public, max-age=300"


@pytest.mark.parametrize("kind", ["people", "markdown", "sources"])
def test_script_of_another_edition_gets_the_part_of_that_kind(
    make_app: "MakeApp", bundle: Path, panel: Path, kind: str
) -> None:
    part = bundle.parent / f"{kind}.89abcdef.js"
    part.write_bytes(b"export const start = 1\n")
    client = make_app(**PRODUCTION, WIDGET_BUNDLE_PATH=str(bundle)).test_client()

    assert client.get(f"/widget/{kind}.76543210.js").data == part.read_bytes()
    assert client.get("/widget/panel.76543210.js").data == PANEL
    kept = client.get(f"/widget/{part.name}").headers
    assert kept["Cache-Control"].endswith("immutable")
    assert kept["SourceMap"] == f"{part.name}.map"
    assert (
        client.get(f"/widget/{part.name}", headers={"If-None-Match": kept["ETag"]}).status_code
        == 304
    )


def test_bundle_without_a_panel_has_none(widget: FlaskClient) -> None:
    assert widget.get("/widget/panel.01234567.js").status_code == 404


def test_module_is_served_as_the_script_is(make_app: "MakeApp", bundle: Path) -> None:
    module = bundle.parent / "perch.js"
    module.write_bytes(PANEL)
    Path(f"{module}.gz").write_bytes(gzip.compress(PANEL, mtime=0))
    client = make_app(**PRODUCTION, WIDGET_BUNDLE_PATH=str(bundle)).test_client()

    response = client.get("/widget/perch.js", headers={"Accept-Encoding": "gzip"})

    assert gzip.decompress(response.data) == PANEL
    assert response.headers["Content-Type"] == "application/javascript; charset=utf-8"
    assert response.headers["Cache-Control"] == "public, max-age=300"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["SourceMap"] == "perch.js.map"
    tag = {"If-None-Match": response.headers["ETag"], "Accept-Encoding": "gzip"}
    assert client.get("/widget/perch.js", headers=tag).status_code == 304


def test_types_are_text(site: FlaskClient) -> None:
    response = site.get("/widget/perch.d.ts")

    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_bundle_without_a_module_has_none(widget: FlaskClient) -> None:
    assert widget.get("/widget/perch.js").status_code == 404
