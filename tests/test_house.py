"""Rules about the repository itself: what the documents promise is there, and nothing else is."""

import ast
import configparser
import dataclasses
import importlib.metadata
import inspect
import re
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from app import settings

ROOT = Path(__file__).parents[1]
REQUIREMENTS = ("requirements.txt", "requirements-dev.txt", "requirements-vectors.txt")
HOSTS = ("pypi.org", "pythonhosted.org", "registry.npmjs.org", "registry.yarnpkg.com")
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|root|home/[a-z]+|Users/[A-Za-z]+)/[\w.]")
COMMAND = re.compile(r"`make ([a-z-]+)|^make ([a-z-]+)", re.MULTILINE)
IN_BACKTICKS = re.compile(r"`([a-z_.A-Z]+(?:/[\w.*-]*)*)`")
# Spelled apart, or this file would be found as well.
SKIPS = re.compile(
    r"pytest\.(?:mark\.)?(?:s" + r"kip|x" + r"fail|importors" + r"kip)|\.on" + r"ly\("
)


def tracked(*patterns: str) -> list[Path]:
    """Return the files that git knows, without what other tools wrote."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", *patterns], cwd=ROOT, capture_output=True, check=True
    )
    names = listed.stdout.decode().rstrip("\0").split("\0")
    return [path for name in names if (path := ROOT / name).is_file()]


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):.*## ", text("Makefile"), re.MULTILINE))


def test_env_example_has_every_variable() -> None:
    named = re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", text(".env.example"), re.MULTILINE)

    assert sorted(named) == sorted(settings.variables())


def test_env_example_has_the_defaults() -> None:
    lines = re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=(.*)$", text(".env.example"), re.MULTILINE)

    example = settings.load(settings.Environment(dict(lines)))

    default = settings.load(settings.Environment({}))
    # Written from where the server is started, and found from where the code is.
    assert replace(example, widget_bundle_path=default.widget_bundle_path) == default
    assert example.widget_bundle_path == default.widget_bundle_path.relative_to(ROOT)


def test_the_settings_page_has_the_defaults() -> None:
    told = re.findall(
        r"^\| `([A-Z][A-Z0-9_]+)` \| ([\d,.]+) \|", text("docs/settings.md"), re.MULTILINE
    )

    page = settings.load(
        settings.Environment({name: value.replace(",", "") for name, value in told})
    )

    assert len(told) > 20
    assert page == settings.load(settings.Environment({}))


def rows_of(document: str) -> dict[str, str]:
    """Return the rows of a document's tables of settings, by their first variable."""
    rows = re.findall(r"^\| `([A-Z][A-Z0-9_]+)`.*", text(document), re.MULTILINE)
    return {name: row_of(document, name) for name in rows}


def row_of(document: str, name: str) -> str:
    found = re.search(rf"^\| `{name}`.*", text(document), re.MULTILINE)
    return found[0].replace("](docs/", "](") if found else ""


def test_the_settings_page_has_every_variable() -> None:
    cells = re.findall(r"^\| (`[A-Z].*?) \|", text("docs/settings.md"), re.MULTILINE)
    named = [name for cell in cells for name in re.findall(r"`([A-Z][A-Z0-9_]+)`", cell)]

    assert sorted(set(named) - {"NODE_ENV"}) == sorted(settings.variables())


def test_readme_says_of_settings_what_their_page_says() -> None:
    rows = rows_of("README.md")

    assert rows
    assert rows == {name: row_of("docs/settings.md", name) for name in rows}


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_every_make_command_of_the_documents_exists(document: str) -> None:
    named = {first or second for first, second in COMMAND.findall(text(document))}

    assert named
    assert named <= targets()


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_every_path_of_the_documents_exists(document: str) -> None:
    made_at_run_time = ("data/", "site/")
    named = {name for name in IN_BACKTICKS.findall(text(document)) if "/" in name}

    assert named
    assert [
        name
        for name in sorted(named)
        if not name.startswith(made_at_run_time) and not (ROOT / name).exists()
    ] == []


def test_the_import_table_is_what_the_contracts_say() -> None:
    table = text("CONTRIBUTING.md").split("## Who imports whom")[1].split("\n## ")[0]
    rows = [
        re.findall(r"`(app\.[a-z0-9_.]+)`", row)
        for row in re.findall(r"^\| (`.*?) \|", table, re.M)
    ]
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / "setup.cfg")
    layers = contracts["importlinter:contract:layers"]["layers"].strip().splitlines()

    assert rows == [re.findall(r"[\w.]+", layer) for layer in layers]
    named = {module for row in rows for module in row}
    for package in sorted(path.parent for path in (ROOT / "app").glob("*/__init__.py")):
        modules = [f"app.{package.name}"]
        if modules[0] not in named:
            modules = [f"{modules[0]}.{each.stem}" for each in package.glob("[a-z]*")]
        assert named.issuperset(modules), package
        assert ast.get_docstring(ast.parse((package / "__init__.py").read_text())), package


def places(change: str) -> list[str]:
    """Return the paths in the row of the contributor's map for a change."""
    row = re.search(rf"^\| {change} \|.*", text("CONTRIBUTING.md"), re.MULTILINE)
    assert row, change
    return re.findall(r"`([\w/.]+)`", row[0])


def test_the_map_of_a_new_field_matches_every_field_there_is() -> None:
    from app.domain.conversation import Message
    from app.domain.json_objects import to_camel
    from app.web.schemas.chat import MessageSchema

    wire, value, *stores = places("a field of a message")
    on_the_wire = {each.attribute or name for name, each in MessageSchema().fields.items()}

    assert inspect.getsourcefile(MessageSchema) == str(ROOT / wire)
    assert inspect.getsourcefile(Message) == str(ROOT / value)
    assert on_the_wire <= {each.name for each in dataclasses.fields(Message)}
    assert {Path(store).parts[-2] for store in stores} == {"sqlite", "model"}
    for store in stores:
        told = text(store)
        missing = [each for each in on_the_wire if each not in told and to_camel(each) not in told]
        assert missing == [], store


def test_the_map_of_a_new_route_matches_every_route_there_is() -> None:
    from app.factory import create_app
    from app.web.guards import access
    from tests.data import some_settings

    routes, pages, table, factory = places("a route")
    app = create_app(some_settings(DASHBOARD_PASSWORD="a-password-of-the-tests"))
    views = {name: view for name, view in app.view_functions.items() if name != "static"}

    for name, view in views.items():
        source = inspect.getsourcefile(inspect.unwrap(view))
        assert source is not None
        assert any(Path(source).is_relative_to(ROOT / place) for place in (routes, pages)), name
    assert set(app.blueprints) == {name.partition(".")[0] for name in access.ACCESS} - {"static"}
    assert inspect.getsourcefile(access.Access) == str(ROOT / table)
    assert inspect.getsourcefile(create_app) == str(ROOT / factory)


def test_the_map_of_a_new_store_matches_every_store_there_is() -> None:
    from app.storage import protocol
    from tests.storage import stores

    port, contract, factory = places("a store")
    there = {
        path.name for path in (ROOT / "app/storage").iterdir() if (path / "store.py").is_file()
    }

    assert protocol.__file__ == str(ROOT / port)
    assert stores.__file__ == str(ROOT / contract)
    assert set(stores.STORES) == there
    for store in there:
        assert f"from app.storage.{store} import" in text(factory)


def test_the_map_of_a_new_protocol_matches_every_protocol_there_is() -> None:
    port, routes, layers = places("a protocol")
    there = {
        path.stem
        for path in (ROOT / port).parent.glob("*.py")
        if re.search(r"def encoder\(", path.read_text()) and path != ROOT / port
    }

    assert len(there) > 5
    assert all(f"(app.protocols.{name})" in text(layers) for name in there)
    assert any(f"from app.protocols.{name} import" in text(routes) for name in there)


def test_the_map_of_a_new_notification_matches_every_target_there_is() -> None:
    from app.notifications import delivery, targets
    from app.settings import Settings

    port, settings_file, factory = places("a notification")

    assert inspect.getsourcefile(delivery.Target) == str(ROOT / port)
    assert inspect.getsourcefile(Settings.can_ask) == str(ROOT / settings_file)
    assert inspect.getsourcefile(targets.make_targets) == str(ROOT / factory)


@pytest.mark.slow
def test_no_file_names_a_machine_or_a_registry() -> None:
    found = []
    for path in tracked(":!*.map", ":!widget_dist", ":!*.png"):
        content = path.read_bytes().decode("utf-8", "ignore")
        if path != Path(__file__) and (
            MACHINE_PATH.search(content) or any(host in content for host in HOSTS)
        ):
            found.append(path.relative_to(ROOT))

    assert found == []


def test_no_test_is_skipped() -> None:
    tests = tracked("tests/*", "convex/tests/*", "widget/test/*")
    found = [
        path.relative_to(ROOT)
        for path in tests
        if SKIPS.search(path.read_bytes().decode("utf-8", "ignore"))
    ]

    assert found == []


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_every_requirement_is_pinned_with_hashes(name: str) -> None:
    entries = re.split(r"\n(?=[a-z])", text(name).strip())

    assert entries
    assert not [entry for entry in entries if not re.match(r"[a-z0-9._\[\],-]+==\S", entry)]
    assert not [entry for entry in entries if "--hash=sha256:" not in entry]
    assert "index-url" not in text(name)


def test_tests_run_with_the_versions_of_the_server() -> None:
    pins = {
        name: set(re.findall(r"^([a-z0-9.-]+==[\w.]+)", text(name), re.MULTILINE))
        for name in REQUIREMENTS
    }

    assert pins["requirements.txt"] <= pins["requirements-dev.txt"]
    assert pins["requirements-vectors.txt"] <= pins["requirements-dev.txt"]


def imported_packages(*patterns: str) -> set[str]:
    """Return the top names of all modules that are imported, but for Python's and our own."""
    nodes = [node for path in tracked(*patterns) for node in ast.walk(ast.parse(path.read_text()))]
    named = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    named += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    ours = {"app", "bench", "tests", "", "_typeshed"}  # typeshed is mypy's
    return {name.partition(".")[0] for name in named} - ours - set(sys.stdlib_module_names)


@pytest.mark.slow
def test_every_package_that_the_server_imports_is_declared() -> None:
    project = tomllib.loads(text("pyproject.toml"))["project"]
    extras = project["optional-dependencies"]
    declared = {
        re.split(r"[\[<>=~! ]", each)[0].lower()
        for group in (project["dependencies"], *map(extras.get, ("sentry", "otel", "vectors")))
        for each in group
    }
    installed = {
        path.parts[0].removesuffix(".py")
        for name in declared
        for path in importlib.metadata.files(name) or []
    }

    assert imported_packages("app/*.py", "bench/*.py", "*.conf.py", "wsgi.py") <= installed
