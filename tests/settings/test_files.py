"""What files set: `.env` and its kin, the one that is named, those of secrets."""

import os
from operator import attrgetter
from pathlib import Path

import pytest

from app.settings import ROOT, SettingsFaults, load, read_environment
from tests.settings.reading import GOOD_KEY, faults, read, write


def test_env_local_wins_over_env_and_real_variables_over_both(tmp_path: Path) -> None:
    write(
        tmp_path,
        env="PORT=1\nOPENAI_MODEL=from-env\nREFUSAL_MESSAGE=from-env\n",
        env_local="PORT=2\nOPENAI_MODEL=from-local\n",
    )
    os.environ["PORT"] = "3"

    settings = load(read_environment(tmp_path))

    assert settings.port == 3
    assert settings.assistant.model.name == "from-local"
    assert settings.assistant.turns.refusal_message == "from-env"


def test_dotenv_of_the_original_works_as_it_is(tmp_path: Path) -> None:
    write(
        tmp_path,
        env=f"""\
NODE_ENV=production
PORT=4000
CONVEX_DEPLOYMENT=prod:happy-animal-123 # team: x
CONVEX_URL="https://happy-animal-123.convex.cloud"
OPENAI_API_KEY='sk-live'
OPENAI_MODEL=
WIDGET_API_KEY={GOOD_KEY}
ADMIN_API_KEY=
CORS_ORIGIN=https://a.example,https://b.example
MAX_HISTORY_MESSAGES=20
RATE_LIMIT_WINDOW_MS=60000
WIDGET_BUNDLE_PATH=../widget/dist/chat-widget.js
NEXT_PUBLIC_API_URL=https://a.example
export EXTRA=1
SESSION_SECRET=of-the-original
ADMIN_DASHBOARD_URL=https://a.example/admin
""",
    )
    os.environ["CONVEX_DEPLOY_KEY"] = "prod:x|y"

    settings = load(read_environment(tmp_path))

    assert settings.is_production
    assert settings.convex_url == "https://happy-animal-123.convex.cloud"
    assert settings.assistant.model.api_key == "sk-live"
    assert settings.assistant.model.name == "gpt-6-luna"
    assert settings.admin_api_keys == ()
    assert settings.assistant.origins == ("https://a.example", "https://b.example")
    assert settings.widget_bundle_path == ROOT / "widget_dist" / "chat-widget.js"
    assert settings.ignored == (
        "ADMIN_DASHBOARD_URL",
        "CONVEX_DEPLOYMENT",
        "EXTRA",
        "NEXT_PUBLIC_API_URL",
        "SESSION_SECRET",
    )


def test_no_dotenv_is_fine(tmp_path: Path) -> None:
    assert load(read_environment(tmp_path)).port == 4000


def test_dotenv_that_is_no_text_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"PORT=\xff\xfe4\x000\x00")

    with pytest.raises(SettingsFaults) as found:
        read_environment(tmp_path)

    assert list(found.value.faults) == [".env"]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("BUDGET_TOKENS_PER_DAY: 100000\n", "line 2 sets"),
        ("BUDGET_TOKENS_PER_DAY 100000\n", "line 2 sets"),
        ("BUDGET_TOKENS_PER_DAY\n", "line 2 sets"),
        ("\n\nset BUDGET_TOKENS_PER_DAY=100000\n", "line 4 sets"),
        ("- BUDGET_TOKENS_PER_DAY=100000\n\n=5\n", "lines 2, 4 set"),
        ('WIDGET_TITLE="Support\nPORT=4001\n', "line 2 sets"),
        ('WIDGET_TITLE="Support" team\n', "line 2 sets"),
        ("SYSTEM_PROMPT='Be kind.\nBe brief.\nIt's all.'", "line 2 sets"),
    ],
)
def test_a_line_of_a_file_that_sets_nothing_is_a_fault(
    tmp_path: Path, text: str, lines: str
) -> None:
    (tmp_path / ".env").write_text(f"PORT=4000\n{text}")

    with pytest.raises(SettingsFaults) as found:
        read_environment(tmp_path)

    (sentence,) = found.value.faults.values()
    assert sentence.startswith(f"{lines} nothing"), sentence
    assert "100000" not in sentence


def test_comments_blank_lines_and_what_the_environment_has_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WIDGET_TITLE", "Support")
    (tmp_path / ".env").write_text("# One\n\n; two\n  # three\nWIDGET_TITLE\nPORT = 4001 # four\n")

    settings = load(read_environment(tmp_path))

    assert (settings.port, settings.assistant.look.title) == (4001, "Support")


def test_dotenv_with_a_nul_byte_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"WIDGET_TITLE=a\0b\n")

    with pytest.raises(SettingsFaults) as found:
        read_environment(tmp_path)

    assert list(found.value.faults) == [".env"]


def test_originals_bundle_path_is_ours_where_it_is_absent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = "../widget/dist/chat-widget.js"
    (tmp_path / "server").mkdir()
    monkeypatch.chdir(tmp_path / "server")
    assert (
        read(WIDGET_BUNDLE_PATH=original).widget_bundle_path
        == ROOT / "widget_dist" / "chat-widget.js"
    )

    there = tmp_path / "widget" / "dist" / "chat-widget.js"
    there.parent.mkdir(parents=True)
    there.write_text("//")

    assert read(WIDGET_BUNDLE_PATH=original).widget_bundle_path == Path(original)
    assert read(WIDGET_BUNDLE_PATH="/own.js").widget_bundle_path == Path("/own.js")


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "WIDGET_API_KEY", "SYSTEM_PROMPT"])
def test_secret_is_read_from_its_file(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_text(f"  {GOOD_KEY}\n")
    fields = {
        "WIDGET_API_KEY": "widget_api_keys",
        "SYSTEM_PROMPT": "turns.system_prompt",
        "OPENAI_API_KEY": "model.api_key",
    }
    field = attrgetter(f"assistant.{fields[name]}")

    told = field(read(**{f"{name}_FILE": str(tmp_path / "secret")}))

    assert told in (GOOD_KEY, (GOOD_KEY,))


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "SECRET_KEY", "REDIS_URL"])
def test_secret_files_of_other_editors_are_read_or_named(tmp_path: Path, name: str) -> None:
    marked, wide = tmp_path / "marked", tmp_path / "wide"
    marked.write_text(GOOD_KEY * 2, "utf-8-sig")
    wide.write_bytes(GOOD_KEY.encode("utf-16-le"))

    assert read(OPENAI_API_KEY_FILE=str(marked)).assistant.model.api_key == GOOD_KEY * 2
    assert "NUL" in faults(**{f"{name}_FILE": str(wide)})[f"{name}_FILE"]


def test_file_and_its_name_may_have_quotes(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f'"{GOOD_KEY}"\n')

    settings = read(ADMIN_API_KEY_FILE=f'"{tmp_path}/secret"')

    assert settings.admin_api_keys == (GOOD_KEY,)


def test_secret_itself_wins_over_its_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from the file")

    settings = read(OPENAI_API_KEY="sk-x", OPENAI_API_KEY_FILE=str(tmp_path / "secret"))

    assert settings.assistant.model.api_key == "sk-x"


def test_file_that_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff")

    for path in (tmp_path / "absent", tmp_path, tmp_path / "binary"):
        assert str(path) in faults(OPENAI_API_KEY_FILE=str(path))["OPENAI_API_KEY_FILE"]


def test_named_file_takes_the_place_of_both_files(tmp_path: Path) -> None:
    write(tmp_path, env="PORT=1\nREFUSAL_MESSAGE=from-env\n", env_local="PORT=2\n")
    (tmp_path / "named").write_text("\ufeffOPENAI_MODEL=from-named\n", encoding="utf-8")
    os.environ["PERCH_ENV_FILE"] = "named"

    environment = read_environment(tmp_path)
    assert environment.in_files == {"OPENAI_MODEL": "named"}
    settings = load(environment)

    assert (settings.port, settings.assistant.model.name) == (4000, "from-named")


@pytest.mark.parametrize("name", ["absent", "."])
def test_named_file_that_cannot_be_read_is_a_fault(tmp_path: Path, name: str) -> None:
    os.environ["PERCH_ENV_FILE"] = name

    with pytest.raises(SettingsFaults) as found:
        read_environment(tmp_path)

    assert list(found.value.faults) == [name]
